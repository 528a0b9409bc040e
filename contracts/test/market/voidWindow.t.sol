// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.voidWindow(window).
contract VoidWindowTest is Fixture {
    /// when the window is beyond the calendar > it reverts with WindowBeyondCalendar
    function test_RevertWhen_BeyondTheCalendar() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, 8 * 65_536));
        market.voidWindow(8 * 65_536);
    }

    /// when the window was never opened > it reverts with WrongPhase
    function testFuzz_RevertWhen_NotOpened(uint32 later) external {
        skip(later);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.NotOpen));
        market.voidWindow(W);
    }

    /// when it may still be cleared > it reverts with WrongPhase, a second before the lapse too (T9)
    function test_RevertWhen_ItMayStillBeCleared() external {
        _open(W);
        vm.warp(_lapse(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Clearing));
        market.voidWindow(W);
    }

    /// when it was cleared > it reverts with WrongPhase
    function test_RevertWhen_Cleared() external {
        _cleared();
        vm.warp(_lapse(W));
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Payment));
        market.voidWindow(W);
    }

    /// when it has lapsed > anybody may void it, at the lapse and ever after
    function testFuzz_AnybodyMayVoid(address caller, uint32 later) external {
        _open(W);
        vm.warp(_lapse(W) + later);
        vm.prank(caller);
        market.voidWindow(W);
        _assertPhase(W, Calendar.Phase.Void);
    }

    /// when it was voided > everybody gets everything back, opened or not (T16)
    function testFuzz_EverybodyGetsEverythingBack(uint16 tick, uint32 width, bool opened) external {
        _open(W);
        tick = uint16(bound(tick, 0, 63));
        Issue.Claim memory c;
        bytes memory curve = _one(tick, bound(width, 1, 20_000));
        if (opened) {
            Bidding.Opening memory o = _commit(W, seller, SELL, curve);
            _toReveal(W);
            c = _reveal(o);
        } else {
            _commit(W, seller, SELL, curve);
        }
        vm.warp(_lapse(W));
        market.voidWindow(W);
        if (opened) market.claim(c);
        else market.refundCommitment(W, seller);
        assertEq(market.balanceOf(seller), FUNDS, "everything");
    }
}
