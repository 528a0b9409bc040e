// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.open(first, count).
contract OpenTest is Fixture {
    uint256 private constant RING = 8;

    /// when the window is beyond the calendar > it reverts with WindowBeyondCalendar
    function testFuzz_RevertWhen_BeyondTheCalendar(uint256 window) external {
        window = bound(window, RING * 65_536, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, window));
        market.open(window, 1);
    }

    /// when the window was opened already > it reverts with WrongPhase
    function test_RevertWhen_OpenedAlready() external {
        _open(W);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Commit));
        market.open(W, 1);
    }

    /// when the window was opened and is over > it reverts with WrongPhase
    function test_RevertWhen_Over() external {
        _cleared();
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Payment));
        market.open(W, 1);
    }

    /// when the commit deadline has passed > it reverts with WrongPhase; a second before > it opens (T9)
    function test_TheCommitDeadlineIsTooLate() external {
        for (uint256 i; i < 2; ++i) {
            vm.warp(_commitDeadline(W) + i);
            vm.expectRevert(_wrongPhase(W, Calendar.Phase.NotOpen));
            market.open(W, 1);
        }
        vm.warp(_commitDeadline(W) - 1);
        market.open(W, 1);
        _assertPhase(W, Calendar.Phase.Commit);
    }

    /// when the start is a ring ahead or more > it reverts with TooEarlyToOpen; less than one ring ahead > it opens (T17)
    function test_OneRingAheadIsTooEarly() external {
        uint256 window = 3;
        vm.warp(_start(window) - RING * 900);
        vm.expectRevert(abi.encodeWithSelector(Errors.TooEarlyToOpen.selector, window));
        market.open(window, 1);
        vm.warp(_start(window) - RING * 900 + 1);
        market.open(window, 1);
        _assertPhase(window, Calendar.Phase.Commit);
    }

    /// when the start is a ring ahead or more > it reverts with TooEarlyToOpen, at any distance
    function testFuzz_RevertWhen_TooEarly(uint256 window) external {
        window = bound(window, RING, RING * 65_536 - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.TooEarlyToOpen.selector, window));
        market.open(window, 1);
    }

    /// when the place holds a window that is neither cleared nor void > it reverts with RingOccupied (T17)
    function test_RevertWhen_ThePlaceIsOccupied() external {
        _open(W);
        vm.warp(_start(RING) - 4000);
        vm.expectRevert(abi.encodeWithSelector(Errors.RingOccupied.selector, RING, W));
        market.open(RING, 1);
    }

    /// when the place's last window is void > it opens
    function test_OpensAfterAVoidWindow() external {
        _open(W);
        vm.warp(_start(RING) - 4000);
        market.voidWindow(W);
        market.open(RING, 1);
        _assertPhase(RING, Calendar.Phase.Commit);
    }

    /// when the place's last window is cleared > it opens
    function test_OpensAfterAClearedWindow() external {
        _cleared();
        vm.warp(_start(RING) - 4000);
        market.open(RING, 1);
        _assertPhase(RING, Calendar.Phase.Commit);
    }

    /// when all is well > it opens every window of the range
    function testFuzz_OpensTheRange(uint256 first, uint256 count) external {
        // at ORIGIN - 5000 windows 0, 1 and 2 start less than a ring ahead and after the commit lead
        first = bound(first, 0, 2);
        count = bound(count, 0, 3 - first);
        market.open(first, count);
        for (uint256 i; i < 3; ++i) {
            bool inside = i >= first && i < first + count;
            _assertPhase(i, inside ? Calendar.Phase.Commit : Calendar.Phase.NotOpen);
        }
    }

    /// when all is well > it emits WindowOpened
    function test_Emits() external {
        vm.expectEmit(address(market));
        emit Bidding.WindowOpened(W);
        market.open(W, 1);
    }
}
