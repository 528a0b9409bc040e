// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Metering} from "../../src/Metering.sol";
import {Registry} from "../../src/Registry.sol";
import {SealedPoints} from "../delivery/SealedPoints.sol";
import {GasFixture} from "./GasFixture.sol";

/// @notice Gas of what one meter sends for one window, in its three forms: readings, a voucher, a sealed voucher. And of a device's
/// registration.
contract MetersGasTest is GasFixture {
    uint256 private constant METERS = 8;
    uint256 private constant ENERGY = 20; // Wh a sub-slot, possible in the shortest

    function test_Vouchers() external {
        _enrolMany(METERS, 0);
        for (uint256 w = FIRST; w <= STEADY; w += RING) {
            vm.warp(_start(w) + 300);
            _redeem(w, 1, 1, 6000);
            _record("delivery", "redeem, first of the window", w, _used());
            vm.warp(_start(w) + 600);
            _redeem(w, 1, 2, 12_000);
            _record("delivery", "redeem, later", w, _used());
            vm.warp(_end(w));
            Metering.Voucher[] memory v = new Metering.Voucher[](METERS);
            bytes[] memory s = new bytes[](METERS);
            for (uint256 i; i < METERS; ++i) {
                v[i] = _voucher(w + 1, i + 1, 3, 19_000);
                s[i] = _signVoucher(v[i], _meterKey(sellerKeys[i]));
            }
            vm.warp(_end(w + 1));
            assertEq(delivery.redeemMany(v, s), METERS, "accepted");
            _record("delivery", "redeemMany of 8 (8 meters), a voucher", w, _used() / METERS);
        }
    }

    function test_AWindowOf3SubSlots() external {
        _forms(900, 3);
    }

    function test_AWindowOf12SubSlots() external {
        _forms(900, 12);
    }

    function test_AWindowOf96SubSlots() external {
        _forms(960, 96);
    }

    function test_RegisterDevice() external {
        for (uint256 round; round < 2; ++round) {
            Registry.DeviceCertificate memory c = _certificate(seller, sellerKey, 160_000, 80_000);
            bytes memory signature = _signCertificate(c, issuerKey);
            vm.prank(seller);
            registry.registerDevice(c, signature);
            _record("registry", "registerDevice", round * RING, _used());
        }
    }

    // ------------------------------------------------------------------------------------------------- the three forms

    /// @dev The same window's energy by readings in one batch, by one voucher, by one sealed voucher.
    function _forms(uint256 length, uint256 slots) private {
        Calendar.Parameters memory p = _parameters();
        (p.length, p.subSlot) = (uint32(length), uint32(length / slots));
        _deployOpen(p);
        _enrolMany(3, 0);
        string memory window = string.concat(", a window of ", vm.toString(slots), " sub-slots");
        for (uint256 w = FIRST; w <= STEADY; w += RING) {
            vm.warp(_end(w));
            _submitAll(w, 1, slots);
            _record("delivery", string.concat("submitMany", window), w, _used());
            _redeem(w, 2, slots, slots * ENERGY);
            _record("delivery", string.concat("redeem", window), w, _used());
            _openSealed(w, 3, slots);
            _record("delivery", string.concat("openSealed", window), w, _used());
            for (uint256 device = 1; device <= 3; ++device) {
                assertEq(delivery.deliveredWh(w, device), slots * ENERGY, "the same energy");
            }
        }
    }

    function _submitAll(uint256 w, uint256 device, uint256 slots) private {
        Metering.Reading[] memory r = new Metering.Reading[](slots);
        bytes[] memory s = new bytes[](slots);
        (uint256 counter,) = delivery.progressOf(device);
        for (uint256 i; i < slots; ++i) {
            r[i] = _reading(device, w, i, ENERGY, counter + i + 1);
            s[i] = _signReading(r[i], _meterKey(sellerKeys[device - 1]));
        }
        assertEq(delivery.submitMany(r, s), slots, "accepted");
    }

    function _redeem(uint256 w, uint256 device, uint256 through, uint256 energy) private {
        Metering.Voucher memory v = _voucher(w, device, through, energy);
        delivery.redeem(v, _signVoucher(v, _meterKey(sellerKeys[device - 1])));
    }

    function _openSealed(uint256 w, uint256 device, uint256 slots) private {
        uint256[] memory profile = new uint256[](slots);
        for (uint256 i; i < slots; ++i) {
            profile[i] = ENERGY;
        }
        Metering.SealedVoucher memory s;
        (s.device, s.window, s.through) = (uint32(device), uint32(w), uint16(slots));
        (uint256 sum, uint256 blinder, bytes memory points) = SealedPoints.seal(profile, w);
        (s.energy, s.blinder, s.points) = (uint48(sum), blinder, points);
        bytes32 typeHash = keccak256("SealedVoucher(uint32 device,uint32 window,uint16 through,bytes32 points)");
        bytes32 structHash = keccak256(abi.encode(typeHash, s.device, s.window, s.through, keccak256(s.points)));
        bytes memory signature =
            _sign(_meterKey(sellerKeys[device - 1]), address(delivery), "Stowatt Delivery", structHash);
        delivery.openSealed(s, signature);
    }

    function _voucher(uint256 w, uint256 device, uint256 through, uint256 energy)
        private
        pure
        returns (Metering.Voucher memory)
    {
        return Metering.Voucher(uint32(device), uint32(w), uint16(through), uint48(energy));
    }

    function _signVoucher(Metering.Voucher memory v, uint256 meterKey) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("Voucher(uint32 device,uint32 window,uint16 through,uint48 energy)");
        return _sign(meterKey, address(delivery), "Stowatt Delivery", keccak256(abi.encode(typeHash, v)));
    }
}
