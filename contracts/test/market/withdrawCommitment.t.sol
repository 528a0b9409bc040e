// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {BidSlot} from "../../src/lib/BidSlot.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.withdrawCommitment(window).
contract WithdrawCommitmentTest is Fixture {
    function setUp() public override {
        super.setUp();
        _open(W);
    }

    /// when the window is beyond the calendar > it reverts with WindowBeyondCalendar
    function test_RevertWhen_BeyondTheCalendar() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, 8 * 65_536));
        market.withdrawCommitment(8 * 65_536);
    }

    /// when the commit deadline has passed > it reverts with WrongPhase; a second before > it withdraws (T9)
    function test_TheDeadlineIsTooLate() external {
        _commit(W, buyer, BUY, _one(1, 1));
        for (uint256 i; i < 2; ++i) {
            vm.warp(_commitDeadline(W) + i);
            vm.expectRevert(_wrongPhase(W, Calendar.Phase.Reveal));
            vm.prank(buyer);
            market.withdrawCommitment(W);
        }
        vm.warp(_commitDeadline(W) - 1);
        vm.prank(buyer);
        market.withdrawCommitment(W);
    }

    /// when the caller has no commitment > it reverts with NoCommitment, whoever else has one (T20)
    function testFuzz_RevertWhen_NoCommitment(address caller) external {
        vm.assume(caller != buyer);
        _commit(W, buyer, BUY, _one(1, 1));
        vm.expectRevert(abi.encodeWithSelector(Errors.NoCommitment.selector, W, caller));
        vm.prank(caller);
        market.withdrawCommitment(W);
    }

    /// when it was withdrawn already > it reverts with NoCommitment (T10)
    function test_RevertWhen_WithdrawnAlready() external {
        _commit(W, buyer, BUY, _one(1, 1));
        vm.startPrank(buyer);
        market.withdrawCommitment(W);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoCommitment.selector, W, buyer));
        market.withdrawCommitment(W);
        vm.stopPrank();
    }

    /// when there is a commitment > it gives the bond back and counts one less
    function testFuzz_GivesTheBondBack(bool sells) external {
        address account = sells ? seller : buyer;
        _commit(W, account, sells ? SELL : BUY, _one(1, 1));
        vm.expectEmit(address(market));
        emit Bidding.CommitmentWithdrawn(W, account);
        vm.prank(account);
        market.withdrawCommitment(W);
        assertEq(market.balanceOf(account), FUNDS, "bond");
        (, uint256 sellers, uint256 buyers,,) = market.statusOf(W);
        assertEq(sellers + buyers, 0, "no commitment is left");
        assertEq(market.slotOf(W, account), BidSlot.resolved(0), "slot");
    }

    /// when there is a seller's commitment > its energy is free again, and no other window's
    function testFuzz_FreesItsEnergy(uint8 units, uint8 others) external {
        _open(W + 1);
        _commitUnits(W, seller, bound(units, 1, 64), _one(1, 1));
        _commitUnits(W + 1, seller, bound(others, 1, 64), _one(1, 1));
        assertEq(_promised(seller), bound(units, 1, 64) + bound(others, 1, 64), "both");
        vm.prank(seller);
        market.withdrawCommitment(W);
        assertEq(_promised(seller), bound(others, 1, 64), "the other's");
    }

    /// when it was withdrawn > a new commitment takes the bond again
    function test_CommitsAgain() external {
        _commit(W, buyer, BUY, _one(1, 1));
        vm.prank(buyer);
        market.withdrawCommitment(W);
        _commit(W, buyer, BUY, _one(1, 1));
        assertEq(market.balanceOf(buyer), FUNDS - BOND, "bond");
    }
}
