// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {BidSlot} from "../../src/lib/BidSlot.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.refundCommitment(window, participant).
contract RefundCommitmentTest is Fixture {
    function setUp() public override {
        super.setUp();
        _open(W);
    }

    /// when the window is beyond the calendar > it reverts with WindowBeyondCalendar
    function test_RevertWhen_BeyondTheCalendar() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, 8 * 65_536));
        market.refundCommitment(8 * 65_536, buyer);
    }

    /// when the window is not void > it reverts with WrongPhase, lapsed or cleared
    function test_RevertWhen_NotVoid() external {
        _commit(W, buyer, BUY, _one(1, 1));
        vm.warp(_lapse(W));
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Lapsed));
        market.refundCommitment(W, buyer);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.NoTrade));
        market.refundCommitment(W, buyer);
    }

    /// when the participant has no unopened commitment > it reverts with NoCommitment
    function testFuzz_RevertWhen_NoCommitment(address account) external {
        vm.assume(account != buyer);
        _commit(W, buyer, BUY, _one(1, 1));
        _void();
        vm.expectRevert(abi.encodeWithSelector(Errors.NoCommitment.selector, W, account));
        market.refundCommitment(W, account);
    }

    /// when the commitment was opened > it reverts with NoCommitment: its claim refunds it
    function test_RevertWhen_Opened() external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(1, 1));
        _toReveal(W);
        market.reveal(o);
        _void();
        vm.expectRevert(abi.encodeWithSelector(Errors.NoCommitment.selector, W, buyer));
        market.refundCommitment(W, buyer);
    }

    /// when it was refunded already > it reverts with NoCommitment (T10)
    function test_RevertWhen_RefundedAlready() external {
        _commit(W, buyer, BUY, _one(1, 1));
        _void();
        market.refundCommitment(W, buyer);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoCommitment.selector, W, buyer));
        market.refundCommitment(W, buyer);
    }

    /// when the commitment was never opened > anybody may have its bond given back (T13, T16)
    function testFuzz_AnybodyMayRefund(address caller, uint32 later) external {
        _commit(W, buyer, BUY, _one(1, 1));
        _void();
        skip(later);
        vm.expectEmit(address(market));
        emit Issue.Refunded(W, buyer, BOND);
        vm.prank(caller);
        market.refundCommitment(W, buyer);
        assertEq(market.balanceOf(buyer), FUNDS, "bond");
        assertEq(market.slotOf(W, buyer), BidSlot.resolved(0), "slot");
    }

    function _void() private {
        vm.warp(_lapse(W));
        market.voidWindow(W);
    }
}
