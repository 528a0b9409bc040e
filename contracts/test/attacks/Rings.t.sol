// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Issue} from "../../src/Issue.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Attacks on deadlines, on endings, and on the storage that windows share (T9, T16, T17, T39).
contract RingAttacks is Fixture {
    /// Every deadline, one second before, at, and after it: the phase changes at the deadline and never goes back.
    function test_T09_EveryDeadlineIsSharp() external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 1000));
        _commit(W, buyer, BUY, _one(20, 1000));
        _edge(_commitDeadline(W), Calendar.Phase.Commit, Calendar.Phase.Reveal);
        vm.warp(_commitDeadline(W) - 1);
        vm.expectRevert(_refused(a, Errors.WrongPhase.selector));
        market.reveal(a);
        vm.warp(_commitDeadline(W));
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Reveal));
        vm.prank(buyer);
        market.withdrawCommitment(W);

        _edge(_revealDeadline(W), Calendar.Phase.Reveal, Calendar.Phase.Clearing);
        vm.warp(_revealDeadline(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Reveal));
        market.clear(W);
        vm.warp(_revealDeadline(W));
        vm.expectRevert(_refused(a, Errors.WrongPhase.selector));
        market.reveal(a);

        _edge(_lapse(W), Calendar.Phase.Clearing, Calendar.Phase.Lapsed);
        vm.warp(_lapse(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Clearing));
        market.voidWindow(W);
        vm.warp(_lapse(W));
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Lapsed));
        market.clear(W);
    }

    /// The deadlines after a clearing.
    function test_T09_TheDeadlinesAfterTheClearingAreSharp() external {
        (uint256 sellerRight, uint256 buyerRight) = _issued();
        _edge(_paymentDeadline(W), Calendar.Phase.Payment, Calendar.Phase.Delivery);
        vm.warp(_paymentDeadline(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Payment));
        delivery.draw(sellerRight);
        _edge(_readingsClose(W), Calendar.Phase.Delivery, Calendar.Phase.Settlement);
        vm.warp(_readingsClose(W) - 1);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Delivery));
        delivery.settle(sellerRight);
        vm.warp(_readingsClose(W));
        delivery.settle(sellerRight);
        delivery.settle(buyerRight);
    }

    /// One opening is missing: nobody can clear early, and so shut it out.
    function test_T09_NobodyClearsEarlyWhileAnOpeningIsMissing() external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 1000));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 1000));
        _toReveal(W);
        market.reveal(a);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Reveal));
        market.clear(W);
        market.reveal(b);
        market.clear(W);
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Payment));
        market.clear(W);
    }

    /// Nobody clears the window: everybody, also who never revealed, gets everything back, and by anybody's hand.
    function test_T16_AWindowNobodyClearsGivesEverythingBack() external {
        (Issue.Claim memory s,) = _pair(_one(10, 1000), _one(20, 1000));
        vm.warp(_lapse(W));
        vm.prank(stranger);
        market.voidWindow(W);
        vm.startPrank(stranger);
        market.claim(s);
        market.claim(Issue.Claim(uint32(W), buyer, 0, bytes.concat(_one(20, 1000), bytes6(0))));
        vm.stopPrank();
        assertEq(market.balanceOf(seller), FUNDS);
        assertEq(market.balanceOf(buyer), FUNDS);
        vm.startPrank(seller);
        market.withdraw(seller, FUNDS);
        vm.stopPrank();
    }

    /// An unopened commitment in a window nobody cleared: its bond comes back too, once.
    function test_T16_UnrevealedBondsComeBackFromAVoidWindow() external {
        _open(W);
        _commit(W, buyer, BUY, _one(20, 1000));
        vm.warp(_lapse(W));
        market.voidWindow(W);
        market.refundCommitment(W, buyer);
        assertEq(market.balanceOf(buyer), FUNDS);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoCommitment.selector, W, buyer));
        market.refundCommitment(W, buyer);
    }

    /// Every buyer defaults: the sellers get the deposits, and nothing stays behind.
    function test_T16_NothingStaysWhenEveryBuyerDefaults() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        _drain(buyer, 0);
        market.claim(s);
        market.claim(b);
        _drain(buyer, 0);
        vm.warp(_paymentDeadline(W));
        market.declareDefault(_right(W, BUY, buyer));
        vm.warp(_readingsClose(W));
        delivery.settle(_right(W, SELL, seller));
        (uint256 pool, uint256 escrow,,) = market.moneyOf(W);
        assertEq(pool + escrow, 0);
        assertEq(market.balanceOf(seller), FUNDS + 200, "its deposit, and the buyer's");
    }

    /// The next round's window is opened while the old one still holds the place.
    function test_T17_AWindowCannotTakeAPlaceThatIsInUse() external {
        _open(W);
        _commit(W, buyer, BUY, _one(20, 1000));
        uint256 later = W + market.calendar().ring;
        vm.warp(_start(W));
        vm.expectRevert(abi.encodeWithSelector(Errors.TooEarlyToOpen.selector, later));
        _open(later);
        vm.warp(_start(W) + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.RingOccupied.selector, later, W));
        _open(later);
        market.voidWindow(W);
        _open(later);
    }

    /// An unclaimed bid would be overwritten by the next round's commitment: money gone. It must be claimed first.
    function test_T17_AnUnclaimedBidIsNotOverwritten() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _cleared();
        uint256 later = W + market.calendar().ring;
        vm.warp(_start(W) + 1);
        _open(later);
        vm.expectRevert(abi.encodeWithSelector(Errors.UnclaimedBid.selector, buyer, W));
        vm.prank(buyer);
        market.commit(later, NO_UNITS, 1);
        market.claim(s);
        market.claim(b);
        vm.prank(buyer);
        market.commit(later, NO_UNITS, 1);
        _assertConserved(W, BOND);
    }

    /// A bond in a void window is not overwritten either; one that was forfeited is.
    function test_T17_ABondThatIsDueIsNotOverwritten() external {
        _open(W);
        _commit(W, buyer, BUY, _one(20, 1000));
        uint256 later = W + market.calendar().ring;
        vm.warp(_start(W) + 1);
        market.voidWindow(W);
        _open(later);
        vm.expectRevert(abi.encodeWithSelector(Errors.UnclaimedBid.selector, buyer, W));
        vm.prank(buyer);
        market.commit(later, NO_UNITS, 1);
        market.refundCommitment(W, buyer);
        vm.prank(buyer);
        market.commit(later, NO_UNITS, 1);
        assertEq(market.balanceOf(buyer), FUNDS - BOND, "one bond, not two");
    }

    /// What the last round left in the book must not count again, neither quantities nor openings.
    function test_T17_TheLastRoundsBookReadsAsEmpty() external {
        _issued();
        uint256 later = W + market.calendar().ring;
        vm.warp(_start(W) + 1);
        _open(later);
        Bidding.Opening memory a = _commit(later, seller2, SELL, _one(10, 7));
        _toReveal(later);
        vm.expectRevert(_wrongPhase(later, Calendar.Phase.Reveal));
        market.clear(later); // an old opening would count for seller2's
        Issue.Claim memory c = _reveal(a);
        assertEq(c.bid, bytes.concat(_one(10, 7), bytes6(0)), "the tick was empty");
        market.clear(later);
        _assertPhase(later, Calendar.Phase.NoTrade);
    }

    /// Windows far ahead are opened to squat the ring's places.
    function test_T17_PlacesCannotBeSquatted() external {
        uint256 ring = market.calendar().ring;
        vm.warp(_start(W) - 4000);
        vm.expectRevert(abi.encodeWithSelector(Errors.TooEarlyToOpen.selector, W + ring));
        market.open(W + ring, 1);
        market.open(W, ring - 4); // those that are less than one ring ahead, all of them by anybody
        for (uint256 i; i < ring - 4; ++i) {
            _assertPhase(W + i, Calendar.Phase.Commit);
        }
    }

    /// A window whose round does not fit the slot's 16 bits would alias an old one.
    function testFuzz_T17_RoundsDoNotWrap(uint256 window) external {
        uint256 ring = market.calendar().ring;
        window = bound(window, ring << 16, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, window));
        market.open(window, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, window));
        vm.prank(buyer);
        market.commit(window, NO_UNITS, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, window));
        market.clear(window);
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, window));
        market.voidWindow(window);
    }

    /// Somebody clears at the last moment, so that buyers have no time to pay: any buyer can clear before it.
    function test_T39_ABuyerNeedNotWaitForALateClearing() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _pair(_one(10, 1000), _one(20, 1000));
        vm.warp(_revealDeadline(W));
        vm.startPrank(buyer);
        market.clear(W);
        market.claim(b);
        vm.stopPrank();
        market.claim(s);
        (, bool paid) = rights.quantityAndPaid(_right(W, BUY, buyer));
        assertTrue(paid);
    }

    /// The latest clearing there can be leaves what the calendar's parameters leave, here 600 seconds.
    function test_T39_TheLatestClearingLeavesTimeToPay() external {
        (, Issue.Claim memory b) = _pair(_one(10, 1000), _one(20, 1000));
        vm.warp(_lapse(W) - 1);
        market.clear(W);
        assertEq(_paymentDeadline(W) - _lapse(W), 600);
        vm.warp(_paymentDeadline(W) - 1);
        market.claim(b);
        (, bool paid) = rights.quantityAndPaid(_right(W, BUY, buyer));
        assertTrue(paid);
    }

    function _edge(uint256 deadline, Calendar.Phase before, Calendar.Phase from) private {
        vm.warp(deadline - 1);
        _assertPhase(W, before);
        vm.warp(deadline);
        _assertPhase(W, from);
        vm.warp(deadline + 1);
        _assertPhase(W, from);
    }
}
