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

    /// when the window is neither cleared nor void > it reverts with WrongPhase, in every phase before
    function test_RevertWhen_NotEnded() external {
        vm.expectRevert(_wrongPhase(W + 1, Calendar.Phase.NotOpen));
        market.refundCommitment(W + 1, seller);
        _commit(W, seller, SELL, _one(1, 1));
        Calendar.Phase[4] memory phases =
            [Calendar.Phase.Commit, Calendar.Phase.Reveal, Calendar.Phase.Clearing, Calendar.Phase.Lapsed];
        uint256[4] memory times = [block.timestamp, _commitDeadline(W), _revealDeadline(W), _lapse(W)];
        for (uint256 i; i < 4; ++i) {
            vm.warp(times[i]);
            vm.expectRevert(_wrongPhase(W, phases[i]));
            market.refundCommitment(W, seller);
        }
        assertEq(_promised(seller), ALL_UNITS, "its energy stays promised");
    }

    /// when the window was cleared > the bond stays forfeited, and the energy of a seller's commitment is free again
    function testFuzz_FreesTheEnergyOfAForfeitedCommitment(address caller, uint8 units, uint32 later) external {
        uint256 held = bound(units, 1, 64);
        _commitUnits(W, seller, held, _one(1, 1));
        vm.warp(_revealDeadline(W));
        market.clear(W);
        skip(later);
        vm.expectEmit(address(market));
        emit Issue.Refunded(W, seller, 0);
        vm.prank(caller);
        market.refundCommitment(W, seller);
        assertEq(market.balanceOf(seller), FUNDS - BOND, "the bond is lost");
        assertEq(_promised(seller), 0, "energy");
        assertEq(market.slotOf(W, seller), BidSlot.resolved(0), "slot");
        assertEq(market.balanceOf(treasury), BOND, "and is the treasury's, once");
    }

    /// when the window traded > a forfeited commitment's energy is free in payment, delivery and settlement alike
    function test_FreesInEveryPhaseAfterTheClearing() external {
        _commitUnits(W, seller2, 7, _one(1, 1));
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 1000));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 1000));
        _toReveal(W);
        market.reveal(a);
        market.reveal(b);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        Calendar.Phase[3] memory phases =
            [Calendar.Phase.Payment, Calendar.Phase.Delivery, Calendar.Phase.Settlement];
        uint256[3] memory times = [block.timestamp, _paymentDeadline(W), _readingsClose(W)];
        for (uint256 i; i < 3; ++i) {
            vm.warp(times[i]);
            _assertPhase(W, phases[i]);
            uint256 before = vm.snapshotState();
            market.refundCommitment(W, seller2);
            assertEq(_promised(seller2), 0, "energy");
            assertEq(market.balanceOf(seller2), FUNDS - BOND, "the bond is the buyers'");
            vm.revertToState(before);
        }
    }

    /// when the window is void > a seller gets bond and energy back
    function testFuzz_AVoidWindowGivesBondAndEnergyBack(uint8 units) external {
        _commitUnits(W, seller, bound(units, 1, 64), _one(1, 1));
        _void();
        market.refundCommitment(W, seller);
        assertEq(market.balanceOf(seller), FUNDS, "bond");
        assertEq(_promised(seller), 0, "energy");
    }

    /// when the place was used again > it reverts with NoCommitment: the energy came back then, and only once
    function test_RevertWhen_ThePlaceWasUsedAgain() external {
        _commitUnits(W, seller, 5, _one(1, 1));
        vm.warp(_revealDeadline(W));
        market.clear(W);
        uint256 later = W + market.calendar().ring;
        vm.warp(_start(W) + 1);
        _open(later);
        _commitUnits(later, seller, 3, _one(1, 1));
        assertEq(_promised(seller), 3, "the later one's alone");
        vm.expectRevert(abi.encodeWithSelector(Errors.NoCommitment.selector, W, seller));
        market.refundCommitment(W, seller);
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
