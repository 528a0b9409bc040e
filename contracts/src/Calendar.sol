// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "./lib/Errors.sol";
import {PriceBook} from "./lib/PriceBook.sol";
import {Rationing} from "./lib/Rationing.sol";

/// @title The calendar of delivery windows, and the one function that decides a window's phase (T9).
/// @notice Window w is delivered in [origin + w·length, origin + (w+1)·length). All times are unix seconds; a deadline
/// itself belongs to the phase that follows it.
abstract contract Calendar {
    enum Phase {
        NotOpen, // nobody opened the window yet, or its commit deadline passed unopened
        Commit, // sealed commitments
        Reveal, // openings
        Clearing, // may be cleared by anyone
        Lapsed, // was not cleared in time: may be voided by anyone
        Payment, // cleared: claims and payments
        Delivery, // readings and draws
        Settlement, // final settlement
        NoTrade, // cleared without a trade
        Void // never cleared: everybody gets everything back
    }

    struct Parameters {
        uint64 origin; // start of window 0's delivery
        uint32 length; // of a window, seconds
        uint32 subSlot; // seconds; divides length; at most 96 a window
        uint32 commitLead; // the commit deadline is this long before the start
        uint32 revealLead; // the reveal deadline
        uint32 paymentLead; // the payment deadline
        uint32 readingGrace; // readings are accepted this long after the end
        uint32 voidDelay; // a window not cleared this long after the reveal deadline lapses
        uint32 ring; // windows w and w + ring share storage
        uint16 ticks; // the price grid is 0 .. ticks-1
        uint8 priceRule; // 0 lowest, 1 midpoint, 2 seed
        uint8 rationing; // 0 pro rata, 1 seeded order
        uint96 tickSize; // base units per kWh and tick
        uint96 bond; // base units a commitment
        uint32 alphaSeller; // ppm, of a seller without a record; see alphaProven
        uint32 alphaBuyer; // ppm
        uint32 efficiency; // η, contractual, ppm
        uint32 tolerance; // ppm; from this ρ on the whole deposit is released
        uint32 alphaProven; // ppm, of a seller whose reliability is 1; at most alphaSeller
        uint32 reliabilityGain; // γ, ppm: how much one window's ρ moves the reliability; 0 keeps α_S fixed
    }

    // What a window's stored status can be.
    uint8 internal constant STATUS_NONE = 0;
    uint8 internal constant STATUS_OPEN = 1;
    uint8 internal constant STATUS_TRADED = 2;
    uint8 internal constant STATUS_NO_TRADE = 3;
    uint8 internal constant STATUS_VOID = 4;

    uint8 internal constant PRICE_LOWEST = 0;
    uint8 internal constant PRICE_MIDPOINT = 1;
    uint8 internal constant PRICE_SEED = 2;

    uint256 private constant PPM = 1e6;
    uint256 private constant MAX_SUB_SLOTS = 96;
    /// @dev The upper price needs a second group of leaves, so the grid is halved to keep `clear` below its gas bound.
    uint256 private constant MAX_TICKS_FOR_INTERVAL = 8192;

    uint256 internal immutable _origin;
    uint256 internal immutable _length;
    uint256 internal immutable _subSlot;
    uint256 internal immutable _commitLead;
    uint256 internal immutable _revealLead;
    uint256 internal immutable _paymentLead;
    uint256 internal immutable _readingGrace;
    uint256 internal immutable _voidDelay;
    uint256 internal immutable _ring;
    uint256 internal immutable _ticks;
    uint8 internal immutable _priceRule;
    uint8 internal immutable _rationing;
    uint256 internal immutable _tickSize;
    uint256 internal immutable _bond;
    uint256 internal immutable _alphaSeller;
    uint256 internal immutable _alphaBuyer;
    uint256 internal immutable _efficiency;
    uint256 internal immutable _tolerance;
    uint256 internal immutable _alphaProven;
    uint256 internal immutable _reliabilityGain;

    constructor(Parameters memory p) {
        _validate(p);
        _origin = p.origin;
        _length = p.length;
        _subSlot = p.subSlot;
        _commitLead = p.commitLead;
        _revealLead = p.revealLead;
        _paymentLead = p.paymentLead;
        _readingGrace = p.readingGrace;
        _voidDelay = p.voidDelay;
        _ring = p.ring;
        _ticks = p.ticks;
        _priceRule = p.priceRule;
        _rationing = p.rationing;
        _tickSize = p.tickSize;
        _bond = p.bond;
        _alphaSeller = p.alphaSeller;
        _alphaBuyer = p.alphaBuyer;
        _efficiency = p.efficiency;
        _tolerance = p.tolerance;
        _alphaProven = p.alphaProven;
        _reliabilityGain = p.reliabilityGain;
    }

    /// @notice The calendar, as it was given at deployment.
    function calendar() public view returns (Parameters memory p) {
        p.origin = uint64(_origin);
        p.length = uint32(_length);
        p.subSlot = uint32(_subSlot);
        p.commitLead = uint32(_commitLead);
        p.revealLead = uint32(_revealLead);
        p.paymentLead = uint32(_paymentLead);
        p.readingGrace = uint32(_readingGrace);
        p.voidDelay = uint32(_voidDelay);
        p.ring = uint32(_ring);
        p.ticks = uint16(_ticks);
        p.priceRule = _priceRule;
        p.rationing = _rationing;
        p.tickSize = uint96(_tickSize);
        p.bond = uint96(_bond);
        p.alphaSeller = uint32(_alphaSeller);
        p.alphaBuyer = uint32(_alphaBuyer);
        p.efficiency = uint32(_efficiency);
        p.tolerance = uint32(_tolerance);
        p.alphaProven = uint32(_alphaProven);
        p.reliabilityGain = uint32(_reliabilityGain);
    }

    /// @dev The one decision of a window's phase, from its stored status and the time.
    function _phase(uint256 window, uint256 status, uint256 time) internal view returns (Phase) {
        unchecked {
            uint256 start = _startOf(window);
            if (status == STATUS_OPEN) {
                if (time < start - _commitLead) return Phase.Commit;
                if (time < start - _revealLead) return Phase.Reveal;
                if (time < start - _revealLead + _voidDelay) return Phase.Clearing;
                return Phase.Lapsed;
            }
            if (status == STATUS_TRADED) {
                if (time < start - _paymentLead) return Phase.Payment;
                if (time < start + _length + _readingGrace) return Phase.Delivery;
                return Phase.Settlement;
            }
            if (status == STATUS_NO_TRADE) return Phase.NoTrade;
            if (status == STATUS_VOID) return Phase.Void;
            return Phase.NotOpen;
        }
    }

    /// @dev Start of the window's delivery. The caller has checked that the window lies in the calendar.
    function _startOf(uint256 window) internal view returns (uint256) {
        unchecked {
            return _origin + window * _length;
        }
    }

    /// @dev The window's round and place in the ring.
    function _ringOf(uint256 window) internal view returns (uint256 round, uint256 place) {
        (round, place) = _placeOf(window);
        if (round > type(uint16).max || window > type(uint32).max) revert Errors.WindowBeyondCalendar(window);
    }

    /// @dev The same for any number, even beyond the calendar, where no slot word can have the round.
    function _placeOf(uint256 window) internal view returns (uint256 round, uint256 place) {
        uint256 ring = _ring;
        assembly ("memory-safe") {
            // The constructor refused a ring of zero, so Solidity's check of the divisor is not needed.
            round := div(window, ring)
            place := mod(window, ring)
        }
    }

    function _validate(Parameters memory p) private pure {
        if (p.length == 0) revert Errors.BadCalendar(1);
        if (p.subSlot == 0 || p.length % p.subSlot != 0 || p.length / p.subSlot > MAX_SUB_SLOTS) {
            revert Errors.BadCalendar(2);
        }
        if (p.commitLead <= p.revealLead || p.origin <= p.commitLead) revert Errors.BadCalendar(3);
        if (p.revealLead <= p.paymentLead) revert Errors.BadCalendar(4);
        if (p.voidDelay == 0 || p.voidDelay > p.revealLead - p.paymentLead) revert Errors.BadCalendar(7);
        // A window opens less than one ring before its start; the ring must reach beyond the commit deadline.
        if (uint256(p.ring) * p.length <= uint256(p.commitLead) + 1) revert Errors.BadCalendar(8);
        if (p.ticks < 2 || p.ticks > PriceBook.MAX_TICKS) revert Errors.BadCalendar(9);
        if (p.priceRule > PRICE_SEED) revert Errors.BadCalendar(10);
        if (p.priceRule != PRICE_LOWEST && p.ticks > MAX_TICKS_FOR_INTERVAL) revert Errors.BadCalendar(9);
        if (p.rationing > Rationing.SEEDED_ORDER) revert Errors.BadCalendar(11);
        if (p.tickSize == 0) revert Errors.BadCalendar(12);
        if (p.alphaSeller == 0 || p.alphaSeller > PPM) revert Errors.BadCalendar(14);
        if (p.alphaBuyer == 0 || p.alphaBuyer > PPM) revert Errors.BadCalendar(15);
        if (p.efficiency == 0 || p.efficiency > PPM) revert Errors.BadCalendar(16);
        if (p.tolerance == 0 || p.tolerance > PPM) revert Errors.BadCalendar(17);
        if (p.alphaProven == 0 || p.alphaProven > p.alphaSeller) revert Errors.BadCalendar(18);
        if (p.reliabilityGain > PPM) revert Errors.BadCalendar(19);
    }
}
