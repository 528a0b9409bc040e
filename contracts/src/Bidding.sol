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

    /// @notice An opening of a commitment. It proves itself, so anybody may submit it. The device's terms are those at the
    /// time of the commitment, which binds them: what the registry changes later cannot spoil an opening.
    struct Opening {
        uint32 window;
        address participant;
        uint32 device; // of a seller; 0 for a buyer
        uint32 limitWh; // the device's Q_max (1); 0 for a buyer
        bytes32 fingerprint; // H_i; 0 for a buyer
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
    function open(uint256 first, uint256 count) external nonReentrantView {
        for (uint256 i; i < count; ++i) {
            _open(first + i);
        }
    }

    /// @notice Commits to a bid, or replaces the commitment (then no further bond is taken).
    function commit(uint256 window, uint256 side, uint256 point) external nonReentrantView {
        _accounts[msg.sender] = _commit(_accounts[msg.sender], window, side, point);
    }

    /// @notice Commits to bids in many windows. All or nothing.
    function commitMany(Commitment[] calldata commitments) external nonReentrantView {
        uint256 account = _accounts[msg.sender];
        for (uint256 i; i < commitments.length; ++i) {
            account = _commit(account, commitments[i].window, commitments[i].side, commitments[i].point);
        }
        _accounts[msg.sender] = account;
    }

    /// @notice Takes the caller's commitment back before the commit deadline; the bond is free again.
    function withdrawCommitment(uint256 window) external nonReentrantView {
        (uint256 round, uint256 place) = _ringOf(window);
        uint256 status = _inPhase(window, Phase.Commit);
        uint256 slot = _slots[msg.sender][place];
        if (!slot.isCommitted(round)) revert Errors.NoCommitment(window, msg.sender);
        _status[window] = status.withoutCommitment(slot.sideOf(), StatusWord.traceOf(slot, msg.sender));
        _slots[msg.sender][place] = BidSlot.resolved(round);
        _credit(msg.sender, _bond);
        emit CommitmentWithdrawn(window, msg.sender);
    }

    /// @notice Opens one commitment (7). Anybody may submit it.
    function reveal(Opening calldata opening) external nonReentrantView {
        _reveal(opening, true);
    }

    /// @notice Opens many commitments; one that is refused is skipped, never the batch (T5). Returns how many opened.
    function revealMany(Opening[] calldata openings) external nonReentrantView returns (uint256 accepted) {
        for (uint256 i; i < openings.length; ++i) {
            if (_reveal(openings[i], false)) ++accepted;
        }
    }

    /// @notice The hash m that a commitment binds, reduced modulo the group order (6). `side` is 0 (sell) or 1 (buy).
    function messageOf(Opening calldata opening, uint256 side) external view returns (uint256) {
        return _message(opening, side);
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
        if (!_admits(account, side, openMode, block.timestamp)) revert Errors.NotAdmitted(msg.sender, uint8(side));
        mapping(uint256 => uint256) storage slots = _slots[msg.sender];
        uint256 old = slots[place];
        if (old.isCommitted(round)) {
            status = status.withoutCommitment(old.sideOf(), StatusWord.traceOf(old, msg.sender));
        } else {
            _requireDone(old, place);
            account = _minus(account, msg.sender, _bond);
        }
        uint256 slot = _sealed(account, round, side, window, point);
        slots[place] = slot;
        _status[window] = status.withCommitment(side, StatusWord.traceOf(slot, msg.sender));
        emit Committed(window, msg.sender, side, point);
        return account;
    }

    /// @dev The slot word of the caller's commitment; a seller's binds its device as it is now.
    function _sealed(uint256 account, uint256 round, uint256 side, uint256 window, uint256 point)
        private
        view
        returns (uint256)
    {
        if (side == BUY) return BidSlot.committed(round, side, window, point, 0, 0, 0);
        (uint256 device, uint256 limitWh) = (uint32(account >> DEVICE_SHIFT), uint32(account >> LIMIT_SHIFT));
        return BidSlot.committed(round, side, window, point, device, limitWh, fingerprintOf[msg.sender]);
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
        (uint256 round, uint256 place) = _placeOf(opening.window);
        mapping(uint256 => uint256) storage slots = _slots[opening.participant];
        uint256 slot = slots[place];
        uint256 side = slot.sideOf();
        (uint256 extra, bytes4 refusal) = _check(opening, slot, round, side);
        if (refusal != 0) {
            if (strict) revert Errors.OpeningRefused(opening.window, opening.participant, refusal);
            return false;
        }
        if (extra != 0) _take(opening.participant, extra);

        bytes memory bid = _enter(opening.curve, round, place, side);
        slots[place] = BidSlot.opened(round, side, opening.window, opening.device, bid);
        unchecked {
            _blinders[place] += Pedersen.hash(opening.blinder);
        }
        emit Revealed(opening.window, opening.participant, opening.blinder, bid);
        return true;
    }

    /// @dev Everything that can refuse an opening, in order of cost: the selector of the reason, or zero and what the
    /// opening takes from the free balance.
    function _check(Opening calldata opening, uint256 slot, uint256 round, uint256 side)
        private
        view
        returns (uint256 extra, bytes4 refusal)
    {
        // A commitment of this round exists only in a window that was opened, and an open window's phase is its time's.
        if (_phase(opening.window, STATUS_OPEN, block.timestamp) != Phase.Reveal) return (0, Errors.WrongPhase.selector);
        if (!slot.isCommitted(round)) return (0, Errors.NoCommitment.selector);
        (uint256 quantity, uint256 value, bool valid) = BidCurve.measure(opening.curve, side, _ticks);
        if (!valid) return (0, Errors.BadCurve.selector);
        if (side == SELL && quantity > opening.limitWh) return (0, Errors.BeyondDevice.selector);
        // The blinder's range makes the opening unique (T4).
        if (opening.blinder == 0 || opening.blinder >= Pedersen.ORDER) return (0, Errors.BadBlinder.selector);
        if (_committedWord(opening, round, side) != slot) return (0, Errors.OpeningMismatch.selector);
        unchecked {
            extra = _locked(side, quantity, value) - _bond; // at least the bond is locked
        }
        if (extra != 0 && _accounts[opening.participant] & BALANCE_MASK < extra) {
            refusal = Errors.InsufficientBalance.selector;
        }
    }

    /// @dev Enters the curve in the price book; returns it followed by the offsets that its segments got.
    function _enter(bytes calldata curve, uint256 round, uint256 place, uint256 side)
        internal
        returns (bytes memory bid)
    {
        bid = BidCurve.withOffsets(curve);
        uint256 n = curve.length / BidCurve.SEGMENT;
        uint256 base = PriceBook.baseOf(place);
        unchecked {
            for (uint256 i; i < n; ++i) {
                (uint256 tick, uint256 width) = BidCurve.segment(bid, i);
                BidCurve.setOffset(bid, n, i, PriceBook.add(base, round, tick, side, width, i == 0));
            }
        }
    }

    /// @dev The slot word that the opening's commitment would have (6), (7).
    function _committedWord(Opening calldata opening, uint256 round, uint256 side) private view returns (uint256) {
        uint256 point = Pedersen.commit(_message(opening, side), opening.blinder);
        return BidSlot.committed(
            round, side, opening.window, point, opening.device, opening.limitWh, opening.fingerprint
        );
    }

    /// @dev keccak256(domain ‖ chain id ‖ market ‖ window ‖ participant ‖ side ‖ device ‖ H_i ‖ curve) mod n (§5), each of
    /// the first eight in one word. Built in place: the copies that abi.encodePacked makes cost 400 gas an opening.
    function _message(Opening calldata opening, uint256 side) private view returns (uint256 message) {
        (bytes32 domain, uint256 order) = (DOMAIN, Pedersen.ORDER);
        (uint256 window, uint256 participant) = (opening.window, uint160(opening.participant));
        (uint256 device, bytes32 fingerprint) = (opening.device, opening.fingerprint);
        bytes calldata curve = opening.curve;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, domain)
            mstore(add(p, 0x20), chainid())
            mstore(add(p, 0x40), address())
            mstore(add(p, 0x60), window)
            mstore(add(p, 0x80), participant)
            mstore(add(p, 0xa0), side)
            mstore(add(p, 0xc0), device)
            mstore(add(p, 0xe0), fingerprint)
            calldatacopy(add(p, 0x100), curve.offset, curve.length)
            message := mod(keccak256(p, add(0x100, curve.length)), order)
        }
    }

    /// @dev What an opened bid keeps locked until its claim: the worst-case deposit, towards which the bond counts (§6).
    /// A seller's worst case is its whole quantity at the grid's highest tick, a buyer's its own prices (at least tick 1).
    function _locked(uint256 side, uint256 quantity, uint256 value) internal view returns (uint256) {
        uint256 reserve = side == SELL
            ? Money.deposit(_alphaSeller, quantity * (_ticks - 1), _tickSize)
            : Money.deposit(_alphaBuyer, value, _tickSize);
        return reserve > _bond ? reserve : _bond;
    }
}
