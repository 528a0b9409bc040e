// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {EvidenceFixture} from "../delivery/EvidenceFixture.sol";

/// @notice Attacks on vouchers: replayed, stale, back-dated, shrinking, cutting other evidence off (T45); the same energy
/// counted in two forms (T46).
contract VoucherAttacks is EvidenceFixture {
    uint256 private _sellerRight;
    uint256 private _buyerRight;

    function setUp() public override {
        super.setUp();
        (_sellerRight, _buyerRight) = _issued();
    }

    // ----------------------------------------------------------------------------------------------------------- T45

    /// Signed by nobody's, another seller's, or the owner's own key.
    function test_T45_AForgedVoucherIsRefused() external {
        vm.warp(_end(W));
        Metering.Voucher memory v = _voucher(DEVICE, W, 3, 950);
        _redeemRefused(v, _signVoucher(v, 0xbad), Metering.Refusal.BadSignature);
        _redeemRefused(v, _signVoucher(v, _meterKey(seller2Key)), Metering.Refusal.BadSignature);
        _redeemRefused(v, _signVoucher(v, sellerKey), Metering.Refusal.BadSignature);
        _redeemRefused(v, "", Metering.Refusal.BadSignature);
        assertEq(delivery.entitlementOf(_sellerRight), 0);
    }

    /// A true signature is put on other values.
    function testFuzz_T45_NoValueOfAVoucherCanBeAltered(uint8 field, uint32 value) external {
        vm.warp(_end(W) + 300);
        Metering.Voucher memory v = _voucher(DEVICE, W, 1, 300);
        bytes memory signature = _signVoucher(v);
        bytes32 before = keccak256(abi.encode(v));
        field = uint8(bound(field, 0, 3));
        if (field == 0) v.device = 1 + value % 2;
        if (field == 1) v.window = uint32(W + 1);
        if (field == 2) v.through = uint16(1 + value % 3);
        if (field == 3) v.energy = uint48(value % (MOST * v.through));
        if (keccak256(abi.encode(v)) == before) return;
        _redeemRefused(v, signature, Metering.Refusal.BadSignature);
    }

    /// The same signature over and over, also with its malleable twin, alone and in a batch.
    function test_T45_AVoucherCountsOnce() external {
        vm.warp(_end(W));
        Metering.Voucher memory v = _voucher(DEVICE, W, 2, 300);
        bytes memory signature = _signVoucher(v);
        delivery.redeem(v, signature);
        _redeemRefused(v, signature, Metering.Refusal.Superseded);
        _redeemRefused(v, _twin(signature), Metering.Refusal.BadSignature);
        Metering.Voucher[] memory many = new Metering.Voucher[](5);
        bytes[] memory signatures = new bytes[](5);
        for (uint256 i; i < 5; ++i) {
            (many[i], signatures[i]) = (v, signature);
        }
        assertEq(delivery.redeemMany(many, signatures), 0);
        _assertCounted(DEVICE, 300, 2);
    }

    /// A voucher is replayed for the next window, for another device with the same key, and at another market.
    function test_T45_AVoucherHoldsForItsDeviceWindowAndMarketOnly() external {
        vm.warp(_end(W));
        Metering.Voucher memory v = _voucher(DEVICE, W, 3, 300);
        bytes memory signature = _signVoucher(v);
        vm.warp(_end(W + 1));
        v.window = uint32(W + 1);
        _redeemRefused(v, signature, Metering.Refusal.BadSignature);
        (v.window, v.device) = (uint32(W), 2);
        vm.warp(_end(W));
        vm.prank(issuer);
        registry.setMeterKey(DEVICE2, vm.addr(_meterKey(sellerKey)), 0, type(uint64).max);
        _redeemRefused(v, signature, Metering.Refusal.BadSignature);
        _deploy(_parameters(), false);
        _enrol();
        v.device = 1;
        vm.warp(_end(W));
        _redeemRefused(v, signature, Metering.Refusal.BadSignature);
    }

    /// A buyer redeems an old, small voucher last: what was counted stays.
    function test_T45_AStaleVoucherTakesNothingBack() external {
        vm.warp(_end(W));
        _redeem(_voucher(DEVICE, W, 3, 950));
        vm.startPrank(buyer);
        _redeemRefused(_voucher(DEVICE, W, 1, 10), Metering.Refusal.Superseded);
        _redeemRefused(_voucher(DEVICE, W, 2, 20), Metering.Refusal.Superseded);
        vm.stopPrank();
        assertEq(delivery.entitlementOf(_sellerRight), 1000);
    }

    /// A meter, or a thief of its key, signs a sum that is smaller than what was counted, to take money back; or more for
    /// fewer sub-slots.
    function test_T45_AShrinkingVoucherIsRefused() external {
        vm.warp(_end(W));
        _redeem(_voucher(DEVICE, W, 2, 950));
        assertEq(delivery.draw(_sellerRight), 1000);
        _redeemRefused(_voucher(DEVICE, W, 3, 949), Metering.Refusal.Shrinks);
        _redeemRefused(_voucher(DEVICE, W, 3, 0), Metering.Refusal.Shrinks);
        _redeemRefused(_voucher(DEVICE, W, 1, 5000), Metering.Refusal.Superseded);
        _assertCounted(DEVICE, 950, 2);
    }

    /// After the readings closed nothing can be added, however it is dated; nor before the sub-slots ended.
    function test_T45_ABackDatedOrEarlyVoucherIsRefused() external {
        vm.warp(_over(2) - 1);
        _redeemRefused(_voucher(DEVICE, W, 2, 950), Metering.Refusal.NotOver);
        _redeemRefused(_voucher(DEVICE, W, 3, 950), Metering.Refusal.NotOver);
        vm.warp(_readingsClose(W));
        _redeemRefused(_voucher(DEVICE, W, 1, 950), Metering.Refusal.TooLate);
        _redeemRefused(_voucher(DEVICE, W, 3, 950), Metering.Refusal.TooLate);
        delivery.settle(_sellerRight);
        _redeemRefused(_voucher(DEVICE, W, 3, 950), Metering.Refusal.TooLate);
    }

    /// A meter's key was stolen and revoked from a moment on: vouchers that reach beyond it need another key.
    function test_T45_ARevokedMeterKeySignsNothingMore() external {
        address stolen = vm.addr(_meterKey(sellerKey));
        uint64 moment = uint64(_over(1));
        vm.prank(issuer);
        registry.setMeterKey(DEVICE, stolen, 0, moment);
        vm.prank(issuer);
        registry.setMeterKey(DEVICE, vm.addr(0xfee1), moment, type(uint64).max);
        vm.warp(_end(W));
        _redeemRefused(_voucher(DEVICE, W, 2, 600), Metering.Refusal.BadSignature);
        _redeem(_voucher(DEVICE, W, 1, 300));
        Metering.Voucher memory v = _voucher(DEVICE, W, 3, 950);
        delivery.redeem(v, _signVoucher(v, 0xfee1));
        _assertCounted(DEVICE, 950, 3);
    }

    /// A buyer sees vouchers on their way and redeems the worst for the seller: nothing is lost, the next one adds the rest.
    function test_T45_AStrangersRedemptionCutsNothingOff() external {
        vm.warp(_end(W));
        Metering.Voucher memory first = _voucher(DEVICE, W, 1, 0);
        Metering.Voucher memory last = _voucher(DEVICE, W, 3, 950);
        (bytes memory s1, bytes memory s3) = (_signVoucher(first), _signVoucher(last));
        vm.prank(buyer);
        delivery.redeem(first, s1);
        vm.prank(seller);
        delivery.redeem(last, s3);
        vm.warp(_readingsClose(W));
        delivery.settle(_sellerRight);
        delivery.settle(_buyerRight);
        assertEq(market.balanceOf(seller), FUNDS + 1000);
        assertEq(market.balanceOf(buyer), FUNDS - 1000, "no compensation");
    }

    /// Whoever redeems whichever vouchers, in whatever order, once or often: with the last one, all is counted.
    function testFuzz_T45_AnyOrderAndAnySubsetEndsTheSame(uint256 seed, address caller) external {
        vm.warp(_end(W));
        uint256[3] memory sums = [seed % 300, 300 + seed % 311, 700 + seed % 251];
        for (uint256 i; i < 6; ++i) {
            uint256 t = uint256(keccak256(abi.encode(seed, i))) % 3 + 1;
            Metering.Voucher memory v = _voucher(DEVICE, W, t, sums[t - 1]);
            bytes memory signature = _signVoucher(v);
            vm.prank(caller);
            try delivery.redeem(v, signature) {} catch {}
        }
        Metering.Voucher memory last = _voucher(DEVICE, W, 3, sums[2]);
        bytes memory s = _signVoucher(last);
        try delivery.redeem(last, s) {} catch {}
        _assertCounted(DEVICE, sums[2], 3);
    }

    /// Two of three vouchers are lost on their way: the third tells the whole.
    function test_T45_ALostVoucherCostsNothingThatTheNextDoesNotRestore() external {
        vm.warp(_end(W));
        _redeem(_voucher(DEVICE, W, 3, 950));
        assertEq(delivery.draw(_sellerRight), 1000);
    }

    /// Vouchers use no counter up: readings go on as if there were none.
    function test_T45_AVoucherDoesNotHoldReadingsUp() external {
        vm.warp(_end(W));
        Metering.Voucher memory v = _voucher(DEVICE, W, 1, 300);
        bytes memory signature = _signVoucher(v);
        vm.prank(buyer);
        delivery.redeem(v, signature);
        Metering.Reading memory r = _reading(DEVICE, W, 1, 300, 2);
        signature = _signReading(r, _meterKey(sellerKey));
        // the reading of sub-slot 0 (counter 1) can never be counted; owner and meter skip it
        vm.prank(seller);
        delivery.submit(r, signature);
        r = _reading(DEVICE, W, 2, 350, 3);
        delivery.submit(r, _signReading(r, _meterKey(sellerKey)));
        _assertCounted(DEVICE, 950, 3);
    }

    /// A reading was lost and skipped by the owner; a later voucher tells what it said.
    function test_T45_AVoucherRestoresALostReading() external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(DEVICE, W, 1, 300, 2);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        vm.prank(seller);
        delivery.submit(r, signature);
        _assertCounted(DEVICE, 300, 2);
        _redeem(_voucher(DEVICE, W, 3, 950));
        _assertCounted(DEVICE, 950, 3);
    }

    /// The meter has no reading of a sub-slot, its counters go on, and a stranger sends the window's last reading first: the
    /// voucher over the same sub-slots still counts what the readings left out.
    function test_T45_AReadingAfterAGapCutsNoVoucherOff() external {
        vm.warp(_end(W));
        vm.startPrank(buyer);
        for (uint256 i; i < 2; ++i) {
            Metering.Reading memory r = _reading(DEVICE, W, 2 * i, i == 0 ? 300 : 350, i + 1);
            delivery.submit(r, _signReading(r, _meterKey(sellerKey)));
        }
        vm.stopPrank();
        _assertCounted(DEVICE, 650, 3);
        _redeem(_voucher(DEVICE, W, 3, 950));
        _assertCounted(DEVICE, 950, 3);
        assertEq(delivery.entitlementOf(_sellerRight), 1000);
    }

    // ----------------------------------------------------------------------------------------------------------- T46

    /// A sub-slot that a voucher counted is read as well.
    function test_T46_AVoucherThenItsReadingsCountOnce() external {
        vm.warp(_end(W));
        _redeem(_voucher(DEVICE, W, 2, 600));
        for (uint256 i; i < 2; ++i) {
            Metering.Reading memory r = _reading(DEVICE, W, i, 300, i + 1);
            bytes memory signature = _signReading(r, _meterKey(sellerKey));
            vm.expectRevert(_refusal(DEVICE, W, i, Metering.Refusal.OutOfOrder));
            vm.prank(seller);
            delivery.submit(r, signature);
        }
        _assertCounted(DEVICE, 600, 2);
    }

    /// Sub-slots that were read are covered by a voucher as well: it replaces, it does not add.
    function test_T46_ReadingsThenTheirVoucherCountOnce() external {
        _read(sellerKey, DEVICE, W, 0, 300);
        _read(sellerKey, DEVICE, W, 1, 300);
        _redeemRefused(_voucher(DEVICE, W, 2, 600), Metering.Refusal.Superseded);
        vm.warp(_end(W));
        _redeem(_voucher(DEVICE, W, 3, 950));
        _assertCounted(DEVICE, 950, 3);
        assertEq(delivery.draw(_sellerRight), 1000);
    }

    /// The whole window in all three forms.
    function test_T46_ThreeFormsOfOneWindowCountOnce() external {
        vm.warp(_end(W));
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(300, 300, 350), 1);
        uint256 start = vm.snapshotState();
        for (uint256 form; form < 3; ++form) {
            if (form == 0) _deliver(sellerKey, DEVICE, W, 950);
            if (form == 1) _redeem(_voucher(DEVICE, W, 3, 950));
            if (form == 2) _openSealed(s);
            _assertCounted(DEVICE, 950, 3);
            _redeemRefused(_voucher(DEVICE, W, 3, 950), Metering.Refusal.Superseded);
            _openRefused(s, Metering.Refusal.Superseded);
            Metering.Reading memory r = _reading(DEVICE, W, 2, 350, 4);
            bytes memory signature = _signReading(r, _meterKey(sellerKey));
            vm.expectRevert(_refusal(DEVICE, W, 2, Metering.Refusal.OutOfOrder));
            vm.prank(seller);
            delivery.submit(r, signature);
            assertEq(delivery.draw(_sellerRight), 1000);
            assertEq(delivery.draw(_sellerRight), 0);
            vm.revertToState(start);
        }
    }

    /// The signature of one form is passed off as another's.
    function test_T46_AFormsSignatureHoldsForNoOtherForm() external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(DEVICE, W, 2, 300, 1);
        Metering.Voucher memory v = _voucher(DEVICE, W, 2, 300);
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(100, 200), 1);
        bytes memory ofReading = _signReading(r, _meterKey(sellerKey));
        bytes memory ofVoucher = _signVoucher(v);
        bytes memory ofSealed = _signSealed(s);
        _redeemRefused(v, ofReading, Metering.Refusal.BadSignature);
        _redeemRefused(v, ofSealed, Metering.Refusal.BadSignature);
        _openRefused(s, ofVoucher, Metering.Refusal.BadSignature);
        _openRefused(s, ofReading, Metering.Refusal.BadSignature);
        vm.expectRevert(_refusal(DEVICE, W, 2, Metering.Refusal.BadSignature));
        delivery.submit(r, ofVoucher);
    }
}
