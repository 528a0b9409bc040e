// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {CapacityRights} from "../../src/CapacityRights.sol";
import {Issue} from "../../src/Issue.sol";
import {BidSlot} from "../../src/lib/BidSlot.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Seal} from "../utils/Seal.sol";

/// @notice Market.claim(claim).
contract ClaimTest is Fixture {
    // --------------------------------------------------------------------------------------------------------- refusals

    /// when the window is not cleared > it reverts with WrongPhase, in every phase before (T9)
    function test_RevertWhen_NotCleared() external {
        Issue.Claim memory c = Issue.Claim(uint32(W), seller, 1, "");
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.NotOpen));
        market.claim(c);
        (c,) = _pair(_one(10, 10), _one(20, 10));
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Reveal));
        market.claim(c);
        vm.warp(_revealDeadline(W));
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Clearing));
        market.claim(c);
        vm.warp(_lapse(W));
        vm.expectRevert(_wrongPhase(W, Calendar.Phase.Lapsed));
        market.claim(c);
    }

    /// when the window is beyond the calendar > it reverts with WrongPhase, as nobody can have opened it
    function testFuzz_RevertWhen_BeyondTheCalendar(uint32 window) external {
        window = uint32(bound(window, 8 * 65_536, type(uint32).max));
        vm.expectRevert(_wrongPhase(window, Calendar.Phase.NotOpen));
        market.claim(Issue.Claim(window, seller, 1, ""));
    }

    /// when the participant has no opened bid > it reverts with NoSuchBid
    function testFuzz_RevertWhen_NoBid(address account) external {
        (Issue.Claim memory c,) = _cleared();
        vm.assume(account != seller);
        c.participant = account;
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchBid.selector, W, account));
        market.claim(c);
    }

    /// when it was claimed already > it reverts with NoSuchBid (T10)
    function test_RevertWhen_ClaimedAlready() external {
        (Issue.Claim memory c,) = _cleared();
        market.claim(c);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchBid.selector, W, seller));
        market.claim(c);
    }

    /// when any byte of curve or offsets differs > it reverts with NoSuchBid (T10)
    function testFuzz_RevertWhen_TheBidIsAltered(uint8 at, uint8 bits) external {
        (Issue.Claim memory c,) = _cleared();
        vm.assume(bits != 0);
        c.bid[at % c.bid.length] ^= bytes1(bits);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchBid.selector, W, seller));
        market.claim(c);
    }

    /// when the terms differ > it reverts with NoSuchBid, be it the device, its limit, the deposit's or the units
    function testFuzz_RevertWhen_TheTermsAreAltered(uint96 terms) external {
        (Issue.Claim memory c,) = _cleared();
        vm.assume(terms != c.terms);
        c.terms = terms;
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchBid.selector, W, seller));
        market.claim(c);
    }

    /// when the commitment was never opened > it reverts with NoSuchBid: there is no refund of a forfeited bond (T3)
    function test_RevertWhen_NeverOpened() external {
        _open(W);
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(1, 1));
        vm.warp(_revealDeadline(W));
        market.clear(W);
        vm.expectRevert(abi.encodeWithSelector(Errors.NoSuchBid.selector, W, buyer));
        market.claim(Issue.Claim(uint32(W), buyer, 0, bytes.concat(o.curve, new bytes(6))));
    }

    // ---------------------------------------------------------------------------------------------------- void, no trade

    /// when the window is void > it gives back what was locked, and mints nothing (T16)
    function testFuzz_RefundsInAVoidWindow(uint32 width) external {
        (, Issue.Claim memory c) = _pair(_one(10, 10), _one(63, bound(width, 1, type(uint32).max)));
        vm.warp(_lapse(W));
        market.voidWindow(W);
        market.claim(c);
        assertEq(market.balanceOf(buyer), FUNDS, "everything");
        assertEq(rights.balanceOf(buyer), 0, "no right");
    }

    /// when the window had no trade > it gives back what was locked, and mints nothing
    function testFuzz_RefundsWithoutTrade(uint32 width) external {
        (Issue.Claim memory c,) = _pair(_one(30, bound(width, 1, 20_000)), _one(20, 10));
        market.clear(W);
        market.claim(c);
        assertEq(market.balanceOf(seller), FUNDS, "everything");
        assertEq(rights.balanceOf(seller), 0, "no right");
    }

    /// when the bid got no fill > it gives back what was locked, and mints nothing
    function testFuzz_RefundsAnUnfilledBid(uint16 tick, uint32 width) external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 100));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 100));
        Bidding.Opening memory c = _commit(W, seller2, SELL, _one(bound(tick, 11, 63), bound(width, 1, 20_000)));
        _toReveal(W);
        market.reveal(a);
        market.reveal(b);
        Issue.Claim memory claim = _reveal(c);
        market.clear(W);
        vm.expectEmit(address(market));
        emit Issue.Claimed(W, seller2, 0, 0, 0, 0, FUNDS - market.balanceOf(seller2));
        market.claim(claim);
        assertEq(market.balanceOf(seller2), FUNDS, "everything");
        assertEq(rights.balanceOf(seller2), 0, "no right");
    }

    // ------------------------------------------------------------------------------------------------------------ issue

    /// when a seller is filled > its deposit goes to escrow, the rest is free, and a paid right is minted (25)
    function testFuzz_IssuesASellersRight(address caller) external {
        (Issue.Claim memory c,) = _cleared();
        vm.prank(caller);
        market.claim(c);
        // 1,000 Wh at tick 10: alpha 0.2 of 1,000
        (, uint256 escrow,,) = market.moneyOf(W);
        assertEq(escrow, 200, "deposit");
        assertEq(market.balanceOf(seller), FUNDS - 200, "the rest");
        CapacityRights.Right memory right = rights.rightOf(_right(W, SELL, seller));
        assertEq(right.quantity, 1000, "quantity");
        assertEq(right.whole, 1000, "whole");
        assertEq(right.device, 1, "device");
        assertTrue(right.paid, "paid");
        assertEq(rights.ownerOf(_right(W, SELL, seller)), seller, "owner");
    }

    /// when a buyer is filled > given its balance covers the payment > it pays at once (§6)
    function test_TakesABuyersPayment() external {
        (, Issue.Claim memory c) = _cleared();
        market.claim(c);
        (uint256 pool, uint256 escrow, uint256 paid,) = market.moneyOf(W);
        assertEq(pool, 1000, "payment");
        assertEq(escrow, 200, "deposit");
        assertEq(paid, 1000, "paid Wh");
        assertEq(market.balanceOf(buyer), FUNDS - 1200, "the rest");
        assertTrue(rights.rightOf(_right(W, BUY, buyer)).paid, "paid");
    }

    /// when a buyer is filled > given its balance lacks one unit > the right is unpaid; with it > it is paid
    function testFuzz_ABuyerShortOfMoneyOwes(uint256 left) external {
        (, Issue.Claim memory c) = _cleared();
        // 500 are locked, 200 stay as the deposit: 300 more are free at the claim
        left = bound(left, 0, 1400);
        _drain(buyer, left);
        market.claim(c);
        bool covered = left + 300 >= 1000;
        (uint256 pool,, uint256 paid,) = market.moneyOf(W);
        assertEq(rights.rightOf(_right(W, BUY, buyer)).paid, covered, "paid");
        assertEq(pool, covered ? 1000 : 0, "pool");
        assertEq(paid, covered ? 1000 : 0, "paid Wh");
        assertEq(market.balanceOf(buyer), left + 300 - (covered ? 1000 : 0), "free");
    }

    /// when it is a second before the payment deadline > a buyer pays; at the deadline > it is in default (T9)
    function test_ThePaymentDeadlineIsTooLate() external {
        (, Issue.Claim memory c) = _cleared();
        uint256 before = vm.snapshotState();
        vm.warp(_paymentDeadline(W) - 1);
        market.claim(c);
        assertTrue(rights.rightOf(_right(W, BUY, buyer)).paid, "in time");
        for (uint256 i; i < 2; ++i) {
            vm.revertToState(before);
            vm.warp(_paymentDeadline(W) + i);
            vm.expectEmit(address(market));
            emit Issue.Defaulted(W, buyer, 1000, 200);
            market.claim(c);
            (uint256 pool, uint256 escrow, uint256 paid, uint256 forfeited) = market.moneyOf(W);
            assertEq(pool, 200, "the deposit is forfeited to the pool");
            assertEq(forfeited, 200, "for the sellers");
            assertEq(escrow + paid, 0, "nothing else");
            assertEq(rights.balanceOf(buyer), 0, "no right");
            assertEq(market.balanceOf(buyer), FUNDS - 200, "the rest is free");
        }
    }

    /// when a seller is claimed after the payment deadline > it gets its right all the same
    function testFuzz_ALateSellerIsIssued(uint32 later) external {
        (Issue.Claim memory c,) = _cleared();
        vm.warp(_paymentDeadline(W) + later);
        market.claim(c);
        assertEq(rights.rightOf(_right(W, SELL, seller)).quantity, 1000, "right");
    }

    /// when commitments of the other side were not opened > the claimer gets its share of their bonds (T3)
    function test_SharesTheOtherSidesBonds() external {
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 600));
        Bidding.Opening memory a2 = _commit(W, seller2, SELL, _one(10, 300));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 900));
        _commit(W, buyer2, BUY, _one(63, 10));
        _toReveal(W);
        Issue.Claim memory ca = _reveal(a);
        Issue.Claim memory ca2 = _reveal(a2);
        Issue.Claim memory cb = _reveal(b);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        market.claim(ca);
        market.claim(ca2);
        market.claim(cb);
        // tick 10; deposits 120 and 60; bond 500 split 600 : 300, rounded down
        assertEq(market.balanceOf(seller), FUNDS - 120 + 333, "two thirds of the bond");
        assertEq(market.balanceOf(seller2), FUNDS - 60 + 166, "one third of the bond");
        assertEq(market.balanceOf(buyer), FUNDS - 180 - 900, "no seller's bond was forfeited");
        assertEq(market.balanceOf(buyer2), FUNDS - BOND, "the injurer pays");
        _assertConserved(W, 0);
    }

    // ----------------------------------------------------------------------------------------------------------- energy

    /// when a seller is filled > the units that its fill does not need are free again, and the right holds the others (§2)
    function testFuzz_FreesTheUnitsThatTheFillDoesNotNeed(uint8 units, uint16 wanted) external {
        uint256 held = bound(units, 1, 64);
        uint256 offered = 20_000 * held / 64;
        uint256 fill = bound(wanted, 1, offered);
        _sold(held, offered, fill);
        uint256 needed = (fill * 64 + 19_999) / 20_000;
        assertEq(rights.rightOf(_right(W, SELL, seller)).units, needed, "the right's units");
        assertEq(_promised(seller), needed, "promised");
        assertLe(fill, 20_000 * needed / 64, "the units hold the fill");
    }

    /// when a seller's whole budget is filled > all its units stay promised
    function test_AFullFillKeepsAllUnits() external {
        _sold(16, 5000, 5000);
        assertEq(_promised(seller), 16, "promised");
        assertEq(rights.rightOf(_right(W, SELL, seller)).units, 16, "right");
    }

    /// when a seller's bid got no fill > all its energy is free again
    function testFuzz_NoFillFreesEverything(uint8 units) external {
        _open(W);
        Bidding.Opening memory a = _commitUnits(W, seller, bound(units, 1, 64), _one(30, 100));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, 100));
        _toReveal(W);
        Issue.Claim memory c = _reveal(a);
        market.reveal(b);
        market.clear(W);
        assertEq(_promised(seller), bound(units, 1, 64), "until the claim");
        market.claim(c);
        assertEq(_promised(seller), 0, "free");
    }

    /// when the window is void > all a seller's energy is free again
    function testFuzz_AVoidWindowFreesEverything(uint8 units) external {
        _open(W);
        Bidding.Opening memory a = _commitUnits(W, seller, bound(units, 1, 64), _one(10, 100));
        _toReveal(W);
        Issue.Claim memory c = _reveal(a);
        vm.warp(_lapse(W));
        market.voidWindow(W);
        market.claim(c);
        assertEq(_promised(seller), 0, "free");
        assertEq(market.balanceOf(seller), FUNDS, "money");
    }

    /// when a buyer is filled > no energy is held, whatever its own device has promised
    function test_ABuyersRightHoldsNoEnergy() external {
        _issued();
        CapacityRights.Right memory right = rights.rightOf(_right(W, BUY, buyer));
        assertEq(right.units, 0, "units");
        assertEq(right.alpha, 0, "alpha");
        assertEq(_promised(buyer), 0, "promised");
    }

    /// when the record changed since the commitment > deposit and right are by the coefficient that the commitment bound (§6)
    function testFuzz_TheDepositIsByTheBoundCoefficient(uint32 then_, uint32 now_, uint16 wanted) external {
        uint256 r = bound(then_, 0, 1e6);
        _setReliability(seller, r);
        uint256 fill = bound(wanted, 1, 20_000);
        _open(W);
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(10, 20_000));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, fill));
        _toReveal(W);
        Issue.Claim memory c = _reveal(a);
        market.reveal(b);
        market.clear(W);
        _setReliability(seller, bound(now_, 0, 1e6));
        market.claim(c);
        uint256 alpha = 200_000 - 150_000 * r / 1e6;
        uint256 deposit = (alpha * fill * 10 * 100 + 1e9 - 1) / 1e9;
        (, uint256 escrow,,) = market.moneyOf(W);
        assertEq(escrow, deposit, "escrow");
        assertEq(market.balanceOf(seller), FUNDS - deposit, "all else is free");
        assertEq(rights.rightOf(_right(W, SELL, seller)).alpha, alpha, "the right's");
    }

    /// @dev `offered` Wh asked with `held` units; `fill` of them are bought.
    function _sold(uint256 held, uint256 offered, uint256 fill) private {
        _open(W);
        Bidding.Opening memory a = _commitUnits(W, seller, held, _one(10, offered));
        Bidding.Opening memory b = _commit(W, buyer, BUY, _one(20, fill));
        _toReveal(W);
        Issue.Claim memory c = _reveal(a);
        market.reveal(b);
        market.clear(W);
        market.claim(c);
    }

    /// when the marginal bid is partly filled > the fill is its part of the residual
    function test_FillsTheMarginalSegmentInPart() external {
        (Issue.Claim memory s, Issue.Claim memory b) = _pair(Seal.two(5, 100, 10, 900), Seal.two(30, 200, 10, 100));
        market.clear(W);
        market.claim(s);
        market.claim(b);
        assertEq(rights.rightOf(_right(W, SELL, seller)).quantity, 300, "100 and 200 of 900");
        assertEq(rights.rightOf(_right(W, BUY, buyer)).quantity, 300, "all of the demand");
    }

    /// when it is issued > the slot is resolved
    function test_ResolvesTheSlot() external {
        _issued();
        assertEq(market.slotOf(W, seller), BidSlot.resolved(0), "seller");
        assertEq(market.slotOf(W, buyer), BidSlot.resolved(0), "buyer");
    }

    /// when it is issued > it emits Claimed with deposit, payment, bond share and what was unlocked
    function test_Emits() external {
        (, Issue.Claim memory c) = _cleared();
        vm.expectEmit(address(market));
        emit Issue.Claimed(W, buyer, 1000, 200, 1000, 0, 300);
        market.claim(c);
    }

    /// when both sides are issued > money is conserved, whatever was bid (§6)
    function testFuzz_ConservesMoney(uint16 ask, uint32 offered, uint16 bid, uint32 wanted, uint32 later) external {
        (Issue.Claim memory s, Issue.Claim memory b) =
            _pair(_one(bound(ask, 0, 63), bound(offered, 1, 20_000)), _one(bound(bid, 0, 63), bound(wanted, 1, 1e6)));
        market.clear(W);
        skip(later % 4000);
        market.claim(s);
        _assertConserved(W, FUNDS * 4 - market.balanceOf(seller) - market.balanceOf(buyer) - 2 * FUNDS - _inWindow());
        market.claim(b);
        _assertConserved(W, 0);
    }

    function _inWindow() private view returns (uint256) {
        (uint256 pool, uint256 escrow,,) = market.moneyOf(W);
        return pool + escrow;
    }
}
