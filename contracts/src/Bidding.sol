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
        uint8 units; // of a seller's battery that the bid holds, 1 to 64 in Q_max/64; 0: a buyer's bid
        uint256 point; // compressed: x, and y's parity in the top bit
    }

    /// @notice An opening of a commitment. It proves itself, so anybody may submit it. The seller's terms are those at the
    /// time of the commitment, which binds them: what the registry changes later cannot spoil an opening.
    struct Opening {
        uint32 window;
        address participant;
        uint96 terms; // device, 32 bits | its Q_max (1) in Wh, 32 | α_S in ppm, 24 | energy units, 8; 0 for a buyer
        bytes32 fingerprint; // H_i; 0 for a buyer
        uint256 blinder;
        bytes curve; // see BidCurve
    }

    event WindowOpened(uint256 indexed window);
    /// @notice `terms` are a seller's as they are now, and those that its opening and its claim must give; see Opening. Zero
    /// for a buyer.
    event Committed(uint256 indexed window, address indexed participant, uint256 commitment, uint256 terms);
    event CommitmentWithdrawn(uint256 indexed window, address indexed participant);
    /// @notice `bid` is the curve followed by the offsets that its segments got: the order of the marginal cohort.
    event Revealed(uint256 indexed window, address indexed participant, uint256 blinder, bytes bid);

    bytes32 private constant DOMAIN = keccak256("Stowatt/bid/1");
    uint256 private constant ALPHA_SHIFT = 64;
    uint256 private constant TERMS_UNITS_SHIFT = 88;

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

    /// @notice Commits to a bid, or replaces the commitment (then no further bond is taken). A seller's bid holds 1 to 64
    /// `units` of its battery's energy, in Q_max/64, and can offer no more than them; 0 makes it a buyer's bid.
    function commit(uint256 window, uint256 units, uint256 point) external nonReentrantView {
        _accounts[msg.sender] = _commit(_accounts[msg.sender], window, units, point);
    }

    /// @notice Commits to bids in many windows. All or nothing.
    function commitMany(Commitment[] calldata commitments) external nonReentrantView {
        uint256 account = _accounts[msg.sender];
        for (uint256 i; i < commitments.length; ++i) {
            Commitment calldata c = commitments[i];
            account = _commit(account, c.window, c.units, c.point);
        }
        _accounts[msg.sender] = account;
    }

    /// @notice Takes the caller's commitment back before the commit deadline; the bond is free again.
    function withdrawCommitment(uint256 window) external nonReentrantView {
        (uint256 round, uint256 place) = _ringOf(window);
        uint256 status = _inPhase(window, Phase.Commit);
        uint256 slot = _slots[msg.sender][place];
        if (!slot.isCommitted(round)) revert Errors.NoCommitment(window, msg.sender);
        uint256 left = BidSlot.resolved(round);
        _status[window] = status.withoutCommitment(slot.sideOf()).linked(left, msg.sender);
        _slots[msg.sender][place] = left;
        _accounts[msg.sender] = _unpromise(_plus(_accounts[msg.sender], _bond), slot.unitsOf());
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

    /// @notice The terms that a seller's commitment would bind now, without its units; see Opening.
    function termsOf(address account) external view returns (uint256) {
        return _terms(_accounts[account]);
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

    function _commit(uint256 account, uint256 window, uint256 units, uint256 point) private returns (uint256) {
        (uint256 round, uint256 place) = _ringOf(window);
        uint256 status = _inPhase(window, Phase.Commit);
        if (units > UNITS) revert Errors.BadUnits(units);
        uint256 side = units == 0 ? BUY : SELL;
        if (point == 0) revert Errors.BadCommitment(window);
        if (!_admits(account, side, openMode, block.timestamp)) revert Errors.NotAdmitted(msg.sender, uint8(side));
        mapping(uint256 => uint256) storage slots = _slots[msg.sender];
        uint256 old = slots[place];
        if (old.isCommitted(round)) {
            status = status.withoutCommitment(old.sideOf());
            account = _unpromise(account, old.unitsOf());
        } else {
            // A commitment that was never opened gives its energy back here at the latest.
            if (_requireDone(old, place)) account = _unpromise(account, old.unitsOf());
            account = _minus(account, msg.sender, _bond);
        }
        if (units != 0) account = _promise(account, msg.sender, units);
        uint256 slot = _sealed(account, round, units, window, point);
        slots[place] = slot;
        _status[window] = status.withCommitment(side).linked(slot, msg.sender);
        return account;
    }

    /// @dev The slot word of the caller's commitment; a seller's binds its device and deposit coefficient as they are now.
    function _sealed(uint256 account, uint256 round, uint256 units, uint256 window, uint256 point)
        private
        returns (uint256)
    {
        (uint256 terms, bytes32 fingerprint) = (0, bytes32(0));
        if (units != 0) {
            (terms, fingerprint) = (_terms(account) | (units << TERMS_UNITS_SHIFT), fingerprintOf[msg.sender]);
        }
        emit Committed(window, msg.sender, point, terms);
        return BidSlot.committed(round, units, window, point, terms, fingerprint);
    }

    /// @dev A seller's terms from its account's word: device, Q_max, and α_S between its bounds by the device's reliability
    /// (§6). α_S rounds up, the escrow gains.
    function _terms(uint256 account) internal view returns (uint256) {
        unchecked {
            uint256 reliability = (account >> RELIABILITY_SHIFT) & RELIABILITY_MASK;
            uint256 alpha = _alphaSeller - ((_alphaSeller - _alphaProven) * reliability) / Money.PPM;
            return (uint64(account >> DEVICE_SHIFT)) | (alpha << ALPHA_SHIFT);
        }
    }

    /// @dev A word of an earlier round may be overwritten only when nothing can be claimed for it any more (T17).
    /// Returns whether it is a forfeited commitment's.
    function _requireDone(uint256 slot, uint256 place) private view returns (bool forfeited) {
        uint256 kind = slot.kindOf();
        if (kind == BidSlot.RESOLVED || slot == 0) return false;
        uint256 window = slot.roundOf() * _ring + place;
        forfeited = kind == BidSlot.COMMITTED && _status[window].status() != STATUS_VOID;
        if (!forfeited) revert Errors.UnclaimedBid(msg.sender, window);
    }

    /// @dev Returns whether the opening was accepted. Refusals revert if `strict`, and change nothing otherwise.
    function _reveal(Opening calldata opening, bool strict) private returns (bool) {
        (uint256 round, uint256 place) = _placeOf(opening.window);
        mapping(uint256 => uint256) storage slots = _slots[opening.participant];
        uint256 slot = slots[place];
        uint256 side = slot.sideOf();
        (uint256 extra, bytes4 refusal) = _check(opening, slot, round);
        if (refusal != 0) {
            if (strict) revert Errors.OpeningRefused(opening.window, opening.participant, refusal);
            return false;
        }
        if (extra != 0) _take(opening.participant, extra);

        bytes memory bid = _enter(opening.curve, round, place, side);
        slots[place] = BidSlot.opened(round, slot, opening.window, opening.terms, bid);
        unchecked {
            _blinders[place] += Pedersen.hash(opening.blinder);
        }
        emit Revealed(opening.window, opening.participant, opening.blinder, bid);
        return true;
    }

    /// @dev Everything that can refuse an opening, in order of cost: the selector of the reason, or zero and what the
    /// opening takes from the free balance.
    function _check(Opening calldata opening, uint256 slot, uint256 round)
        private
        view
        returns (uint256 extra, bytes4 refusal)
    {
        // A commitment of this round exists only in a window that was opened, and an open window's phase is its time's.
        if (_phase(opening.window, STATUS_OPEN, block.timestamp) != Phase.Reveal) return (0, Errors.WrongPhase.selector);
        if (!slot.isCommitted(round)) return (0, Errors.NoCommitment.selector);
        uint256 side = slot.sideOf();
        (uint256 quantity, uint256 value, bool valid) = BidCurve.measure(opening.curve, side, _ticks);
        if (!valid) return (0, Errors.BadCurve.selector);
        if (side == SELL && quantity > _budget(opening.terms)) return (0, Errors.BeyondDevice.selector);
        // The blinder's range makes the opening unique (T4).
        if (opening.blinder == 0 || opening.blinder >= Pedersen.ORDER) return (0, Errors.BadBlinder.selector);
        if (_committedWord(opening, round, side) != slot) return (0, Errors.OpeningMismatch.selector);
        unchecked {
            extra = _locked(side, quantity, value, opening.terms) - _bond; // at least the bond is locked
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
        uint256 units = opening.terms >> TERMS_UNITS_SHIFT;
        return BidSlot.committed(round, units, opening.window, point, opening.terms, opening.fingerprint);
    }

    /// @dev The most that a seller's bid can offer: its units of Q_max, rounded down.
    function _budget(uint256 terms) private pure returns (uint256) {
        unchecked {
            return (_limitOf(terms) * (terms >> TERMS_UNITS_SHIFT)) / UNITS;
        }
    }

    /// @dev keccak256(domain ‖ chain id ‖ market ‖ window ‖ participant ‖ side ‖ device ‖ H_i ‖ curve) mod n (§5), each of
    /// the first eight in one word. Built in place: the copies that abi.encodePacked makes cost 400 gas an opening.
    function _message(Opening calldata opening, uint256 side) private view returns (uint256 message) {
        (bytes32 domain, uint256 order) = (DOMAIN, Pedersen.ORDER);
        (uint256 window, uint256 participant) = (opening.window, uint160(opening.participant));
        (uint256 device, bytes32 fingerprint) = (uint32(opening.terms), opening.fingerprint);
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

    function _limitOf(uint256 terms) internal pure returns (uint256) {
        return uint32(terms >> 32);
    }

    function _alphaOf(uint256 terms) internal pure returns (uint256) {
        return uint24(terms >> ALPHA_SHIFT);
    }

    /// @dev What an opened bid keeps locked until its claim: the worst-case deposit, towards which the bond counts (§6).
    /// A seller's worst case is its whole quantity at the grid's highest tick, a buyer's its own prices (at least tick 1).
    function _locked(uint256 side, uint256 quantity, uint256 value, uint256 terms) internal view returns (uint256) {
        uint256 reserve = side == SELL
            ? Money.deposit(_alphaOf(terms), quantity * (_ticks - 1), _tickSize)
            : Money.deposit(_alphaBuyer, value, _tickSize);
        return reserve > _bond ? reserve : _bond;
    }
}
