// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {Registry} from "../../src/Registry.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Attacks on meter readings: forged, replayed, back-dated, reordered, cut off (T23, T29, T38).
contract ReadingAttacks is Fixture {
    uint256 private _sellerRight;
    uint256 private _buyerRight;

    function setUp() public override {
        super.setUp();
        (_sellerRight, _buyerRight) = _issued();
    }

    /// Signed by nobody's, another seller's, or the owner's own key.
    function test_T23_AForgedReadingIsRefused() external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(1, W, 0, 300, 1);
        _refuse(r, _signReading(r, 0xbad), Metering.Refusal.BadSignature);
        _refuse(r, _signReading(r, _meterKey(seller2Key)), Metering.Refusal.BadSignature);
        _refuse(r, _signReading(r, sellerKey), Metering.Refusal.BadSignature);
        _refuse(r, "", Metering.Refusal.BadSignature);
    }

    /// A true signature is put on other values.
    function testFuzz_T23_NoValueOfAReadingCanBeAltered(uint8 field, uint32 value) external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(1, W, 0, 300, 1);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        bytes32 before = keccak256(abi.encode(r));
        field = uint8(bound(field, 0, 2));
        if (field == 0) r.subSlot = uint16(value % 3);
        if (field == 1) r.energy = uint48(value % 6000);
        if (field == 2) r.counter = uint64(value) + 1;
        if (keccak256(abi.encode(r)) == before) return;
        _refuse(r, signature, Metering.Refusal.BadSignature);
    }

    /// The same signature over and over, also with its malleable twin.
    function test_T23_AReadingCountsOnce() external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(1, W, 0, 300, 1);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        delivery.submit(r, signature);
        _refuse(r, signature, Metering.Refusal.OldCounter);
        (bytes32 rr, bytes32 s, uint8 v) = _parts(signature);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory twin = abi.encodePacked(rr, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        _refuse(r, twin, Metering.Refusal.BadSignature);
        assertEq(delivery.deliveredWh(W, 1), 300);
    }

    /// A reading is replayed for another window, for another device with the same key, and at another market.
    function test_T23_AReadingHoldsForItsDeviceWindowAndMarketOnly() external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(1, W, 0, 300, 1);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        r.window = uint32(W + 1);
        vm.warp(_end(W + 1));
        _refuse(r, signature, Metering.Refusal.BadSignature);
        r.window = uint32(W);
        r.device = 2;
        vm.warp(_end(W));
        vm.prank(issuer);
        registry.setMeterKey(2, vm.addr(_meterKey(sellerKey)), 0, type(uint64).max);
        _refuse(r, signature, Metering.Refusal.BadSignature);
        _deploy(_parameters(), false);
        _enrol();
        r.device = 1;
        vm.warp(_end(W));
        _refuse(r, signature, Metering.Refusal.BadSignature);
    }

    /// The meter, or who stole its key, signs a reading for a sub-slot that lies before the last one counted.
    function test_T23_ABackDatedReadingIsRefused() external {
        _read(sellerKey, 1, W, 1, 300);
        Metering.Reading memory r = _reading(1, W, 0, 300, 2);
        _refuse(r, _signReading(r, _meterKey(sellerKey)), Metering.Refusal.OutOfOrder);
        r.subSlot = 1;
        _refuse(r, _signReading(r, _meterKey(sellerKey)), Metering.Refusal.OutOfOrder);
        vm.warp(_readingsClose(W));
        r.subSlot = 2;
        _refuse(r, _signReading(r, _meterKey(sellerKey)), Metering.Refusal.TooLate);
    }

    /// Energy that has not been delivered yet, or that the device cannot deliver.
    function test_T23_AReadingOfTheFutureOrBeyondTheDeviceIsRefused() external {
        vm.warp(_start(W) + 299);
        Metering.Reading memory r = _reading(1, W, 0, 300, 1);
        _refuse(r, _signReading(r, _meterKey(sellerKey)), Metering.Refusal.NotOver);
        vm.warp(_start(W) + 300);
        r.energy = 6667 + 1; // 80 kW · 300 s, rounded up
        _refuse(r, _signReading(r, _meterKey(sellerKey)), Metering.Refusal.Implausible);
        r.energy = 6667;
        delivery.submit(r, _signReading(r, _meterKey(sellerKey)));
    }

    /// A stolen key is revoked from a moment on: sub-slots that end later need another key.
    function test_T23_ARevokedMeterKeySignsNothingMore() external {
        uint64 moment = uint64(_start(W) + 300);
        vm.prank(issuer);
        registry.setMeterKey(1, vm.addr(_meterKey(sellerKey)), 0, moment);
        vm.prank(issuer);
        registry.setMeterKey(1, vm.addr(0xfee1), moment, type(uint64).max);
        _read(sellerKey, 1, W, 0, 300);
        vm.warp(_start(W) + 600);
        Metering.Reading memory r = _reading(1, W, 1, 300, 2);
        _refuse(r, _signReading(r, _meterKey(sellerKey)), Metering.Refusal.BadSignature);
        delivery.submit(r, _signReading(r, 0xfee1));
    }

    /// A buyer sees the seller's batch on its way and sends the last reading first: that would cut the others off for good,
    /// and turn the seller's payments and deposit into the buyer's compensation. The batch must count in full.
    function test_T29_AStrangerCannotCutReadingsOff() external {
        vm.warp(_end(W));
        (Metering.Reading[] memory readings, bytes[] memory signatures) = _batch();
        vm.startPrank(buyer);
        for (uint256 i = 2; i > 0; --i) {
            vm.expectRevert(
                abi.encodeWithSelector(Errors.ReadingRefused.selector, 1, W, i, uint8(Metering.Refusal.Gap))
            );
            delivery.submit(readings[i], signatures[i]);
        }
        vm.stopPrank();
        vm.prank(seller);
        assertEq(delivery.submitMany(readings, signatures), 3);
        assertEq(delivery.entitlementOf(_sellerRight), 1000);

        vm.warp(_readingsClose(W));
        delivery.settle(_sellerRight);
        delivery.settle(_buyerRight);
        assertEq(market.balanceOf(seller), FUNDS + 1000);
        assertEq(market.balanceOf(buyer), FUNDS - 1000, "no compensation");
    }

    /// Sending the next reading early, one by one, does the seller no harm.
    function test_T29_AnybodyMaySendTheNextReading() external {
        vm.warp(_end(W));
        (Metering.Reading[] memory readings, bytes[] memory signatures) = _batch();
        vm.prank(buyer);
        delivery.submit(readings[0], signatures[0]);
        assertEq(delivery.submitMany(readings, signatures), 2);
        assertEq(delivery.deliveredWh(W, 1), 1050);
    }

    /// A reading was lost for good: owner and meter can go on, nobody else decides that.
    function test_T29_OwnerAndMeterMaySkip() external {
        vm.warp(_end(W));
        (Metering.Reading[] memory readings, bytes[] memory signatures) = _batch();
        uint256 before = vm.snapshotState();
        vm.prank(seller);
        delivery.submit(readings[1], signatures[1]);
        vm.revertToState(before);
        vm.prank(vm.addr(_meterKey(sellerKey)));
        delivery.submit(readings[1], signatures[1]);
        delivery.submit(readings[2], signatures[2]);
        assertEq(delivery.deliveredWh(W, 1), 700);
    }

    /// Whoever holds no key cannot use the counter up.
    function test_T29_TheCounterCannotBeUsedUp() external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(1, W, 0, 300, type(uint64).max);
        _refuse(r, _signReading(r, _meterKey(sellerKey)), Metering.Refusal.Gap);
    }

    /// A thief with the meter's key uses the counter up. The key is revoked, the device is spent, and a new one goes on.
    function test_T38_AStolenMeterKeyCostsTheDeviceAndNoMore() external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(1, W, 0, 0, type(uint64).max);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        vm.prank(vm.addr(_meterKey(sellerKey)));
        delivery.submit(r, signature);
        vm.prank(issuer);
        registry.setMeterKey(1, vm.addr(_meterKey(sellerKey)), 0, 0);
        r = _reading(1, W, 1, 300, 1);
        _refuse(r, _signReading(r, _meterKey(sellerKey)), Metering.Refusal.BadSignature);

        Registry.DeviceCertificate memory c = _certificate(seller, 0xfee1, 20_000, 80_000);
        c.meterKey = vm.addr(0xfee1);
        assertEq(_device(c), 3);
        r = _reading(3, W, 1, 300, 1);
        delivery.submit(r, _signReading(r, 0xfee1));
        assertEq(delivery.deliveredWh(W, 1), 0, "what the old device sold is not helped by it");
    }

    function _batch() private view returns (Metering.Reading[] memory readings, bytes[] memory signatures) {
        (readings, signatures) = (new Metering.Reading[](3), new bytes[](3));
        for (uint256 i; i < 3; ++i) {
            readings[i] = _reading(1, W, i, 350, i + 1);
            signatures[i] = _signReading(readings[i], _meterKey(sellerKey));
        }
    }

    function _refuse(Metering.Reading memory r, bytes memory signature, Metering.Refusal reason) private {
        vm.expectRevert(
            abi.encodeWithSelector(Errors.ReadingRefused.selector, r.device, r.window, r.subSlot, uint8(reason))
        );
        delivery.submit(r, signature);
    }

    function _parts(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }
}
