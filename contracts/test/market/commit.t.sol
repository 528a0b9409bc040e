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

    /// when any commitments were made > the digest is the sum of their traces
    function testFuzz_TheDigestIsTheSumOfTraces(uint256 a, uint256 b) external {
        vm.prank(seller);
        market.commit(W, ALL_UNITS, bound(a, 1, type(uint256).max));
        uint256 first = StatusWord.traceOf(market.slotOf(W, seller), seller);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, bound(b, 1, type(uint256).max));
        uint256 second = StatusWord.traceOf(market.slotOf(W, buyer), buyer);
        vm.warp(_lapse(W));
        uint256 digest;
        unchecked {
            digest = (first + second) & ((1 << 200) - 1);
        }
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
