// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Seal} from "../utils/Seal.sol";
import {EvidenceFixture} from "./EvidenceFixture.sol";

/// @notice Delivery.openSealed(sealed, signature): every refusal, in order.
contract OpenSealedTest is EvidenceFixture {
    /// when there are not 64 bytes for each sub-slot > it reverts with LengthMismatch
    function testFuzz_RevertWhen_TheLengthIsWrong(uint16 through, uint16 length) external {
        vm.warp(_end(W));
        Metering.SealedVoucher memory s;
        (s.device, s.through, s.points) = (1, through % 8, new bytes(length % 520));
        vm.assume(s.points.length != 64 * uint256(s.through));
        bytes memory signature = _signSealed(s);
        vm.expectRevert(Errors.LengthMismatch.selector);
        delivery.openSealed(s, signature);
    }

    /// when it covers no sub-slot, or more than the window has > it is refused by BadSubSlot
    function testFuzz_RevertWhen_BadThrough(uint8 through) external {
        vm.warp(_end(W));
        Metering.SealedVoucher memory s;
        s.device = 1;
        _openRefused(s, Metering.Refusal.BadSubSlot);
        s = _sealed(DEVICE, W, new uint256[](bound(through, SLOTS + 1, 10)), 1);
        _openRefused(s, Metering.Refusal.BadSubSlot);
    }

    /// when the window is none of the calendar > it is refused by BadSubSlot
    function testFuzz_RevertWhen_BadWindow(uint32 window) external {
        vm.warp(_end(W));
        window = uint32(bound(window, 8 * 65_536, type(uint32).max));
        _openRefused(_sealed(DEVICE, window, _profile(1), 1), Metering.Refusal.BadSubSlot);
    }

    /// when its last sub-slot has not ended > it is refused by NotOver; at its end and after > it is accepted (T9)
    function test_TheLastSubSlotMustBeOver() external {
        for (uint256 t = 1; t <= SLOTS; ++t) {
            Metering.SealedVoucher memory s = _sealed(DEVICE, W, _flat(t, 5), t);
            vm.warp(_over(t) - 1);
            _openRefused(s, Metering.Refusal.NotOver);
            uint256 before = vm.snapshotState();
            vm.warp(_over(t) + 1);
            _openSealed(s);
            vm.revertToState(before);
            vm.warp(_over(t));
            _openSealed(s);
            _assertCounted(DEVICE, 5 * t, t);
        }
    }

    /// when the readings are closed > it is refused by TooLate; a second before > it is accepted (T9)
    function test_TheGraceEnds() external {
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(1, 2, 3), 1);
        for (uint256 i; i < 2; ++i) {
            vm.warp(_readingsClose(W) + i);
            _openRefused(s, Metering.Refusal.TooLate);
        }
        vm.warp(_readingsClose(W) - 1);
        _openSealed(s);
        _assertCounted(DEVICE, 6, 3);
    }

    /// when the device is unknown > it is refused by UnknownDevice
    function testFuzz_RevertWhen_UnknownDevice(uint32 device) external {
        vm.assume(device == 0 || device > 2);
        vm.warp(_end(W));
        _openRefused(_sealed(device, W, _profile(0), 1), Metering.Refusal.UnknownDevice);
    }

    /// when the sum exceeds the export power over its sub-slots > it is refused by Implausible; at it > it is accepted
    function test_RevertWhen_Implausible() external {
        vm.warp(_end(W));
        _openRefused(_sealed(DEVICE, W, _profile(MOST, MOST, MOST + 1), 1), Metering.Refusal.Implausible);
        // One sub-slot above the certified power is not seen while the sum is plausible: a stated limit.
        _openSealed(_sealed(DEVICE, W, _profile(0, 0, 3 * MOST), 1));
        _assertCounted(DEVICE, 3 * MOST, 3);
    }

    /// when no key of the device signed the points > it is refused by BadSignature (T47)
    function testFuzz_RevertWhen_ForgedSignature(uint256 key) external {
        key = bound(key, 1, type(uint128).max);
        vm.warp(_end(W));
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(1, 2), 1);
        _openRefused(s, _signSealed(s, key), Metering.Refusal.BadSignature);
        _openRefused(s, _signSealed(s, _meterKey(seller2Key)), Metering.Refusal.BadSignature);
        _openRefused(s, "", Metering.Refusal.BadSignature);
    }

    /// when the key ended before its last sub-slot did > it is refused by BadSignature; at its end > it is accepted
    function test_TheKeysLastSecond() external {
        vm.warp(_end(W));
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(1, 2), 1);
        (address key, uint64 end) = (vm.addr(_meterKey(sellerKey)), uint64(_over(2)));
        vm.prank(issuer);
        registry.setMeterKey(DEVICE, key, 0, end - 1);
        _openRefused(s, Metering.Refusal.BadSignature);
        vm.prank(issuer);
        registry.setMeterKey(DEVICE, key, end, end);
        _openSealed(s);
    }

    /// when it covers less than was counted, or as much and no more energy > it is refused by Superseded
    function test_RevertWhen_Superseded() external {
        vm.warp(_end(W));
        _openSealed(_sealed(DEVICE, W, _profile(1, 2), 1));
        _openRefused(_sealed(DEVICE, W, _profile(1, 2), 1), Metering.Refusal.Superseded);
        _openRefused(_sealed(DEVICE, W, _profile(1000), 1), Metering.Refusal.Superseded);
        _assertCounted(DEVICE, 3, 2);
        _openSealed(_sealed(DEVICE, W, _profile(1, 3), 1));
        _assertCounted(DEVICE, 4, 2);
    }

    /// when its sum is less than was counted > it is refused by Shrinks; the same > it is accepted
    function test_RevertWhen_Shrinks() external {
        vm.warp(_end(W));
        _redeem(_voucher(DEVICE, W, 1, 100));
        _openRefused(_sealed(DEVICE, W, _profile(50, 49), 1), Metering.Refusal.Shrinks);
        _openSealed(_sealed(DEVICE, W, _profile(50, 50), 1));
        _assertCounted(DEVICE, 100, 2);
    }

    /// when the sum or the blinder is another > it is refused by WrongOpening, and nothing is counted (T48)
    function testFuzz_RevertWhen_WrongOpening(uint16 energy, uint256 blinder) external {
        vm.warp(_end(W));
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(1000, 2000, 3000), 1);
        uint256 right = s.blinder;
        vm.assume(energy != 6000 && energy <= 3 * MOST && blinder != right);
        s.energy = energy;
        _openRefused(s, Metering.Refusal.WrongOpening);
        (s.energy, s.blinder) = (6000, blinder);
        _openRefused(s, Metering.Refusal.WrongOpening);
        _assertCounted(DEVICE, 0, 0);
        s.blinder = right;
        _openSealed(s);
        _assertCounted(DEVICE, 6000, 3);
    }

    /// when a point is off the curve > it is refused by WrongOpening, at little cost (T48)
    function testFuzz_RevertWhen_OffTheCurve(uint256 x, uint256 y, uint8 place) external {
        vm.assume(x | y != 0 && !_onCurve(x, y));
        vm.warp(_end(W));
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(1, 2, 3), 1);
        _write(s.points, place % 3, x, y);
        bytes memory signature = _signSealed(s);
        uint256 gas = gasleft();
        _openRefused(s, signature, Metering.Refusal.WrongOpening);
        assertLt(gas - gasleft(), 150_000, "a failing precompile does not burn the transaction's gas");
    }

    /// when all is well > anybody who knows the sums may open, and the sum counts
    function testFuzz_TheSumCounts(address caller, uint16[3] memory energy, uint256 salt) external {
        vm.warp(_end(W));
        uint256[] memory u = _profile(energy[0] % MOST, energy[1] % MOST, energy[2] % MOST);
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, u, salt);
        bytes memory signature = _signSealed(s);
        vm.prank(caller);
        delivery.openSealed(s, signature);
        _assertCounted(DEVICE, u[0] + u[1] + u[2], 3);
    }

    /// when all is well > it emits SealedOpened
    function test_Emits() external {
        vm.warp(_end(W));
        Metering.SealedVoucher memory s = _sealed(DEVICE, W, _profile(1, 2), 1);
        bytes memory signature = _signSealed(s);
        vm.expectEmit(address(delivery));
        emit Metering.SealedOpened(DEVICE, W, 2, 3, s.blinder, s.points, signature);
        delivery.openSealed(s, signature);
    }

    /// sealedDigestOf > it is the EIP-712 hash that the meter signs, and tells neither sum nor blinder
    function testFuzz_DigestIsEip712(Metering.SealedVoucher memory s) external view {
        (bytes32 r, bytes32 ss, uint8 v) = _parts(_signSealed(s, sellerKey));
        bytes32 digest = delivery.sealedDigestOf(s);
        assertEq(ecrecover(digest, v, r, ss), seller, "signer");
        unchecked {
            ++s.energy;
            ++s.blinder;
        }
        assertEq(delivery.sealedDigestOf(s), digest, "the opening is not signed");
    }

    function _flat(uint256 through, uint256 u) private pure returns (uint256[] memory energy) {
        energy = new uint256[](through);
        for (uint256 i; i < through; ++i) {
            energy[i] = u;
        }
    }

    function _onCurve(uint256 x, uint256 y) private pure returns (bool) {
        if (x >= Seal.FIELD || y >= Seal.FIELD) return false;
        uint256 cube = mulmod(mulmod(x, x, Seal.FIELD), x, Seal.FIELD);
        return mulmod(y, y, Seal.FIELD) == addmod(cube, 3, Seal.FIELD);
    }

    function _write(bytes memory points, uint256 place, uint256 x, uint256 y) private pure {
        assembly ("memory-safe") {
            let p := add(add(points, 0x20), mul(place, 0x40))
            mstore(p, x)
            mstore(add(p, 0x20), y)
        }
    }
}
