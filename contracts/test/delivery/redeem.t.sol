// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {EvidenceFixture} from "./EvidenceFixture.sol";

/// @notice Delivery.redeem(voucher, signature): every refusal, in order.
contract RedeemTest is EvidenceFixture {
    /// when it covers no sub-slot, or more than the window has > it is refused by BadSubSlot
    function testFuzz_RevertWhen_BadThrough(uint16 through) external {
        vm.warp(_end(W));
        _redeemRefused(_voucher(DEVICE, W, 0, 0), Metering.Refusal.BadSubSlot);
        _redeemRefused(_voucher(DEVICE, W, bound(through, SLOTS + 1, type(uint16).max), 1), Metering.Refusal.BadSubSlot);
    }

    /// when the window is none of the calendar > it is refused by BadSubSlot
    function testFuzz_RevertWhen_BadWindow(uint32 window) external {
        vm.warp(_end(W));
        window = uint32(bound(window, 8 * 65_536, type(uint32).max));
        _redeemRefused(_voucher(DEVICE, window, 1, 1), Metering.Refusal.BadSubSlot);
        _redeemRefused(_voucher(DEVICE, 8 * 65_536 - 1, 1, 1), Metering.Refusal.NotOver);
    }

    /// when its last sub-slot has not ended > it is refused by NotOver; at its end and after > it is accepted (T9)
    function testFuzz_TheLastSubSlotMustBeOver(uint8 through) external {
        uint256 t = bound(through, 1, SLOTS);
        Metering.Voucher memory v = _voucher(DEVICE, W, t, 7);
        vm.warp(_over(t) - 1);
        _redeemRefused(v, Metering.Refusal.NotOver);
        _assertCounted(DEVICE, 0, 0);
        uint256 before = vm.snapshotState();
        for (uint256 i; i < 2; ++i) {
            vm.warp(_over(t) + i);
            _redeem(v);
            _assertCounted(DEVICE, 7, t);
            vm.revertToState(before);
        }
    }

    /// when the readings are closed > it is refused by TooLate; a second before > it is accepted (T9)
    function testFuzz_TheGraceEnds(uint8 through) external {
        Metering.Voucher memory v = _voucher(DEVICE, W, bound(through, 1, SLOTS), 7);
        for (uint256 i; i < 2; ++i) {
            vm.warp(_readingsClose(W) + i);
            _redeemRefused(v, Metering.Refusal.TooLate);
        }
        vm.warp(_readingsClose(W) - 1);
        _redeem(v);
    }

    /// when the device is unknown > it is refused by UnknownDevice
    function testFuzz_RevertWhen_UnknownDevice(uint32 device) external {
        vm.assume(device == 0 || device > 2);
        vm.warp(_end(W));
        _redeemRefused(_voucher(device, W, 1, 0), Metering.Refusal.UnknownDevice);
    }

    /// when the energy exceeds the export power over its sub-slots > it is refused by Implausible; at it > it is accepted
    function testFuzz_RevertWhen_Implausible(uint8 through, uint48 energy) external {
        vm.warp(_end(W));
        uint256 t = bound(through, 1, SLOTS);
        uint256 beyond = bound(energy, t * MOST + 1, type(uint48).max);
        _redeemRefused(_voucher(DEVICE, W, t, beyond), Metering.Refusal.Implausible);
        _redeemRefused(_voucher(DEVICE, W, t, t * MOST + 1), Metering.Refusal.Implausible);
        _redeem(_voucher(DEVICE, W, t, t * MOST));
        _assertCounted(DEVICE, t * MOST, t);
    }

    /// when no key of the device signed it > it is refused by BadSignature (T45)
    function testFuzz_RevertWhen_ForgedSignature(uint256 key) external {
        key = bound(key, 1, type(uint128).max);
        vm.warp(_end(W));
        Metering.Voucher memory v = _voucher(DEVICE, W, 1, 1);
        _redeemRefused(v, _signVoucher(v, key), Metering.Refusal.BadSignature);
        _redeemRefused(v, _signVoucher(v, _meterKey(seller2Key)), Metering.Refusal.BadSignature);
    }

    /// when the signature is no signature > it is refused by BadSignature
    function testFuzz_RevertWhen_NoSignature(bytes memory signature) external {
        vm.assume(signature.length != 65);
        vm.warp(_end(W));
        _redeemRefused(_voucher(DEVICE, W, 1, 1), signature, Metering.Refusal.BadSignature);
    }

    /// when the key ended before its last sub-slot did > it is refused by BadSignature; at its end > it is accepted (T45)
    function testFuzz_TheKeysLastSecond(uint8 through) external {
        uint256 t = bound(through, 1, SLOTS);
        vm.warp(_end(W));
        _keyFromTo(0, _over(t) - 1);
        _redeemRefused(_voucher(DEVICE, W, t, 1), Metering.Refusal.BadSignature);
        _keyFromTo(0, _over(t));
        _redeem(_voucher(DEVICE, W, t, 1));
    }

    /// when the key began after its last sub-slot ended > it is refused by BadSignature; at its end > it is accepted
    function testFuzz_TheKeysFirstSecond(uint8 through) external {
        uint256 t = bound(through, 1, SLOTS);
        vm.warp(_end(W));
        _keyFromTo(_over(t) + 1, type(uint64).max);
        _redeemRefused(_voucher(DEVICE, W, t, 1), Metering.Refusal.BadSignature);
        _keyFromTo(_over(t), type(uint64).max);
        _redeem(_voucher(DEVICE, W, t, 1));
    }

    /// when it covers less than was counted > it is refused by Superseded, whatever its energy (T45)
    function testFuzz_RevertWhen_Superseded(uint8 counted, uint8 through, uint16 energy) external {
        uint256 c = bound(counted, 2, SLOTS);
        uint256 t = bound(through, 1, c - 1);
        vm.warp(_end(W));
        _redeem(_voucher(DEVICE, W, c, 100));
        _redeemRefused(_voucher(DEVICE, W, t, bound(energy, 0, t * MOST)), Metering.Refusal.Superseded);
        _assertCounted(DEVICE, 100, c);
    }

    /// when it covers as much as was counted > no more energy: it is refused by Superseded; more > it is accepted (T45)
    function testFuzz_TheSameSubSlotsNeedMoreEnergy(uint8 through, uint16 less) external {
        uint256 t = bound(through, 1, SLOTS);
        vm.warp(_end(W));
        _redeem(_voucher(DEVICE, W, t, 100));
        _redeemRefused(_voucher(DEVICE, W, t, bound(less, 0, 100)), Metering.Refusal.Superseded);
        _redeem(_voucher(DEVICE, W, t, 101));
        _assertCounted(DEVICE, 101, t);
    }

    /// when its energy is less than was counted > it is refused by Shrinks; the same energy > it is accepted (T45)
    function testFuzz_RevertWhen_Shrinks(uint16 counted, uint16 energy) external {
        uint256 c = bound(counted, 1, MOST);
        vm.warp(_end(W));
        _redeem(_voucher(DEVICE, W, 1, c));
        _redeemRefused(_voucher(DEVICE, W, 2, bound(energy, 0, c - 1)), Metering.Refusal.Shrinks);
        _assertCounted(DEVICE, c, 1);
        _redeem(_voucher(DEVICE, W, 2, c));
        _assertCounted(DEVICE, c, 2);
    }

    /// when all is well > anybody may redeem it, and it replaces what was counted
    function testFuzz_TheHighestWins(address caller, uint16 a, uint16 b, uint16 c) external {
        vm.warp(_end(W));
        uint256[3] memory energy = [uint256(a) % MOST, uint256(b) % MOST, uint256(c) % MOST];
        uint256 sum;
        for (uint256 i; i < SLOTS; ++i) {
            sum += energy[i];
            Metering.Voucher memory v = _voucher(DEVICE, W, i + 1, sum);
            bytes memory signature = _signVoucher(v);
            vm.prank(caller);
            delivery.redeem(v, signature);
            _assertCounted(DEVICE, sum, i + 1);
        }
    }

    /// when all is well > it moves neither the reading counter nor another window nor another device
    function testFuzz_MovesNothingElse(uint8 through, uint16 energy) external {
        vm.warp(_end(W));
        uint256 t = bound(through, 1, SLOTS);
        _redeem(_voucher(DEVICE, W, t, energy % MOST));
        (uint256 counter, uint256 next) = delivery.progressOf(DEVICE);
        assertEq(counter + next, 0, "progress");
        _assertCounted(DEVICE2, 0, 0);
        assertEq(delivery.deliveredWh(W + 1, DEVICE) + delivery.throughOf(W + 1, DEVICE), 0, "the next window");
    }

    /// when all is well > it emits VoucherRedeemed
    function test_Emits() external {
        vm.warp(_end(W));
        Metering.Voucher memory v = _voucher(DEVICE, W, 2, 5);
        bytes memory signature = _signVoucher(v);
        vm.expectEmit(address(delivery));
        emit Metering.VoucherRedeemed(DEVICE, W, 2, 5, signature);
        delivery.redeem(v, signature);
    }

    /// voucherDigestOf > it is the EIP-712 hash that the meter signs
    function testFuzz_DigestIsEip712(Metering.Voucher memory v) external view {
        (bytes32 r, bytes32 s, uint8 p) = _parts(_signVoucher(v, sellerKey));
        assertEq(ecrecover(delivery.voucherDigestOf(v), p, r, s), seller, "signer");
    }

    function _keyFromTo(uint256 from, uint256 to) private {
        vm.prank(issuer);
        registry.setMeterKey(DEVICE, vm.addr(_meterKey(sellerKey)), uint64(from), uint64(to));
    }
}
