// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Clearing} from "./Clearing.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CapacityRights} from "./CapacityRights.sol";
import {BidCurve} from "./lib/BidCurve.sol";
import {BidSlot} from "./lib/BidSlot.sol";
import {Errors} from "./lib/Errors.sol";
import {Money} from "./lib/Money.sol";
import {Rationing} from "./lib/Rationing.sol";
import {RightId} from "./lib/RightId.sol";
import {RightWord} from "./lib/RightWord.sol";
import {StatusWord, ResultWord, MoneyWord} from "./lib/WindowWords.sol";

/// @title Issue of the allocation: escrow, payment, mint; late payment; buyer default; refunds (§6).
abstract contract Issue is Clearing {
    using BidSlot for uint256;
    using MoneyWord for uint256;
    using ResultWord for uint256;
    using StatusWord for uint256;

    /// @notice An opened bid, as its `Revealed` event gives it.
    struct Claim {
        uint32 window;
        address participant;
        uint96 terms; // of a seller, see Opening; 0 for a buyer
        bytes bid; // curve and offsets
    }

    /// @dev The money side of one issue in base units, and the energy units that the fill holds on to and frees.
    struct Terms {
        uint256 deposit;
        uint256 payment;
        uint256 bondShare;
        uint256 unlocked;
        uint256 units;
        uint256 freeUnits;
        bool paid;
    }

    /// @notice A bid's allocation was issued. `bondShare` is its share of the other side's forfeited bonds; `payment` is
    /// what a buyer paid at once. A quantity of zero mints nothing.
    event Claimed(
        uint256 indexed window,
        address indexed participant,
        uint256 quantity,
        uint256 deposit,
        uint256 payment,
        uint256 bondShare,
        uint256 unlocked
    );
    /// @notice `balance` is the payer's free balance afterwards.
    event Paid(uint256 indexed rightId, address indexed payer, uint256 payment, uint256 balance);
    /// @notice A buyer did not pay in time: its right is void, its deposit goes to the window's pool.
    event Defaulted(uint256 indexed window, address indexed participant, uint256 quantity, uint256 deposit);
    event Refunded(uint256 indexed window, address indexed participant, uint256 amount);

    CapacityRights public immutable rights;

    constructor(CapacityRights rights_) {
        if (address(rights_) == address(0)) revert Errors.ZeroAddress();
        rights = rights_;
    }

    /// @notice Issues a bid's allocation. Anybody may, for anybody.
    function claim(Claim calldata c) external nonReentrant {
        _claim(c);
    }

    /// @notice Issues many; one that was claimed already is skipped, so that nobody can block a batch. Returns how many.
    function claimMany(Claim[] calldata claims) external nonReentrant returns (uint256 issued) {
        for (uint256 i; i < claims.length; ++i) {
            (uint256 slot, uint256 hash) = _slotAndHash(claims[i]);
            if (slot == hash) {
                _claim(claims[i]);
                ++issued;
            }
        }
    }

    /// @notice Pays for a buyer's right from the caller's free balance, before the payment deadline.
    function pay(uint256 rightId) external nonReentrant {
        uint256 window = RightId.window(rightId);
        uint256 status = _inPhase(window, Phase.Payment);
        (uint256 quantity, bool paid) = rights.quantityAndPaid(rightId);
        if (paid || RightId.side(rightId) != BUY || RightId.isFinal(rightId)) revert Errors.NotPayable(rightId);
        uint256 payment = Money.owed(quantity, _result[window].tick(), _tickSize);
        _take(msg.sender, payment);
        uint256 money = _money[window];
        _money[window] = MoneyWord.make(money.pool() + payment, money.escrow(), money.paid() + quantity);
        _status[window] = status.withResolved(quantity);
        emit Paid(rightId, msg.sender, payment, balanceOf(msg.sender));
        rights.markPaid(rightId);
    }

    /// @notice Declares the default of a buyer's right that was not paid by the deadline. Anybody may.
    function declareDefault(uint256 rightId) external nonReentrant {
        uint256 window = RightId.window(rightId);
        uint256 status = _status[window];
        Phase phase = _phase(window, status.status(), block.timestamp);
        if (phase != Phase.Delivery && phase != Phase.Settlement) revert Errors.WrongPhase(window, uint8(phase));
        (uint256 quantity, bool paid) = rights.quantityAndPaid(rightId);
        if (paid || RightId.side(rightId) != BUY || RightId.isFinal(rightId)) revert Errors.NotPayable(rightId);
        uint256 deposit = Money.deposit(_alphaBuyer, quantity * _result[window].tick(), _tickSize);
        _status[window] = status.withResolved(quantity);
        _default(window, RightId.participant(rightId), quantity, deposit);
        rights.burn(rightId);
    }

    /// @notice Ends a commitment that was never opened: its energy is free again, and in a void window its bond comes back
    /// (in a cleared one it is forfeited). Anybody may.
    function refundCommitment(uint256 window, address participant) external nonReentrant {
        (uint256 round, uint256 place) = _ringOf(window);
        Phase phase = _phase(window, _status[window].status(), block.timestamp);
        if (phase < Phase.Payment) revert Errors.WrongPhase(window, uint8(phase));
        uint256 slot = _slots[participant][place];
        if (!slot.isCommitted(round)) revert Errors.NoCommitment(window, participant);
        _slots[participant][place] = BidSlot.resolved(round);
        uint256 bond = phase == Phase.Void ? _bond : 0;
        _accounts[participant] = _unpromise(_plus(_accounts[participant], bond), slot.unitsOf());
        emit Refunded(window, participant, bond);
    }

    function _claim(Claim calldata c) private {
        uint256 status = _status[c.window];
        Phase phase = _phase(c.window, status.status(), block.timestamp);
        if (phase < Phase.Payment) revert Errors.WrongPhase(c.window, uint8(phase));
        (uint256 slot, uint256 hash) = _slotAndHash(c);
        if (slot != hash) revert Errors.NoSuchBid(c.window, c.participant);
        (uint256 round, uint256 place) = _ringOf(c.window);
        _slots[c.participant][place] = BidSlot.resolved(round);

        (uint256 locked, uint256 quantity) = _measure(c, slot.sideOf(), _result[c.window]);
        if (phase != Phase.Void && quantity != 0) return _issue(c, slot, quantity, locked, status, phase);
        _accounts[c.participant] = _unpromise(_plus(_accounts[c.participant], locked), slot.unitsOf());
        if (phase == Phase.Void) emit Refunded(c.window, c.participant, locked);
        else emit Claimed(c.window, c.participant, 0, 0, 0, 0, locked);
    }

    /// @dev Moves the deposit to escrow and the payment to the pool, frees the rest, mints the right.
    function _issue(Claim calldata c, uint256 slot, uint256 quantity, uint256 locked, uint256 status, Phase phase)
        private
    {
        uint256 side = slot.sideOf();
        Terms memory t = _settlementTerms(c.terms, side, quantity, status, _result[c.window]);
        t.unlocked = locked - t.deposit;
        if (side == SELL) t.units = Math.ceilDiv(quantity * UNITS, _limitOf(c.terms));
        t.freeUnits = slot.unitsOf() - t.units;
        // A claim after the payment deadline cannot be paid any more: the buyer is in default at once.
        bool late = side == BUY && phase != Phase.Payment;
        _settleAccount(c.participant, t, late);
        if (t.paid || late) _status[c.window] = status.withResolved(quantity);

        uint256 money = _money[c.window];
        _money[c.window] = MoneyWord.make(
            money.pool() - t.bondShare + t.payment,
            money.escrow() + t.deposit,
            money.paid() + (side == BUY && t.paid ? quantity : 0)
        );
        emit Claimed(c.window, c.participant, quantity, t.deposit, t.payment, t.bondShare, t.unlocked);
        if (late) {
            _default(c.window, c.participant, quantity, t.deposit);
        } else {
            _mint(c, side, quantity, t);
        }
    }

    function _mint(Claim calldata c, uint256 side, uint256 quantity, Terms memory t) private {
        uint256 word = RightWord.make(quantity, uint32(c.terms), _alphaOf(c.terms), t.units, t.paid);
        rights.mint(c.participant, RightId.make(c.window, side, c.participant, 0), word);
    }

    /// @dev Deposit, payment due, and the share of the other side's forfeited bonds, pro rata to the fill (§5).
    function _settlementTerms(uint256 terms, uint256 side, uint256 quantity, uint256 status, uint256 result)
        private
        view
        returns (Terms memory t)
    {
        uint256 tick = result.tick();
        t.deposit = Money.deposit(side == SELL ? _alphaOf(terms) : _alphaBuyer, quantity * tick, _tickSize);
        uint256 forfeited = (side == SELL ? status.buyers() : status.sellers()) * _bond;
        t.bondShare = Money.share(forfeited, quantity, result.volume());
        t.paid = side == SELL;
        if (side == BUY) t.payment = Money.owed(quantity, tick, _tickSize);
    }

    /// @dev Frees what is not needed, and takes a buyer's payment if its balance covers it and it is in time.
    function _settleAccount(address participant, Terms memory t, bool late) private {
        uint256 account = _unpromise(_plus(_accounts[participant], t.unlocked + t.bondShare), t.freeUnits);
        if (!t.paid) {
            if (!late && account & BALANCE_MASK >= t.payment) {
                account = _minus(account, participant, t.payment);
                t.paid = true;
            } else {
                t.payment = 0;
            }
        }
        _accounts[participant] = account;
    }

    /// @dev Moves a defaulted buyer's deposit from the escrow to the pool, for the sellers to share.
    function _default(uint256 window, address participant, uint256 quantity, uint256 deposit) private {
        uint256 money = _money[window];
        _money[window] = MoneyWord.make(money.pool() + deposit, money.escrow() - deposit, money.paid());
        _forfeited[window] += deposit;
        emit Defaulted(window, participant, quantity, deposit);
    }

    /// @dev What the bid keeps locked, and its fill at the cleared price: O(segments), no loop over bids (§4).
    function _measure(Claim calldata c, uint256 side, uint256 result)
        internal
        view
        returns (uint256 locked, uint256 filled)
    {
        bytes memory b = c.bid;
        uint256 quantity;
        uint256 value;
        // At most 16 segments of 32 bits, at ticks of 14 bits.
        unchecked {
            uint256 n = b.length / (2 * BidCurve.SEGMENT);
            uint256 price = result.tick();
            bool traded = result.volume() != 0;
            for (uint256 i; i < n; ++i) {
                (uint256 tick, uint256 width) = BidCurve.segment(b, i);
                quantity += width;
                value += BidCurve.worth(tick, width);
                if (!traded) continue;
                if (tick == price) {
                    filled += side == result.rationedSide() ? _ration(result, BidCurve.offset(b, n, i), width) : width;
                } else if (side == SELL ? tick < price : tick > price) {
                    filled += width;
                }
            }
        }
        locked = _locked(side, quantity, value, c.terms);
    }

    /// @dev What a marginal segment at `offset` gets of the residual (21), (22).
    function _ration(uint256 result, uint256 offset, uint256 width) private view returns (uint256) {
        return Rationing.fill(_rationing, offset, width, result.residual(), result.total(), result.phase());
    }

    /// @dev The stored word, and what it would be for this bid; equal only for an opened, unclaimed bid (T10).
    function _slotAndHash(Claim calldata c) private view returns (uint256 slot, uint256 hash) {
        (uint256 round, uint256 place) = _ringOf(c.window);
        slot = _slots[c.participant][place];
        hash = BidSlot.opened(round, slot, c.window, c.terms, c.bid);
    }
}
