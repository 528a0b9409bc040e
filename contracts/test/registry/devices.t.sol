// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Registry} from "../../src/Registry.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

/// @notice Registry.registerDevice, revokeDevice, setMeterKey, and the views of devices.
contract DevicesTest is Fixture {
    // --------------------------------------------------------------------------------------------------- registerDevice

    /// registerDevice > when the market is gated > given no issuer signed > it reverts with NotIssuer (T20)
    function testFuzz_RevertWhen_NotSignedByAnIssuer(uint256 key) external {
        key = bound(key, 1, type(uint128).max);
        Registry.DeviceCertificate memory c = _certificate(buyer, buyerKey, 100, 100);
        bytes memory signature = _signCertificate(c, key);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotIssuer.selector, vm.addr(key)));
        registry.registerDevice(c, signature);
    }

    /// registerDevice > when the market is gated > given any value was altered > it reverts with NotIssuer
    function testFuzz_RevertWhen_Altered(uint8 which) external {
        Registry.DeviceCertificate memory c = _certificate(buyer, buyerKey, 100, 100);
        bytes memory signature = _signCertificate(c, issuerKey);
        which %= 6;
        if (which == 0) c.owner = stranger;
        if (which == 1) c.usableWh += 1;
        if (which == 2) c.exportW += 1;
        if (which == 3) c.serial = 0;
        if (which == 4) c.meterKey = stranger;
        if (which == 5) c.validTo -= 1;
        vm.expectPartialRevert(Errors.NotIssuer.selector);
        registry.registerDevice(c, signature);
    }

    /// registerDevice > when the market is open > given the caller is not the owner > it reverts with NotDeviceAuthority (T20)
    function testFuzz_OpenModeRevertWhen_NotTheOwner(address caller) external {
        _deployOpen(_parameters());
        vm.assume(caller != seller);
        Registry.DeviceCertificate memory c = _certificate(seller, sellerKey, 100, 100);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotDeviceAuthority.selector, 1, caller));
        vm.prank(caller);
        registry.registerDevice(c, "");
    }

    /// registerDevice > when the market is open > the owner registers its own device, without a signature
    function test_OpenModeTheOwnerRegisters() external {
        _deployOpen(_parameters());
        Registry.DeviceCertificate memory c = _certificate(stranger, sellerKey, 100, 100);
        vm.prank(stranger);
        assertEq(registry.registerDevice(c, ""), 1, "device");
        (,, uint32 device,) = _admission(stranger);
        assertEq(device, 1, "market");
    }

    /// registerDevice > when a parameter is zero or out of range > it reverts with BadDevice
    function test_RevertWhen_ABadParameter() external {
        Registry.DeviceCertificate memory c = _certificate(address(0), buyerKey, 100, 100);
        _expect(c, abi.encodeWithSelector(Errors.BadDevice.selector, 0));
        _expect(_certificate(buyer, buyerKey, 0, 100), abi.encodeWithSelector(Errors.BadDevice.selector, 1));
        _expect(_certificate(buyer, buyerKey, 100, 0), abi.encodeWithSelector(Errors.BadDevice.selector, 2));
        for (uint256 i; i < 2; ++i) {
            uint32 bad = i == 0 ? 0 : 1_000_001;
            c = _certificate(buyer, buyerKey, 100, 100);
            c.chargeEfficiency = bad;
            _expect(c, abi.encodeWithSelector(Errors.BadDevice.selector, 4));
            c = _certificate(buyer, buyerKey, 100, 100);
            c.dischargeEfficiency = bad;
            _expect(c, abi.encodeWithSelector(Errors.BadDevice.selector, 5));
        }
    }

    /// registerDevice > when the nonce is not above the owner's last one > it reverts with StaleNonce
    function test_RevertWhen_StaleNonce() external {
        Registry.DeviceCertificate memory c = _certificate(seller, sellerKey, 100, 100);
        c.nonce = 1;
        _expect(c, abi.encodeWithSelector(Errors.StaleNonce.selector, seller, 1, 1));
    }

    /// registerDevice > when the meter's key is zero > it reverts with ZeroAddress
    function test_RevertWhen_NoMeterKey() external {
        Registry.DeviceCertificate memory c = _certificate(buyer, buyerKey, 100, 100);
        c.meterKey = address(0);
        _expect(c, abi.encodeWithSelector(Errors.ZeroAddress.selector));
    }

    /// registerDevice > when the key's validity ends before it begins > it reverts with BadValidity
    function testFuzz_RevertWhen_BadValidity(uint64 from, uint64 to) external {
        from = uint64(bound(from, 1, type(uint64).max));
        to = uint64(bound(to, 0, from - 1));
        Registry.DeviceCertificate memory c = _certificate(buyer, buyerKey, 100, 100);
        (c.validFrom, c.validTo) = (from, to);
        _expect(c, abi.encodeWithSelector(Errors.BadValidity.selector, from, to));
    }

    /// registerDevice > when device numbers are used up > it reverts with BadDevice
    function test_RevertWhen_NumbersAreUsedUp() external {
        // deviceCount is the first storage slot after AccessControl's mapping and EIP712's two fallback strings
        for (uint256 slot; slot < 6; ++slot) {
            if (uint256(vm.load(address(registry), bytes32(slot))) == 2) {
                vm.store(address(registry), bytes32(slot), bytes32(uint256(type(uint32).max)));
            }
        }
        assertEq(registry.deviceCount(), type(uint32).max, "slot");
        _expect(
            _certificate(buyer, buyerKey, 100, 100), abi.encodeWithSelector(Errors.BadDevice.selector, type(uint32).max)
        );
    }

    /// registerDevice > Q_max is the smaller of usable energy and export power over the window, rounded down (1)
    function testFuzz_TheLimitIsTheSmallerBound(uint32 usable, uint32 exportW) external {
        usable = uint32(bound(usable, 1, type(uint32).max));
        exportW = uint32(bound(exportW, 1, type(uint32).max));
        uint256 device = _device(_certificate(buyer, buyerKey, usable, exportW));
        uint256 byPower = uint256(exportW) * 900 / 3600;
        uint256 wanted = byPower < usable ? byPower : usable;
        assertEq(registry.deviceOf(device).limitWh, wanted, "registry");
        (,,, uint32 limit) = _admission(buyer);
        assertEq(limit, wanted, "market");
        assertEq(registry.exportLimitOf(device), exportW, "export");
    }

    /// registerDevice > the capacity is the usable energy in units of Q_max/64, rounded down, and at most 65,535 (§2)
    function testFuzz_TheCapacityIsTheUsableEnergy(uint32 usable, uint32 exportW) external {
        usable = uint32(bound(usable, 1, type(uint32).max));
        exportW = uint32(bound(exportW, 1, type(uint32).max));
        uint256 device = _device(_certificate(buyer, buyerKey, usable, exportW));
        uint256 limit = registry.windowLimitOf(device);
        assertEq(limit, registry.deviceOf(device).limitWh, "the limit");
        uint256 units = limit == 0 ? 0 : 64 * uint256(usable) / limit;
        assertEq(_capacity(buyer), units < 65_535 ? units : 65_535, "capacity");
        if (limit != 0) assertGe(_capacity(buyer), 64, "a whole window at least");
    }

    /// registerDevice > when the export power gives less than a watt-hour a window > the device has no capacity: it can sell nothing
    function test_ADeviceOfNoLimitSellsNothing() external {
        uint256 device = _device(_certificate(seller, sellerKey, 1000, 3)); // 3 W · 15 min < 1 Wh
        assertEq(registry.windowLimitOf(device), 0, "limit");
        assertEq(_capacity(seller), 0, "capacity");
        _open(W);
        vm.expectRevert(abi.encodeWithSelector(Errors.Oversold.selector, seller, 1, 0));
        vm.prank(seller);
        market.commit(W, 1, 1);
    }

    /// registerDevice > when the energy is huge beside the limit > the capacity is the most that its 16 bits hold
    function test_AHugeRatioIsCapped() external {
        _device(_certificate(seller, sellerKey, type(uint32).max, 4)); // 1 Wh a window
        assertEq(_capacity(seller), 65_535, "capacity");
        _device(_certificate(seller, sellerKey, 1024, 4));
        assertEq(_capacity(seller), 65_535, "65,536 is one too many");
        _device(_certificate(seller, sellerKey, 1023, 4));
        assertEq(_capacity(seller), 65_472, "1,023 windows");
    }

    /// registerDevice > the fingerprint H_i binds every parameter
    function testFuzz_TheFingerprintBindsTheParameters(uint32 usable, uint32 exportW, uint32 chargeW, bytes32 serial)
        external
    {
        Registry.DeviceCertificate memory c = _certificate(
            buyer, buyerKey, uint32(bound(usable, 1, 2 ** 32 - 1)), uint32(bound(exportW, 1, 2 ** 32 - 1))
        );
        (c.chargeW, c.serial) = (chargeW, serial);
        uint256 device = _device(c);
        bytes32 wanted = keccak256(
            abi.encode(
                keccak256("Stowatt/device/1"),
                c.usableWh,
                c.exportW,
                c.chargeW,
                c.chargeEfficiency,
                c.dischargeEfficiency,
                c.serial
            )
        );
        assertEq(registry.deviceOf(device).fingerprint, wanted, "registry");
        assertEq(market.fingerprintOf(buyer), wanted, "market");
    }

    /// registerDevice > when the owner has a device > the new one takes its place in the market
    function test_TheNewDeviceReplacesTheOld() external {
        uint256 device = _device(_certificate(seller, sellerKey, 50, 1000));
        assertEq(device, 3, "number");
        (,, uint32 current, uint32 limit) = _admission(seller);
        assertEq(current, 3, "current");
        assertEq(limit, 50, "limit");
        assertEq(registry.deviceOf(1).owner, seller, "the old one is still known");
    }

    /// refresh > when nothing is promised > anybody brings the market what is registered
    function testFuzz_RefreshTellsTheMarket(address caller) external {
        _open(W);
        _commitUnits(W, seller, 5, _one(1, 1));
        _device(_certificate(seller, sellerKey, 40_000, 80_000));
        vm.prank(caller);
        registry.refresh(seller);
        assertEq(_capacity(seller), 0, "not while the old device's promise lives");
        vm.prank(seller);
        market.withdrawCommitment(W);
        vm.prank(caller);
        registry.refresh(seller);
        assertEq(_capacity(seller), 128, "its energy");
    }

    /// refresh > when everything is told already > it changes nothing
    function test_RefreshChangesNothing() external {
        _open(W);
        _commitUnits(W, seller, 5, _one(1, 1));
        _setReliability(seller, 123_456);
        uint256 word = market.accountOf(seller);
        registry.refresh(seller);
        assertEq(market.accountOf(seller), word, "word");
        word = market.accountOf(stranger);
        registry.refresh(stranger);
        assertEq(market.accountOf(stranger), word, "nobody's");
        assertEq(market.fingerprintOf(stranger), 0, "nobody's device");
    }

    /// windowLimitOf > when the device is unknown > it is zero
    function testFuzz_WindowLimitOfUnknown(uint256 device) external view {
        vm.assume(device == 0 || device > 2);
        assertEq(registry.windowLimitOf(device), 0, "none");
        assertEq(registry.windowLimitOf(1), 20_000, "a known one's");
    }

    // ----------------------------------------------------------------------------------------------------- revokeDevice

    /// revokeDevice > when the device is unknown > it reverts with UnknownDevice
    function testFuzz_RevokeRevertWhen_Unknown(uint256 device) external {
        vm.assume(device == 0 || device > 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.UnknownDevice.selector, device));
        vm.prank(issuer);
        registry.revokeDevice(device);
    }

    /// revokeDevice > when the caller is no issuer > it reverts with NotDeviceAuthority, the owner too (T20)
    function testFuzz_RevokeRevertWhen_NotAnIssuer(address caller) external {
        vm.assume(caller != issuer);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotDeviceAuthority.selector, 1, caller));
        vm.prank(caller);
        registry.revokeDevice(1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotDeviceAuthority.selector, 1, seller));
        vm.prank(seller);
        registry.revokeDevice(1);
    }

    /// revokeDevice > when the device is not its owner's current one > it reverts with UnknownDevice
    function test_RevokeRevertWhen_NotCurrent() external {
        _device(_certificate(seller, sellerKey, 50, 1000));
        vm.expectRevert(abi.encodeWithSelector(Errors.UnknownDevice.selector, 1));
        vm.prank(issuer);
        registry.revokeDevice(1);
    }

    /// revokeDevice > it takes the device from the market; its meter key stays valid for what it sold
    function test_Revokes() external {
        vm.prank(issuer);
        registry.revokeDevice(1);
        (,, uint32 device, uint32 limit) = _admission(seller);
        assertEq(device, 0, "device");
        assertEq(limit, 0, "limit");
        assertEq(_capacity(seller), 0, "capacity");
        assertEq(market.fingerprintOf(seller), 0, "fingerprint");
        assertTrue(registry.isMeterKey(1, vm.addr(_meterKey(sellerKey)), block.timestamp), "key");
    }

    /// revokeDevice > when the market is open > the owner may
    function test_OpenModeTheOwnerRevokes() external {
        _deployOpen(_parameters());
        _enrol();
        vm.prank(seller);
        registry.revokeDevice(1);
        (,, uint32 device,) = _admission(seller);
        assertEq(device, 0, "device");
    }

    /// registerDevice > when the owner's device was revoked > a certificate signed before is refused but from an issuer
    function testFuzz_ARevocationIsNotUndoneByAnOldCertificate(address caller) external {
        vm.assume(caller != issuer);
        Registry.DeviceCertificate memory c = _certificate(seller, sellerKey, 100, 100);
        bytes memory signature = _signCertificate(c, issuerKey);
        bytes32 role = registry.ISSUER_ROLE();
        vm.prank(issuer);
        registry.revokeDevice(1);
        vm.expectRevert(abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, role));
        vm.prank(caller);
        registry.registerDevice(c, signature);
        vm.prank(issuer);
        assertEq(registry.registerDevice(c, signature), 3, "registered again");
    }

    // ------------------------------------------------------------------------------------------------------ setMeterKey

    /// setMeterKey > when the device is unknown > it reverts with UnknownDevice
    function test_SetKeyRevertWhen_Unknown() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.UnknownDevice.selector, 9));
        vm.prank(issuer);
        registry.setMeterKey(9, stranger, 0, 1);
    }

    /// setMeterKey > when the caller is no issuer > it reverts with NotDeviceAuthority (T20)
    function testFuzz_SetKeyRevertWhen_NotAnIssuer(address caller) external {
        vm.assume(caller != issuer);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotDeviceAuthority.selector, 1, caller));
        vm.prank(caller);
        registry.setMeterKey(1, caller, 0, 1);
    }

    /// setMeterKey > when the key is zero or its validity ends before it begins > it reverts
    function test_SetKeyRevertWhen_Bad() external {
        vm.startPrank(issuer);
        vm.expectRevert(Errors.ZeroAddress.selector);
        registry.setMeterKey(1, address(0), 0, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadValidity.selector, 2, 1));
        registry.setMeterKey(1, stranger, 2, 1);
        vm.stopPrank();
    }

    /// isMeterKey > it is true from the first second to the last one, both included (T9, T23)
    function testFuzz_ValidityIncludesItsEnds(uint64 from, uint64 to, uint64 time) external {
        from = uint64(bound(from, 1, type(uint64).max - 1));
        to = uint64(bound(to, from, type(uint64).max - 1));
        vm.prank(issuer);
        registry.setMeterKey(1, stranger, from, to);
        assertFalse(registry.isMeterKey(1, stranger, uint256(from) - 1), "before");
        assertTrue(registry.isMeterKey(1, stranger, from), "first");
        assertTrue(registry.isMeterKey(1, stranger, to), "last");
        assertFalse(registry.isMeterKey(1, stranger, uint256(to) + 1), "after");
        assertEq(registry.isMeterKey(1, stranger, time), time >= from && time <= to, "any");
    }

    /// isMeterKey > when the key is another's or unknown > it is false
    function testFuzz_AnUnknownKeyIsNone(address key, uint256 device, uint256 time) external view {
        vm.assume(key != vm.addr(_meterKey(sellerKey)) && key != vm.addr(_meterKey(seller2Key)));
        assertFalse(registry.isMeterKey(device, key, time), "unknown");
        assertFalse(registry.isMeterKey(2, vm.addr(_meterKey(sellerKey)), time), "another device's");
    }

    function _expect(Registry.DeviceCertificate memory c, bytes memory error) private {
        bytes memory signature = _signCertificate(c, issuerKey);
        vm.expectRevert(error);
        registry.registerDevice(c, signature);
    }
}
