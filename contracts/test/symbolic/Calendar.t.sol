// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";

/// @dev A calendar of given leads, with its one decision in the open.
contract OpenCalendar is Calendar {
    constructor(Parameters memory p) Calendar(p) {}

    function phase(uint256 window, uint256 status, uint256 time) external view returns (Phase) {
        return _phase(window, status, time);
    }
}

/// @notice Proofs that every moment of every window has exactly one phase, as §2 says, and that time never goes back (T9).
/// @dev Two calendars stand for all: one with time between all deadlines, one where those that may coincide do.
contract CalendarProofs {
    OpenCalendar private immutable _wide;
    OpenCalendar private immutable _tight;

    uint256 private constant ORIGIN = 1_800_000_000;
    uint256 private constant LENGTH = 900;

    constructor() {
        _wide = new OpenCalendar(_parameters(3600, 1800, 300, 900, 600));
        _tight = new OpenCalendar(_parameters(3, 2, 0, 2, 0));
    }

    /// @notice The phase is the one that the deadlines say, and no other.
    function check_everyMomentHasItsPhase(uint32 window, uint8 status, uint64 time) external view {
        _checkMoment(_wide, [uint256(3600), 1800, 300, 900, 600], window, status, time);
        _checkMoment(_tight, [uint256(3), 2, 0, 2, 0], window, status, time);
    }

    /// @notice While the status stands, a later moment has the same phase or a later one.
    function check_phasesFollowTime(uint32 window, uint8 status, uint64 time, uint64 later) external view {
        require(time <= later);
        assert(uint8(_wide.phase(window, status, time)) <= uint8(_wide.phase(window, status, later)));
        assert(uint8(_tight.phase(window, status, time)) <= uint8(_tight.phase(window, status, later)));
    }

    /// @notice A deadline belongs to the phase that follows it.
    function check_deadlinesAreSharp(uint32 window) external view {
        uint256 start = ORIGIN + uint256(window) * LENGTH;
        _edge(window, 1, start - 3600, Calendar.Phase.Commit, Calendar.Phase.Reveal);
        _edge(window, 1, start - 1800, Calendar.Phase.Reveal, Calendar.Phase.Clearing);
        _edge(window, 1, start - 1800 + 900, Calendar.Phase.Clearing, Calendar.Phase.Lapsed);
        _edge(window, 2, start - 300, Calendar.Phase.Payment, Calendar.Phase.Delivery);
        _edge(window, 2, start + LENGTH + 600, Calendar.Phase.Delivery, Calendar.Phase.Settlement);
    }

    function _checkMoment(OpenCalendar calendar, uint256[5] memory lead, uint256 window, uint8 status, uint256 time)
        private
        view
    {
        Calendar.Phase p = calendar.phase(window, status, time);
        uint256 start = ORIGIN + window * LENGTH;
        bool open = status == 1;
        bool traded = status == 2;
        assert((p == Calendar.Phase.Commit) == (open && time < start - lead[0]));
        assert((p == Calendar.Phase.Reveal) == (open && time >= start - lead[0] && time < start - lead[1]));
        uint256 lapse = start - lead[1] + lead[3];
        assert((p == Calendar.Phase.Clearing) == (open && time >= start - lead[1] && time < lapse));
        assert((p == Calendar.Phase.Lapsed) == (open && time >= lapse));
        assert((p == Calendar.Phase.Payment) == (traded && time < start - lead[2]));
        uint256 close = start + LENGTH + lead[4];
        assert((p == Calendar.Phase.Delivery) == (traded && time >= start - lead[2] && time < close));
        assert((p == Calendar.Phase.Settlement) == (traded && time >= close));
        assert((p == Calendar.Phase.NoTrade) == (status == 3));
        assert((p == Calendar.Phase.Void) == (status == 4));
        assert((p == Calendar.Phase.NotOpen) == (status == 0 || status > 4));
    }

    function _edge(uint256 window, uint256 status, uint256 deadline, Calendar.Phase before, Calendar.Phase from)
        private
        view
    {
        assert(_wide.phase(window, status, deadline - 1) == before);
        assert(_wide.phase(window, status, deadline) == from);
    }

    function _parameters(uint32 commitLead, uint32 revealLead, uint32 paymentLead, uint32 voidDelay, uint32 grace)
        private
        pure
        returns (Calendar.Parameters memory)
    {
        return Calendar.Parameters({
            origin: uint64(ORIGIN),
            length: uint32(LENGTH),
            subSlot: 300,
            commitLead: commitLead,
            revealLead: revealLead,
            paymentLead: paymentLead,
            readingGrace: grace,
            voidDelay: voidDelay,
            ring: 96,
            ticks: 4096,
            priceRule: 0,
            rationing: 0,
            tickSize: 100,
            bond: 500,
            alphaSeller: 200_000,
            alphaBuyer: 200_000,
            efficiency: 950_000,
            tolerance: 980_000,
            alphaProven: 50_000,
            reliabilityGain: 100_000
        });
    }
}
