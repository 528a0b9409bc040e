// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MarketState} from "./MarketState.sol";
import {BidCurve} from "./lib/BidCurve.sol";
import {BidSlot} from "./lib/BidSlot.sol";
import {Errors} from "./lib/Errors.sol";
import {Money} from "./lib/Money.sol";
import {Pedersen} from "./lib/Pedersen.sol";
import {PriceBook} from "./lib/PriceBook.sol";
import {StatusWord} from "./lib/WindowWords.sol";

/// @title Sealed bids: open a window, commit, replace, withdraw, reveal (§2, §5).
abstract contract Bidding is MarketState {
    using BidSlot for uint256;
    using StatusWord for uint256;

    /// @notice A commitment for one window.
    struct Commitment {
        uint32 window;
        uint8 side; // 0 sell, 1 buy
        uint256 point; // compressed: x, and y's parity in the top bit
    }

    /// @notice An opening of a commitment. It proves itself, so anybody may submit it.
    struct Opening {
        uint32 window;
        address participant;
        uint256 blinder;
        bytes curve; // see BidCurve
    }

    event WindowOpened(uint256 indexed window);
    event Committed(uint256 indexed window, address indexed participant, uint256 side, uint256 commitment);
    event CommitmentWithdrawn(uint256 indexed window, address indexed participant);
    /// @notice `bid` is the curve followed by the offsets that its segments got: the order of the marginal cohort.
    event Revealed(uint256 indexed window, address indexed participant, uint256 blinder, bytes bid);

    bytes32 private constant DOMAIN = keccak256("Stowatt/bid/1");

    /// @dev In the open mode nobody needs a credential to bid (a seller still needs a registered device).
    bool public immutable openMode;

    constructor(bool openMode_) {
        openMode = openMode_;
        Pedersen.selfTest();
    }

    /// @notice Opens windows for bidding. Anybody may; at most one ring ahead, so that no place can be squatted, and
    /// only when the place's last window is cleared or void (T17).
    function open(uint256 first, uint256 count) external nonReentrant {
        for (uint256 i; i < count; ++i) {
            _open(first + i);
        }
    }

    /// @notice Commits to a bid, or replaces the commitment (then no further bond is taken).
    function commit(uint256 window, uint256 side, uint256 point) external nonReentrant {
        _accounts[msg.sender] = _commit(_accounts[msg.sender], window, side, point);
    }

    /// @notice Commits to bids in many windows. All or nothing.
    function commitMany(Commitment[] calldata commitments) external nonReentrant {
        uint256 account = _accounts[msg.sender];
        for (uint256 i; i < commitments.length; ++i) {
            account = _commit(account, commitments[i].window, commitments[i].side, commitments[i].point);
        }
        _accounts[msg.sender] = account;
    }

    /// @notice Takes the caller's commitment back before the commit deadline; the bond is free again.
    function withdrawCommitment(uint256 window) external nonReentrant {
        (uint256 round, uint256 place) = _ringOf(window);
        uint256 status = _inPhase(window, Phase.Commit);
        uint256 slot = _slots[msg.sender][place];
        if (!slot.isCommitted(round)) revert Errors.NoCommitment(window, msg.sender);
        _status[window] = status.withoutCommitment(slot.sideOf(), slot);
        _slots[msg.sender][place] = BidSlot.resolved(round);
        _credit(msg.sender, _bond);
        emit CommitmentWithdrawn(window, msg.sender);
    }

    /// @notice Opens one commitment (7). Anybody may submit it.
    function reveal(Opening calldata opening) external nonReentrant {
        _reveal(opening, true);
    }

    /// @notice Opens many commitments; one that is refused is skipped, never the batch (T5). Returns how many opened.
    function revealMany(Opening[] calldata openings) external nonReentrant returns (uint256 accepted) {
        for (uint256 i; i < openings.length; ++i) {
            if (_reveal(openings[i], false)) ++accepted;
        }
    }

    /// @notice The hash m that a commitment binds, reduced modulo the group order (6).
    function messageOf(uint256 window, address participant, uint256 side, bytes calldata curve)
        external
        view
        returns (uint256)
    {
        return _message(window, participant, side, _accounts[participant], curve);
    }

    function _open(uint256 window) private {
        (, uint256 place) = _ringOf(window);
        if (_status[window].status() != STATUS_NONE) revert Errors.WrongPhase(window, uint8(phaseOf(window)));
        uint256 start = _startOf(window);
        if (block.timestamp >= start - _commitLead) revert Errors.WrongPhase(window, uint8(Phase.NotOpen));
        if (start >= block.timestamp + _ring * _length) revert Errors.TooEarlyToOpen(window);
        uint256 occupant = _occupant[place];
        if (occupant != 0 && _status[occupant - 1].status() == STATUS_OPEN) {
            revert Errors.RingOccupied(window, occupant - 1);
        }
        _occupant[place] = window + 1;
        _blinders[place] = 1;
        _status[window] = STATUS_OPEN;
        emit WindowOpened(window);
    }

    function _commit(uint256 account, uint256 window, uint256 side, uint256 point) private returns (uint256) {
        (uint256 round, uint256 place) = _ringOf(window);
        uint256 status = _inPhase(window, Phase.Commit);
        if (side > BUY) revert Errors.BadSide(side);
        if (point == 0) revert Errors.BadCommitment(window);
        if (!openMode && ((account >> (ROLES_SHIFT + side)) & 1 == 0 || block.timestamp > uint40(account >> EXPIRY_SHIFT))) {
            revert Errors.NotAdmitted(msg.sender, uint8(side));
        }
        uint256 old = _slots[msg.sender][place];
        if (old.isCommitted(round)) {
            status = status.withoutCommitment(old.sideOf(), old);
        } else {
            _requireDone(old, place);
            account = _minus(account, msg.sender, _bond);
        }
        uint256 slot = BidSlot.committed(round, side, window, point);
        _slots[msg.sender][place] = slot;
        _status[window] = status.withCommitment(side, slot);
        emit Committed(window, msg.sender, side, point);
        return account;
    }

    /// @dev A word of an earlier round may be overwritten only when nothing can be claimed for it any more (T17).
    function _requireDone(uint256 slot, uint256 place) private view {
        uint256 kind = slot.kindOf();
        if (kind == BidSlot.RESOLVED || slot == 0) return;
        uint256 window = slot.roundOf() * _ring + place;
        bool forfeited = kind == BidSlot.COMMITTED && _status[window].status() != STATUS_VOID;
        if (!forfeited) revert Errors.UnclaimedBid(msg.sender, window);
    }

    /// @dev Returns whether the opening was accepted. Refusals revert if `strict`, and change nothing otherwise.
    function _reveal(Opening calldata opening, bool strict) private returns (bool) {
        (uint256 round, uint256 place) = _ringOf(opening.window);
        // A commitment of this round exists only in a window that was opened, and an open window's phase is its time's.
        Phase phase = _phase(opening.window, STATUS_OPEN, block.timestamp);
        if (phase != Phase.Reveal) {
            if (strict) revert Errors.WrongPhase(opening.window, uint8(phase));
            return false;
        }

        uint256 slot = _slots[opening.participant][place];
        if (!slot.isCommitted(round)) {
            if (strict) revert Errors.NoCommitment(opening.window, opening.participant);
            return false;
        }
        uint256 side = slot.sideOf();
        uint256 account = _accounts[opening.participant];
        (uint256 quantity, uint256 value, uint256 bad) = BidCurve.measure(opening.curve, side, _ticks);
        if (bad != 0) {
            if (strict) revert Errors.BadCurve(opening.window, opening.participant, bad - 1);
            return false;
        }
        if (!_matches(opening, slot, round, side, account)) {
            if (strict) revert Errors.OpeningMismatch(opening.window, opening.participant);
            return false;
        }
        if (side == SELL && quantity > uint32(account >> LIMIT_SHIFT)) {
            if (strict) {
                revert Errors.BeyondDevice(
                    opening.window, opening.participant, quantity, uint32(account >> LIMIT_SHIFT)
                );
            }
            return false;
        }
        uint256 locked = _locked(side, quantity, value);
        if (locked > _bond) {
            if (!strict && (account & BALANCE_MASK) < locked - _bond) return false;
            _accounts[opening.participant] = _minus(account, opening.participant, locked - _bond);
        }
        _enter(opening, round, place, side, uint32(account >> DEVICE_SHIFT));
        return true;
    }

    /// @dev Enters the bid in the book, replaces the commitment by the bid's hash, and adds to the seed.
    function _enter(Opening calldata opening, uint256 round, uint256 place, uint256 side, uint256 device) private {
        bytes memory bid = BidCurve.withOffsets(opening.curve);
        uint256 n = opening.curve.length / BidCurve.SEGMENT;
        uint256 base = PriceBook.baseOf(place);
        for (uint256 i; i < n; ++i) {
            (uint256 tick, uint256 width) = BidCurve.segment(bid, i);
            BidCurve.setOffset(bid, n, i, PriceBook.add(base, round, tick, side, width, i == 0));
        }
        // A buyer's bid binds no device (§5).
        _slots[opening.participant][place] =
            BidSlot.opened(round, side, opening.window, side == SELL ? device : 0, bid);
        unchecked {
            _blinders[place] += uint256(keccak256(abi.encode(opening.blinder)));
        }
        emit Revealed(opening.window, opening.participant, opening.blinder, bid);
    }

    /// @dev Does the opening match the commitment in `slot`? The blinder's range makes the opening unique (T4).
    function _matches(Opening calldata opening, uint256 slot, uint256 round, uint256 side, uint256 account)
        private
        view
        returns (bool)
    {
        if (opening.blinder == 0 || opening.blinder >= Pedersen.ORDER) return false;
        uint256 message = _message(opening.window, opening.participant, side, account, opening.curve);
        uint256 point = Pedersen.commit(message, opening.blinder);
        return BidSlot.committed(round, side, opening.window, point) == slot;
    }

    function _message(uint256 window, address participant, uint256 side, uint256 account, bytes calldata curve)
        private
        view
        returns (uint256)
    {
        uint256 device = side == SELL ? uint32(account >> DEVICE_SHIFT) : 0;
        bytes32 fingerprint = side == SELL ? fingerprintOf[participant] : bytes32(0);
        bytes memory context = abi.encodePacked(
            DOMAIN,
            block.chainid,
            uint256(uint160(address(this))),
            window,
            uint256(uint160(participant)),
            side,
            device,
            fingerprint,
            curve
        );
        return uint256(keccak256(context)) % Pedersen.ORDER;
    }

    /// @dev What an opened bid keeps locked until its claim: the worst-case deposit, towards which the bond counts (§6).
    /// A seller's worst case is its whole quantity at the grid's highest tick, a buyer's its own prices.
    function _locked(uint256 side, uint256 quantity, uint256 value) internal view returns (uint256) {
        uint256 reserve = side == SELL
            ? Money.deposit(_alphaSeller, quantity * (_ticks - 1), _tickSize)
            : Money.deposit(_alphaBuyer, value, _tickSize);
        return reserve > _bond ? reserve : _bond;
    }
}
