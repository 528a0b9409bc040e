// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.phaseOf(window): every deadline at t-1, t and t+1 (T9).
contract PhaseOfTest is Fixture {
    /// when the window is beyond the calendar > it reverts with WindowBeyondCalendar; the last window > it answers
    function testFuzz_RevertWhen_BeyondTheCalendar(uint256 window) external {
        window = bound(window, 8 * 65_536, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, window));
        market.phaseOf(window);
        _assertPhase(8 * 65_536 - 1, Calendar.Phase.NotOpen);
    }

    /// when a large ring would allow windows above 32 bits > it reverts with WindowBeyondCalendar
    function test_RevertWhen_AboveThirtyTwoBits() external {
        Calendar.Parameters memory p = _parameters();
        p.ring = type(uint32).max;
        _deploy(p, false);
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, 2 ** 32));
        market.phaseOf(2 ** 32);
        _assertPhase(2 ** 32 - 1, Calendar.Phase.NotOpen);
    }

    /// when nobody opened it > it is NotOpen at any time
    function testFuzz_NotOpened(uint64 time, uint16 window) external {
        vm.warp(time);
        _assertPhase(window, Calendar.Phase.NotOpen);
    }

    /// when it is open > it goes Commit, Reveal, Clearing, Lapsed at the deadlines
    function testFuzz_OpenWindow(uint256 window) external {
        window = bound(window, 0, 2);
        _open(window);
        _assertTurn(window, _commitDeadline(window), Calendar.Phase.Commit, Calendar.Phase.Reveal);
        _assertTurn(window, _revealDeadline(window), Calendar.Phase.Reveal, Calendar.Phase.Clearing);
        _assertTurn(window, _lapse(window), Calendar.Phase.Clearing, Calendar.Phase.Lapsed);
        vm.warp(_end(window) + 365 days);
        _assertPhase(window, Calendar.Phase.Lapsed);
    }

    /// when it has traded > it goes Payment, Delivery, Settlement at the deadlines
    function test_TradedWindow() external {
        _cleared();
        _assertPhase(W, Calendar.Phase.Payment);
        _assertTurn(W, _paymentDeadline(W), Calendar.Phase.Payment, Calendar.Phase.Delivery);
        _assertTurn(W, _readingsClose(W), Calendar.Phase.Delivery, Calendar.Phase.Settlement);
    }

    /// when it was cleared without a trade > it is NoTrade for ever
    function testFuzz_NoTradeWindow(uint32 later) external {
        _open(W);
        _toReveal(W);
        market.clear(W);
        skip(later);
        _assertPhase(W, Calendar.Phase.NoTrade);
    }

    /// when it was voided > it is Void for ever
    function testFuzz_VoidWindow(uint32 later) external {
        _open(W);
        vm.warp(_lapse(W));
        market.voidWindow(W);
        skip(later);
        _assertPhase(W, Calendar.Phase.Void);
    }

    function _assertTurn(uint256 window, uint256 deadline, Calendar.Phase before, Calendar.Phase from) private {
        vm.warp(deadline - 1);
        _assertPhase(window, before);
        vm.warp(deadline);
        _assertPhase(window, from);
        vm.warp(deadline + 1);
        _assertPhase(window, from);
    }
}
