// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Calendar} from "../../src/Calendar.sol";
import {Clearing} from "../../src/Clearing.sol";
import {Issue} from "../../src/Issue.sol";
import {Registry} from "../../src/Registry.sol";
import {BidSlot} from "../../src/lib/BidSlot.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {StatusWord} from "../../src/lib/WindowWords.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.commit(window, units, point).
contract CommitTest is Fixture {
    uint256 private constant RING = 8;
    uint256 private constant POINT = 77;

    function setUp() public override {
        super.setUp();
        _open(W);
    }

    /// when the window is beyond the calendar > it reverts with WindowBeyondCalendar
    function testFuzz_RevertWhen_BeyondTheCalendar(uint256 window) external {
        window = bound(window, RING * 65_536, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowBeyondCalendar.selector, window));
        market.commit(window, NO_UNITS, POINT);
    }

    /// when the window was not opened > it reverts with WrongPhase
    function test_RevertWhen_NotOpened() external {
        vm.expectRevert(_wrongPhase(1, Calendar.Phase.NotOpen));
        vm.prank(buyer);
        market.commit(1, NO_UNITS, POINT);
    }

    /// when the commit deadline has passed > it reverts with WrongPhase; a second before > it commits (T9)
    function test_TheDeadlineIsTooLate() external {
        for (uint256 i; i < 2; ++i) {
            vm.warp(_commitDeadline(W) + i);
            vm.expectRevert(_wrongPhase(W, Calendar.Phase.Reveal));
            vm.prank(buyer);
            market.commit(W, NO_UNITS, POINT);
        }
        vm.warp(_commitDeadline(W) - 1);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, POINT);
    }

    /// when the units are beyond 64 > it reverts with BadUnits
    function testFuzz_RevertWhen_BadUnits(uint256 units) external {
        units = bound(units, 65, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadUnits.selector, units));
        vm.prank(seller);
        market.commit(W, units, POINT);
    }

    /// when the commitment is zero > it reverts with BadCommitment
    function test_RevertWhen_ZeroCommitment() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.BadCommitment.selector, W));
        vm.prank(buyer);
        market.commit(W, NO_UNITS, 0);
    }

    /// when the account is not registered > it reverts with NotAdmitted
    function testFuzz_RevertWhen_NotRegistered(address account, uint8 units) external {
        uint256 side = units % 65 == 0 ? BUY : SELL;
        vm.assume(account != seller && account != seller2 && account != buyer && account != buyer2);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotAdmitted.selector, account, side));
        vm.prank(account);
        market.commit(W, units % 65, POINT);
    }

    /// when the credential lacks the side's role > it reverts with NotAdmitted
    function test_RevertWhen_WithoutTheRole() external {
        _register(seller, 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotAdmitted.selector, seller, SELL));
        vm.prank(seller);
        market.commit(W, ALL_UNITS, POINT);
        _register(buyer, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotAdmitted.selector, buyer, BUY));
        vm.prank(buyer);
        market.commit(W, NO_UNITS, POINT);
    }

    /// when the credential has expired > it reverts with NotAdmitted; in its last second > it commits
    function test_TheCredentialsLastSecondCounts() external {
        uint256 expiry = _commitDeadline(W) - 10;
        _renew(buyer, uint64(expiry));
        vm.warp(expiry + 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotAdmitted.selector, buyer, BUY));
        vm.prank(buyer);
        market.commit(W, NO_UNITS, POINT);
        vm.warp(expiry);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, POINT);
    }

    /// when the credential was revoked > it reverts with NotAdmitted
    function test_RevertWhen_Revoked() external {
        vm.prank(issuer);
        registry.revoke(buyer);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotAdmitted.selector, buyer, BUY));
        vm.prank(buyer);
        market.commit(W, NO_UNITS, POINT);
    }

    /// when a seller has no device > it reverts with NotAdmitted
    function test_RevertWhen_ASellerHasNoDevice() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.NotAdmitted.selector, buyer, SELL));
        vm.prank(buyer);
        market.commit(W, ALL_UNITS, POINT);
    }

    /// when the market is open > it admits buyers without credential, and sellers with a device
    function test_OpenModeAdmitsEverybody() external {
        _deployOpen(_parameters());
        _fund(stranger, 10 * BOND);
        _open(W);
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotAdmitted.selector, stranger, SELL));
        market.commit(W, ALL_UNITS, POINT);
        market.commit(W, NO_UNITS, POINT);
        vm.stopPrank();
        _sellerWith(seller, sellerKey, 1000, 1000);
        vm.prank(seller);
        market.commit(W, ALL_UNITS, POINT);
    }

    /// when the balance is below the bond > it reverts with InsufficientBalance; at the bond > it commits
    function testFuzz_TheBondMustBeCovered(uint256 balance) external {
        balance = bound(balance, 0, BOND - 1);
        _drain(buyer, balance);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, buyer, balance, BOND));
        vm.prank(buyer);
        market.commit(W, NO_UNITS, POINT);
        _fund(buyer, BOND - balance);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, POINT);
        assertEq(market.balanceOf(buyer), 0, "the whole balance is the bond");
    }

    /// when the place holds an unclaimed bid of an earlier window > it reverts with UnclaimedBid (T17)
    function test_RevertWhen_AnEarlierBidIsUnclaimed() external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(5, 5));
        _toReveal(W);
        _reveal(o);
        market.clear(W);
        _nextRound();
        vm.expectRevert(abi.encodeWithSelector(Errors.UnclaimedBid.selector, buyer, W));
        vm.prank(buyer);
        market.commit(RING, NO_UNITS, POINT);
    }

    /// when the place holds an unopened commitment of a void window > it reverts with UnclaimedBid (T16, T17)
    function test_RevertWhen_AVoidWindowsBondIsNotRefunded() external {
        _commit(W, buyer, BUY, _one(5, 5));
        vm.warp(_lapse(W));
        market.voidWindow(W);
        _nextRound();
        vm.expectRevert(abi.encodeWithSelector(Errors.UnclaimedBid.selector, buyer, W));
        vm.prank(buyer);
        market.commit(RING, NO_UNITS, POINT);
        market.refundCommitment(W, buyer);
        vm.prank(buyer);
        market.commit(RING, NO_UNITS, POINT);
    }

    /// when the place holds a forfeited commitment > it commits, and takes a new bond
    function test_OverwritesAForfeitedCommitment() external {
        _commit(W, buyer, BUY, _one(5, 5));
        vm.warp(_revealDeadline(W));
        market.clear(W);
        _nextRound();
        vm.prank(buyer);
        market.commit(RING, NO_UNITS, POINT);
        assertEq(market.balanceOf(buyer), FUNDS - 2 * BOND, "two bonds");
        assertEq(market.balanceOf(treasury), BOND, "one forfeited");
    }

    /// when the place holds a claimed bid > it commits
    function test_OverwritesAClaimedBid() external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(5, 5));
        _toReveal(W);
        Issue.Claim memory c = _reveal(o);
        market.clear(W);
        market.claim(c);
        _nextRound();
        vm.prank(buyer);
        market.commit(RING, NO_UNITS, POINT);
        assertEq(BidSlot.roundOf(market.slotOf(RING, buyer)), 1, "round");
    }

    /// when it is the first commitment > it takes the bond and counts one more on the side
    function testFuzz_TakesTheBond(uint256 point, bool sells) external {
        point = bound(point, 1, type(uint256).max);
        address account = sells ? seller : buyer;
        vm.prank(account);
        market.commit(W, sells ? ALL_UNITS : NO_UNITS, point);
        assertEq(market.balanceOf(account), FUNDS - BOND, "bond");
        (, uint256 sellers, uint256 buyers,,) = market.statusOf(W);
        assertEq(sellers, sells ? 1 : 0, "sellers");
        assertEq(buyers, sells ? 0 : 1, "buyers");
    }

    /// when it is the first commitment > it stores the word that binds point, window, and the seller's device
    function testFuzz_StoresTheSlotWord(uint256 point, bool sells) external {
        point = bound(point, 1, type(uint256).max);
        address account = sells ? seller : buyer;
        vm.prank(account);
        market.commit(W, sells ? ALL_UNITS : NO_UNITS, point);
        uint256 wanted = sells
            ? BidSlot.committed(0, ALL_UNITS, W, point, _terms(seller, ALL_UNITS), market.fingerprintOf(seller))
            : BidSlot.committed(0, NO_UNITS, W, point, 0, 0);
        assertEq(market.slotOf(W, account), wanted, "slot");
    }

    /// when the account's promises and the units are within its battery's energy > it promises them too
    function testFuzz_PromisesItsUnits(uint8 units) external {
        uint256 held = bound(units, 1, 64);
        vm.prank(seller);
        market.commit(W, held, POINT);
        assertEq(_promised(seller), held, "promised");
        assertEq(BidSlot.unitsOf(market.slotOf(W, seller)), held, "slot");
        vm.prank(seller2);
        market.commit(W, NO_UNITS, POINT);
        assertEq(_promised(seller2), 0, "a buyer's bid promises nothing");
    }

    /// when the promises would exceed the battery's energy by one unit > it reverts with Oversold; when they just reach it > it commits (T42)
    function testFuzz_TheBatterysEnergyIsTheLimit(uint8 units, uint16 usable) external {
        // Q_max is 250 W · 15 min: 62 Wh; the energy between one such window and three
        uint256 wh = bound(usable, 62, 62 * 3);
        _device(_certificate(seller, sellerKey, uint32(wh), 250));
        uint256 capacity = _capacity(seller);
        assertEq(capacity, 64 * wh / 62, "capacity");
        uint256 each = bound(units, 1, 64);
        market.open(W + 1, 2);
        uint256 w;
        vm.startPrank(seller);
        for (; w < 3 && (w + 1) * each <= capacity; ++w) {
            market.commit(w, each, POINT);
        }
        if (w == 3) return;
        uint256 left = capacity - w * each;
        vm.expectRevert(abi.encodeWithSelector(Errors.Oversold.selector, seller, capacity + 1, capacity));
        market.commit(w, left + 1, POINT);
        if (left != 0) market.commit(w, left, POINT);
        vm.stopPrank();
        assertEq(_promised(seller), capacity, "all of it");
    }

    /// when the account may promise nothing any more > given it is a buyer's bid > it commits all the same
    function test_ABuyerIsNotHeldByItsBatterysPromises() external {
        _open(W + 1);
        _commitUnits(W + 1, seller, 64, _one(10, 1));
        vm.prank(issuer);
        registry.revokeDevice(1);
        assertEq(_capacity(seller), 0, "no battery any more");
        vm.prank(seller);
        market.commit(W, NO_UNITS, POINT);
        vm.prank(seller);
        market.commit(W + 1, NO_UNITS, POINT); // and its sale is withdrawn so
        assertEq(_promised(seller), 0, "promised");
    }

    /// when it replaces a commitment > it promises its own units and no longer the old one's
    function testFuzz_ReplacingReturnsTheUnits(uint8 first, uint8 second) external {
        _device(_certificate(seller, sellerKey, 62, 250)); // the energy of one window
        uint256 old = bound(first, 1, 64);
        uint256 next = second % 65;
        vm.startPrank(seller);
        market.commit(W, old, POINT);
        market.commit(W, next, POINT + 1); // 0: it becomes a buyer's
        vm.stopPrank();
        assertEq(_promised(seller), next, "promised");
        assertEq(BidSlot.unitsOf(market.slotOf(W, seller)), next, "slot");
    }

    /// when it overwrites a forfeited commitment > that one's energy is free again, and counts once
    function testFuzz_OverwritingReturnsTheUnits(uint8 first, uint8 second) external {
        _device(_certificate(seller, sellerKey, 62, 250));
        uint256 old = bound(first, 1, 64);
        uint256 next = bound(second, 1, 64);
        vm.prank(seller);
        market.commit(W, old, POINT);
        vm.warp(_revealDeadline(W));
        market.clear(W);
        assertEq(_promised(seller), old, "still held");
        _nextRound();
        vm.prank(seller);
        market.commit(RING, next, POINT);
        assertEq(_promised(seller), next, "the later one's alone");
    }

    /// when a claimed or withdrawn bid's word is overwritten > nothing comes back a second time
    function test_OverwritingAResolvedWordReturnsNothing() external {
        _commitUnits(W + 0, seller, 5, _one(10, 1));
        vm.prank(seller);
        market.withdrawCommitment(W);
        _commitUnits(W, seller, 6, _one(10, 1));
        assertEq(_promised(seller), 6, "six");
    }

    /// when a seller has a record > its terms hold the deposit coefficient of it, between the two bounds (§6)
    function testFuzz_BindsTheDepositCoefficient(uint32 reliability, uint8 units) external {
        uint256 r = bound(reliability, 0, 1e6);
        _setReliability(seller, r);
        uint256 alpha = 200_000 - 150_000 * r / 1e6;
        uint256 held = bound(units, 1, 64);
        uint256 terms = 1 | (20_000 << 32) | (alpha << 64) | (held << 88);
        assertEq(market.termsOf(seller) | (held << 88), terms, "termsOf");
        vm.expectEmit(address(market));
        emit Bidding.Committed(W, seller, POINT, terms);
        vm.prank(seller);
        market.commit(W, held, POINT);
        uint256 wanted = BidSlot.committed(0, held, W, POINT, terms, market.fingerprintOf(seller));
        assertEq(market.slotOf(W, seller), wanted, "slot");
    }

    /// when the coefficient is between two ppm > it rounds up: the escrow gains
    function test_TheCoefficientRoundsUp() external {
        _setReliability(seller, 1); // 150,000 / 1e6 of a ppm less
        assertEq(uint24(market.termsOf(seller) >> 64), 200_000, "not below");
        _setReliability(seller, 7); // 1.05 ppm less
        assertEq(uint24(market.termsOf(seller) >> 64), 199_999, "one, not two");
        _setReliability(seller, 1e6);
        assertEq(uint24(market.termsOf(seller) >> 64), 50_000, "the lower bound");
    }

    /// when it replaces a commitment > it takes no further bond
    function testFuzz_ReplacingIsFree(uint256 first, uint256 second) external {
        vm.startPrank(seller);
        market.commit(W, ALL_UNITS, bound(first, 1, type(uint256).max));
        market.commit(W, ALL_UNITS, bound(second, 1, type(uint256).max));
        vm.stopPrank();
        assertEq(market.balanceOf(seller), FUNDS - BOND, "one bond");
        (, uint256 sellers,,,) = market.statusOf(W);
        assertEq(sellers, 1, "one commitment");
    }

    /// when it replaces a commitment of the other side > it changes sides
    function test_ReplacingMayChangeSides() external {
        vm.startPrank(seller);
        market.commit(W, ALL_UNITS, POINT);
        market.commit(W, NO_UNITS, POINT);
        vm.stopPrank();
        (, uint256 sellers, uint256 buyers,,) = market.statusOf(W);
        assertEq(sellers, 0, "sellers");
        assertEq(buyers, 1, "buyers");
        assertEq(BidSlot.sideOf(market.slotOf(W, seller)), BUY, "side");
    }

    /// when any commitments were made > the digest is a chain over them, and over what a withdrawal leaves
    function testFuzz_TheDigestIsAChain(uint256 a, uint256 b) external {
        vm.prank(seller);
        market.commit(W, ALL_UNITS, bound(a, 1, type(uint256).max));
        uint256 word = StatusWord.linked(0, market.slotOf(W, seller), seller);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, bound(b, 1, type(uint256).max));
        word = StatusWord.linked(word, market.slotOf(W, buyer), buyer);
        vm.prank(buyer);
        market.withdrawCommitment(W);
        word = StatusWord.linked(word, market.slotOf(W, buyer), buyer);
        vm.prank(seller);
        market.commit(W, NO_UNITS, 7);
        uint256 digest = StatusWord.digest(StatusWord.linked(word, market.slotOf(W, seller), seller));
        vm.warp(_lapse(W));
        vm.expectEmit(address(market));
        emit Clearing.Voided(W, digest);
        market.voidWindow(W);
    }

    /// when all is well > it emits Committed
    function test_Emits() external {
        vm.expectEmit(address(market));
        emit Bidding.Committed(W, buyer, POINT, 0);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, POINT);
    }

    function _nextRound() private {
        vm.warp(_start(RING) - 4000);
        _open(RING);
    }

    function _renew(address account, uint64 expiry) private {
        Registry.Credential memory c = _credential(account, 3);
        c.expiry = expiry;
        registry.register(c, _signCredential(c, issuerKey));
    }
}
