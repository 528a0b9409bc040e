// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Metering} from "../../src/Metering.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {SealedPoints} from "./SealedPoints.sol";

/// @title Vouchers and sealed vouchers as a meter makes them, and refusals by their exact error.
/// @dev In the default calendar a window has 3 sub-slots of 300 s; the devices' 80 kW make 6,666.67 Wh of each, rounded up.
abstract contract EvidenceFixture is Fixture {
    uint256 internal constant DEVICE = 1; // the seller's
    uint256 internal constant DEVICE2 = 2; // the second seller's
    uint256 internal constant SLOTS = 3;
    uint256 internal constant MOST = 6667;

    // ---------------------------------------------------------------------------------------------------------- vouchers

    function _voucher(uint256 device, uint256 window, uint256 through, uint256 energy)
        internal
        pure
        returns (Metering.Voucher memory)
    {
        return Metering.Voucher(uint32(device), uint32(window), uint16(through), uint48(energy));
    }

    /// @dev EIP-712, written out.
    function _signVoucher(Metering.Voucher memory v, uint256 meterKey) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256("Voucher(uint32 device,uint32 window,uint16 through,uint48 energy)");
        return _sign(meterKey, address(delivery), "Stowatt Delivery", keccak256(abi.encode(typeHash, v)));
    }

    /// @dev By the seller's meter.
    function _signVoucher(Metering.Voucher memory v) internal view returns (bytes memory) {
        return _signVoucher(v, _meterKey(sellerKey));
    }

    function _redeem(Metering.Voucher memory v) internal {
        delivery.redeem(v, _signVoucher(v));
    }

    function _redeemRefused(Metering.Voucher memory v, bytes memory signature, Metering.Refusal reason) internal {
        vm.expectRevert(_refusal(v.device, v.window, v.through, reason));
        delivery.redeem(v, signature);
    }

    function _redeemRefused(Metering.Voucher memory v, Metering.Refusal reason) internal {
        _redeemRefused(v, _signVoucher(v), reason);
    }

    // --------------------------------------------------------------------------------------------------- sealed vouchers

    /// @dev Seals each sub-slot with a blinder made from `salt`, and opens the sum.
    function _sealed(uint256 device, uint256 window, uint256[] memory energy, uint256 salt)
        internal
        view
        returns (Metering.SealedVoucher memory s)
    {
        (s.device, s.window, s.through) = (uint32(device), uint32(window), uint16(energy.length));
        (uint256 sum, uint256 blinder, bytes memory points) = SealedPoints.seal(energy, salt);
        (s.energy, s.blinder, s.points) = (uint48(sum), blinder, points);
    }

    /// @dev The meter signs the points, not what they hide.
    function _signSealed(Metering.SealedVoucher memory s, uint256 meterKey) internal view returns (bytes memory) {
        bytes32 typeHash = keccak256("SealedVoucher(uint32 device,uint32 window,uint16 through,bytes32 points)");
        bytes32 structHash = keccak256(abi.encode(typeHash, s.device, s.window, s.through, keccak256(s.points)));
        return _sign(meterKey, address(delivery), "Stowatt Delivery", structHash);
    }

    function _signSealed(Metering.SealedVoucher memory s) internal view returns (bytes memory) {
        return _signSealed(s, _meterKey(sellerKey));
    }

    function _openSealed(Metering.SealedVoucher memory s) internal {
        delivery.openSealed(s, _signSealed(s));
    }

    function _openRefused(Metering.SealedVoucher memory s, bytes memory signature, Metering.Refusal reason) internal {
        vm.expectRevert(_refusal(s.device, s.window, s.through, reason));
        delivery.openSealed(s, signature);
    }

    function _openRefused(Metering.SealedVoucher memory s, Metering.Refusal reason) internal {
        _openRefused(s, _signSealed(s), reason);
    }

    function _profile(uint256 a) internal pure returns (uint256[] memory energy) {
        energy = new uint256[](1);
        energy[0] = a;
    }

    function _profile(uint256 a, uint256 b) internal pure returns (uint256[] memory energy) {
        energy = new uint256[](2);
        (energy[0], energy[1]) = (a, b);
    }

    function _profile(uint256 a, uint256 b, uint256 c) internal pure returns (uint256[] memory energy) {
        energy = new uint256[](3);
        (energy[0], energy[1], energy[2]) = (a, b, c);
    }

    // --------------------------------------------------------------------------------------------------------- all forms

    function _refusal(uint256 device, uint256 window, uint256 subSlot, Metering.Refusal reason)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(Errors.ReadingRefused.selector, device, window, subSlot, uint8(reason));
    }

    /// @dev What is counted of a device in window `W`.
    function _assertCounted(uint256 device, uint256 energy, uint256 through) internal view {
        assertEq(delivery.deliveredWh(W, device), energy, "energy");
        assertEq(delivery.throughOf(W, device), through, "through");
    }

    /// @dev The end of the window's sub-slots 0 .. through-1.
    function _over(uint256 through) internal view returns (uint256) {
        return _start(W) + through * 300;
    }

    /// @dev The second signature of the same hash that the curve allows: (r, n - s, v').
    function _twin(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = _parts(signature);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        return abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
    }

    function _parts(bytes memory signature) internal pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }
}
