// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Delivery.submit(reading, signature): every refusal, in order.
contract SubmitTest is Fixture {
    uint256 private constant DEVICE = 1;

    /// when the sub-slot is none of the window, or the window none of the calendar > it is refused by BadSubSlot
    function testFuzz_RevertWhen_BadSubSlot(uint16 subSlot, uint32 window) external {
        vm.warp(_end(W));
        _expect(_reading(DEVICE, W, bound(subSlot, 3, type(uint16).max), 1, 1), Metering.Refusal.BadSubSlot);
        window = uint32(bound(window, 8 * 65_536, type(uint32).max));
        _expect(_reading(DEVICE, window, 0, 1, 1), Metering.Refusal.BadSubSlot);
    }

    /// when the sub-slot has not ended > it is refused by NotOver; at its end > it is accepted (T9)
    function testFuzz_RevertWhen_NotOver(uint8 subSlot) external {
        subSlot %= 3;
        uint256 end = _start(W) + (uint256(subSlot) + 1) * 300;
        Metering.Reading memory r = _reading(DEVICE, W, subSlot, 1, 1);
        vm.warp(end - 1);
        _expect(r, Metering.Refusal.NotOver);
        vm.warp(end);
        _submit(r);
    }

    /// when the readings are closed > it is refused by TooLate; a second before > it is accepted (T9)
    function test_TheGraceEnds() external {
        Metering.Reading memory r = _reading(DEVICE, W, 2, 1, 1);
        for (uint256 i; i < 2; ++i) {
            vm.warp(_readingsClose(W) + i);
            _expect(r, Metering.Refusal.TooLate);
        }
        vm.warp(_readingsClose(W) - 1);
        _submit(r);
    }

    /// when the device is unknown > it is refused by UnknownDevice
    function testFuzz_RevertWhen_UnknownDevice(uint32 device) external {
        vm.assume(device == 0 || device > 2);
        vm.warp(_end(W));
        _expect(_reading(device, W, 0, 0, 1), Metering.Refusal.UnknownDevice);
    }

    /// when the energy exceeds the export power over the sub-slot > it is refused by Implausible; at it > it is accepted
    function testFuzz_RevertWhen_Implausible(uint48 energy) external {
        // 80,000 W for 300 s: 6,666.67 Wh, rounded up
        vm.warp(_end(W));
        _expect(_reading(DEVICE, W, 0, bound(energy, 6668, type(uint48).max), 1), Metering.Refusal.Implausible);
        _submit(_reading(DEVICE, W, 0, 6667, 1));
    }

    /// when no key of the device signed it > it is refused by BadSignature (T23)
    function testFuzz_RevertWhen_ForgedSignature(uint256 key) external {
        key = bound(key, 1, type(uint128).max);
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(DEVICE, W, 0, 1, 1);
        _expectWith(r, _signReading(r, key), Metering.Refusal.BadSignature);
        _expectWith(r, _signReading(r, _meterKey(seller2Key)), Metering.Refusal.BadSignature);
    }

    /// when the signature is no signature > it is refused by BadSignature
    function testFuzz_RevertWhen_NoSignature(bytes memory signature) external {
        vm.assume(signature.length != 65);
        vm.warp(_end(W));
        _expectWith(_reading(DEVICE, W, 0, 1, 1), signature, Metering.Refusal.BadSignature);
    }

    /// when any value of the reading was altered > it is refused by BadSignature (T23)
    function testFuzz_RevertWhen_Altered(uint8 which) external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(DEVICE, W, 0, 100, 1);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        which %= 4;
        if (which == 0) r.device = 2;
        if (which == 1) r.subSlot = 1;
        if (which == 2) r.energy = 101;
        if (which == 3) r.counter = 2;
        _expectWith(r, signature, Metering.Refusal.BadSignature);
    }

    /// when the key was not valid at the sub-slot's end > it is refused by BadSignature, whenever it is sent (T23)
    function test_RevertWhen_TheKeyWasRevoked() external {
        vm.warp(_end(W));
        address key = vm.addr(_meterKey(sellerKey));
        uint64 last = uint64(_start(W) + 600);
        vm.prank(issuer);
        registry.setMeterKey(DEVICE, key, 0, last);
        _submit(_reading(DEVICE, W, 1, 1, 1)); // ends at the key's last second
        _expect(_reading(DEVICE, W, 2, 1, 2), Metering.Refusal.BadSignature);
    }

    /// when the counter does not exceed the last one > it is refused by OldCounter (T23)
    function testFuzz_RevertWhen_OldCounter(uint64 counter, uint64 old) external {
        counter = uint64(bound(counter, 1, type(uint64).max));
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(DEVICE, W, 0, 1, counter);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        vm.prank(seller);
        delivery.submit(r, signature);
        _expect(_reading(DEVICE, W, 1, 1, bound(old, 0, counter)), Metering.Refusal.OldCounter);
    }

    /// when the same or a later sub-slot was read > it is refused by OutOfOrder (T23)
    function testFuzz_RevertWhen_OutOfOrder(uint8 read, uint8 late) external {
        uint256 position = read % 3;
        vm.warp(_end(W));
        _submit(_reading(DEVICE, W, position, 1, 1));
        _expect(_reading(DEVICE, W, bound(late, 0, position), 1, 2), Metering.Refusal.OutOfOrder);
    }

    /// when it skips a counter > given a stranger sends it > it is refused by Gap
    function testFuzz_RevertWhen_AStrangerSkips(address caller, uint64 counter) external {
        vm.assume(caller != seller && caller != vm.addr(_meterKey(sellerKey)));
        counter = uint64(bound(counter, 2, type(uint64).max));
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(DEVICE, W, 0, 1, counter);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        vm.expectRevert(_refusal(r, Metering.Refusal.Gap));
        vm.prank(caller);
        delivery.submit(r, signature);
    }

    /// when it skips a counter > given the meter or the owner sends it > it is accepted
    function testFuzz_MeterAndOwnerMaySkip(bool owner, uint64 counter) external {
        counter = uint64(bound(counter, 2, type(uint64).max));
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(DEVICE, W, 0, 1, counter);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        vm.prank(owner ? seller : vm.addr(_meterKey(sellerKey)));
        delivery.submit(r, signature);
        (uint256 last,) = delivery.progressOf(DEVICE);
        assertEq(last, counter, "counter");
    }

    /// when all is well > anybody may submit it, and the energy adds up
    function testFuzz_TheEnergyAddsUp(address caller, uint16 a, uint16 b, uint16 c) external {
        vm.warp(_end(W));
        uint256[3] memory energy = [uint256(a) % 6667, uint256(b) % 6667, uint256(c) % 6667];
        for (uint256 i; i < 3; ++i) {
            Metering.Reading memory r = _reading(DEVICE, W, i, energy[i], i + 1);
            bytes memory signature = _signReading(r, _meterKey(sellerKey));
            vm.prank(caller);
            delivery.submit(r, signature);
        }
        assertEq(delivery.deliveredWh(W, DEVICE), energy[0] + energy[1] + energy[2], "sum");
    }

    /// when all is well > counter and position move on
    function testFuzz_ProgressMovesOn(uint8 subSlot, uint8 window) external {
        uint256 w = window;
        vm.warp(_end(w));
        _submit(_reading(DEVICE, w, subSlot % 3, 1, 1));
        (uint256 counter, uint256 next) = delivery.progressOf(DEVICE);
        assertEq(counter, 1, "counter");
        assertEq(next, w * 3 + subSlot % 3 + 1, "next");
    }

    /// digestOf > it is the EIP-712 hash that the meter signs
    function testFuzz_DigestIsEip712(Metering.Reading memory r) external view {
        bytes memory signature = _signReading(r, sellerKey);
        (bytes32 rr, bytes32 s, uint8 v) = _split(signature);
        assertEq(ecrecover(delivery.digestOf(r), v, rr, s), seller, "signer");
    }

    /// when all is well > it emits ReadingAccepted
    function test_Emits() external {
        vm.warp(_end(W));
        Metering.Reading memory r = _reading(DEVICE, W, 1, 5, 1);
        bytes memory signature = _signReading(r, _meterKey(sellerKey));
        vm.expectEmit(address(delivery));
        emit Metering.ReadingAccepted(DEVICE, W, 1, 5, 1, signature);
        delivery.submit(r, signature);
    }

    function _submit(Metering.Reading memory r) private {
        delivery.submit(r, _signReading(r, _meterKey(sellerKey)));
    }

    function _expect(Metering.Reading memory r, Metering.Refusal refusal) private {
        _expectWith(r, _signReading(r, _meterKey(sellerKey)), refusal);
    }

    function _expectWith(Metering.Reading memory r, bytes memory signature, Metering.Refusal refusal) private {
        vm.expectRevert(_refusal(r, refusal));
        delivery.submit(r, signature);
    }

    function _refusal(Metering.Reading memory r, Metering.Refusal refusal) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Errors.ReadingRefused.selector, r.device, r.window, r.subSlot, uint8(refusal));
    }

    function _split(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }
}
