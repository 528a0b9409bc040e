// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";
import {Issue} from "../../src/Issue.sol";
import {BidSlot} from "../../src/lib/BidSlot.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {Seal} from "../utils/Seal.sol";

/// @notice Market.reveal(opening).
contract RevealTest is Fixture {
    function setUp() public override {
        super.setUp();
        _open(W);
    }

    // --------------------------------------------------------------------------------------------------------- refusals

    /// when the window is beyond the calendar > it is refused by its phase or as no commitment
    function testFuzz_RevertWhen_BeyondTheCalendar(uint32 window) external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(1, 1));
        o.window = uint32(bound(window, 8 * 65_536, type(uint32).max));
        vm.expectRevert(_refused(o, Errors.WrongPhase.selector));
        market.reveal(o);
    }

    /// when it is a second before the commit deadline > it is refused by WrongPhase; at the deadline > it opens (T9)
    function test_TheCommitDeadlineIsEarlyEnough() external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(1, 1));
        vm.warp(_commitDeadline(W) - 1);
        vm.expectRevert(_refused(o, Errors.WrongPhase.selector));
        market.reveal(o);
        vm.warp(_commitDeadline(W));
        market.reveal(o);
    }

    /// when the reveal deadline has passed > it is refused by WrongPhase; a second before > it opens (T9)
    function test_TheRevealDeadlineIsTooLate() external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(1, 1));
        for (uint256 i; i < 2; ++i) {
            vm.warp(_revealDeadline(W) + i);
            vm.expectRevert(_refused(o, Errors.WrongPhase.selector));
            market.reveal(o);
        }
        vm.warp(_revealDeadline(W) - 1);
        market.reveal(o);
    }

    /// when the account has no commitment > it is refused by NoCommitment
    function testFuzz_RevertWhen_NoCommitment(address account) external {
        vm.assume(account != buyer);
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(1, 1));
        o.participant = account;
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.NoCommitment.selector));
        market.reveal(o);
    }

    /// when the commitment was withdrawn > it is refused by NoCommitment
    function test_RevertWhen_Withdrawn() external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(1, 1));
        vm.prank(buyer);
        market.withdrawCommitment(W);
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.NoCommitment.selector));
        market.reveal(o);
    }

    /// when it was opened already > it is refused by NoCommitment (T10)
    function test_RevertWhen_OpenedAlready() external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(1, 1));
        _toReveal(W);
        market.reveal(o);
        vm.expectRevert(_refused(o, Errors.NoCommitment.selector));
        market.reveal(o);
    }

    /// when the curve breaks §2 > it is refused by BadCurve, though the commitment matches
    function testFuzz_RevertWhen_BadCurve(uint8 kind) external {
        bytes[6] memory broken = [
            bytes(""),
            hex"000100000001ff",
            Seal.two(2, 1, 1, 1), // an ask that descends
            Seal.two(1, 1, 1, 1),
            _one(1, 0),
            _one(64, 1) // off the grid
        ];
        Bidding.Opening memory o = _commit(W, seller, SELL, broken[kind % 6]);
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.BadCurve.selector));
        market.reveal(o);
    }

    /// when a bid ascends > it is refused by BadCurve
    function testFuzz_RevertWhen_ABidAscends(uint16 low, uint16 high) external {
        low = uint16(bound(low, 0, 62));
        high = uint16(bound(high, low + 1, 63));
        Bidding.Opening memory o = _commit(W, buyer, BUY, Seal.two(low, 1, high, 1));
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.BadCurve.selector));
        market.reveal(o);
    }

    /// when a seller's quantity exceeds its device's Q_max > it is refused by BeyondDevice; at Q_max > it opens (1)
    function testFuzz_TheDeviceBoundsTheQuantity(uint32 width) external {
        uint256 limit = 20_000;
        Bidding.Opening memory o = _commit(W, seller, SELL, _one(3, bound(width, limit + 1, type(uint32).max)));
        Bidding.Opening memory most = _commit(W, seller2, SELL, Seal.two(3, limit - 1, 4, 1));
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.BeyondDevice.selector));
        market.reveal(o);
        market.reveal(most);
    }

    /// when a seller's quantity exceeds its commitment's units of Q_max > it is refused by BeyondDevice; at their energy, rounded down > it opens (1)
    function testFuzz_TheUnitsBoundTheQuantity(uint8 units, uint32 exportW) external {
        uint256 power = bound(exportW, 256, 1e6);
        _device(_certificate(seller, sellerKey, type(uint32).max, uint32(power)));
        uint256 held = bound(units, 1, 64);
        uint256 limit = power / 4; // 15 minutes
        uint256 budget = limit * held / 64;
        uint256 before = vm.snapshotState();
        Bidding.Opening memory o = _commitUnits(W, seller, held, _one(3, budget + 1));
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.BeyondDevice.selector));
        market.reveal(o);
        vm.revertToState(before);
        o = _commitUnits(W, seller, held, _one(3, budget));
        _toReveal(W);
        market.reveal(o);
        assertEq(BidSlot.unitsOf(market.slotOf(W, seller)), held, "the word keeps the units");
        assertEq(_promised(seller), held, "and they stay promised");
    }

    /// when more units are named than were committed > it is refused by OpeningMismatch (T42)
    function testFuzz_RevertWhen_OtherUnits(uint8 units, uint8 other) external {
        uint256 held = bound(units, 1, 64);
        Bidding.Opening memory o = _commitUnits(W, seller, held, _one(3, 1));
        vm.assume(other != held && other != 0);
        o.terms = _terms(seller, other);
        _assertMismatch(o);
    }

    /// when the blinder is zero > it is refused by BadBlinder
    function test_RevertWhen_ZeroBlinder() external {
        Bidding.Opening memory o = _opening(W, buyer, BUY, _one(1, 1));
        o.blinder = 0;
        uint256 point = Seal.point(address(market), o, BUY);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, point);
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.BadBlinder.selector));
        market.reveal(o);
    }

    /// when the blinder is not below the group order > it is refused by BadBlinder (T4)
    function testFuzz_RevertWhen_TheBlinderIsNotCanonical(uint256 blinder) external {
        Bidding.Opening memory o = _opening(W, buyer, BUY, _one(1, 1));
        o.blinder = bound(blinder, Seal.ORDER, type(uint256).max);
        uint256 point = Seal.point(address(market), o, BUY);
        vm.prank(buyer);
        market.commit(W, NO_UNITS, point);
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.BadBlinder.selector));
        market.reveal(o);
    }

    /// when the blinder is another > it is refused by OpeningMismatch
    function testFuzz_RevertWhen_AnotherBlinder(uint256 blinder) external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(1, 1));
        blinder = bound(blinder, 1, Seal.ORDER - 1);
        vm.assume(blinder != o.blinder);
        o.blinder = blinder;
        _assertMismatch(o);
    }

    /// when the curve is another > it is refused by OpeningMismatch (7)
    function testFuzz_RevertWhen_AnotherCurve(uint16 tick, uint32 width) external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(5, 7));
        tick = uint16(bound(tick, 0, 63));
        width = uint32(bound(width, 1, type(uint32).max));
        vm.assume(tick != 5 || width != 7);
        o.curve = _one(tick, width);
        _assertMismatch(o);
    }

    /// when a seller's terms or its fingerprint are others > it is refused by OpeningMismatch
    function testFuzz_RevertWhen_OtherTerms(uint32 device, uint32 limit, uint24 alpha, uint8 units, bytes32 print)
        external
    {
        Bidding.Opening memory o = _commit(W, seller, SELL, _one(5, 7));
        // what is offered must fit the altered limit, or it is refused before
        (limit, units) = (uint32(bound(limit, 7 * 64, type(uint32).max)), uint8(bound(units, 1, 255)));
        uint96 terms = uint96(device | (uint256(limit) << 32) | (uint256(alpha) << 64) | (uint256(units) << 88));
        vm.assume(terms != o.terms || print != o.fingerprint);
        (o.terms, o.fingerprint) = (terms, print);
        _assertMismatch(o);
    }

    /// when the balance does not cover the reserve > it is refused by InsufficientBalance; when it just does > it opens
    function test_TheReserveMustBeCovered() external {
        // 20,000 Wh at 63 · 100 · 0.2 / 1000 = 25,200; the bond of 500 counts towards it
        Bidding.Opening memory o = _commit(W, seller, SELL, _one(3, 20_000));
        _drain(seller, 24_699);
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.InsufficientBalance.selector));
        market.reveal(o);
        _fund(seller, 1);
        market.reveal(o);
        assertEq(market.balanceOf(seller), 0, "all of it");
    }

    /// when it is refused > the commitment stands, and the true opening still opens
    function test_ARefusedOpeningChangesNothing() external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(5, 7));
        uint256 slot = market.slotOf(W, buyer);
        uint256 blinder = o.blinder;
        o.blinder = blinder + 1;
        _assertMismatch(o);
        assertEq(market.slotOf(W, buyer), slot, "slot");
        o.blinder = blinder;
        market.reveal(o);
    }

    // --------------------------------------------------------------------------------------------------------- openings

    /// when the opening is true > anybody may submit it (T24)
    function testFuzz_AnybodyMaySubmit(address relay) external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(5, 7));
        _toReveal(W);
        vm.prank(relay);
        market.reveal(o);
        assertEq(BidSlot.kindOf(market.slotOf(W, buyer)), BidSlot.OPENED, "opened");
    }

    /// when a buyer opens > it locks the larger of bond and worst-case deposit, its value times alpha (§6)
    function testFuzz_LocksABuyersReserve(uint16 tick, uint32 width) external {
        tick = uint16(bound(tick, 0, 63));
        width = uint32(bound(width, 1, 2 ** 30));
        Bidding.Opening memory o = _commit(W, buyer, BUY, _one(tick, width));
        _toReveal(W);
        market.reveal(o);
        uint256 reserve = (uint256(width) * (tick == 0 ? 1 : tick) * 100 * 200_000 + 1e9 - 1) / 1e9;
        assertEq(FUNDS - market.balanceOf(buyer), reserve > BOND ? reserve : BOND, "locked");
    }

    /// when a seller opens > it locks the larger of bond and worst-case deposit, at the grid's highest tick (§6)
    function testFuzz_LocksASellersReserve(uint16 tick, uint32 width) external {
        tick = uint16(bound(tick, 0, 63));
        width = uint32(bound(width, 1, 20_000));
        Bidding.Opening memory o = _commit(W, seller, SELL, _one(tick, width));
        _toReveal(W);
        market.reveal(o);
        uint256 reserve = (uint256(width) * 63 * 100 * 200_000 + 1e9 - 1) / 1e9;
        assertEq(FUNDS - market.balanceOf(seller), reserve > BOND ? reserve : BOND, "locked");
    }

    /// when a seller's device has a record > the reserve is by the coefficient bound at the commitment, whatever the record is now (§6)
    function testFuzz_LocksByTheBoundCoefficient(uint32 then_, uint32 now_, uint32 width) external {
        uint256 r = bound(then_, 0, 1e6);
        width = uint32(bound(width, 1, 20_000));
        _setReliability(seller, r);
        Bidding.Opening memory o = _commit(W, seller, SELL, _one(5, width));
        _setReliability(seller, bound(now_, 0, 1e6));
        _toReveal(W);
        market.reveal(o);
        uint256 alpha = 200_000 - 150_000 * r / 1e6;
        uint256 reserve = (alpha * width * 63 * 100 + 1e9 - 1) / 1e9;
        assertEq(FUNDS - market.balanceOf(seller), reserve > BOND ? reserve : BOND, "locked");
    }

    /// when two asks meet at a tick > the later one's offset is what the earlier one left there (§3)
    function testFuzz_TheOffsetIsWhatTheTickHeld(uint16 tick, uint32 first, uint32 second) external {
        tick = uint16(bound(tick, 0, 63));
        first = uint32(bound(first, 1, 20_000));
        second = uint32(bound(second, 1, 20_000));
        Bidding.Opening memory a = _commit(W, seller, SELL, _one(tick, first));
        Bidding.Opening memory b = _commit(W, seller2, SELL, _one(tick, second));
        _toReveal(W);
        Issue.Claim memory ca = _reveal(a);
        Issue.Claim memory cb = _reveal(b);
        assertEq(ca.bid, bytes.concat(a.curve, bytes6(0)), "first");
        assertEq(cb.bid, bytes.concat(b.curve, bytes6(uint48(first))), "second");
    }

    /// when the device is revoked after the commitment > the opening holds, with the terms of the commitment
    function test_TheTermsAreThoseOfTheCommitment() external {
        Bidding.Opening memory o = _commit(W, seller, SELL, _one(5, 7));
        vm.prank(issuer);
        registry.revokeDevice(1);
        vm.prank(issuer);
        registry.revoke(seller);
        _toReveal(W);
        market.reveal(o);
        assertEq(BidSlot.kindOf(market.slotOf(W, seller)), BidSlot.OPENED, "opened");
    }

    /// when the opening is true > it emits Revealed with blinder, curve and offsets
    function test_Emits() external {
        Bidding.Opening memory o = _commit(W, buyer, BUY, Seal.two(9, 2, 4, 3));
        _toReveal(W);
        vm.expectEmit(address(market));
        emit Bidding.Revealed(W, buyer, o.blinder, bytes.concat(o.curve, new bytes(12)));
        market.reveal(o);
    }

    function _assertMismatch(Bidding.Opening memory o) private {
        _toReveal(W);
        vm.expectRevert(_refused(o, Errors.OpeningMismatch.selector));
        market.reveal(o);
    }
}
