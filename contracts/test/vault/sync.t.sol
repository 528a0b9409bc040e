// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.sync(account, roles, expiry, device, limitWh, capacity, fingerprint).
contract SyncTest is Fixture {
    /// when the caller is not the registry > it reverts with NotRegistry (T20)
    function testFuzz_RevertWhen_NotTheRegistry(address caller) external {
        vm.assume(caller != address(registry));
        vm.expectRevert(abi.encodeWithSelector(Errors.NotRegistry.selector, caller));
        vm.prank(caller);
        market.sync(buyer, 3, 1, 1, 1, 1, 0);
    }

    /// when the registry calls > it records what it says
    function testFuzz_Records(
        uint8 roles,
        uint40 expiry,
        uint32 device,
        uint32 limit,
        uint16 capacity,
        bytes32 fingerprint
    ) external {
        roles = roles % 16;
        vm.prank(address(registry));
        market.sync(stranger, roles, expiry, device, limit, capacity, fingerprint);
        (uint8 r, uint40 e, uint32 d, uint32 l) = _admission(stranger);
        assertEq(abi.encode(r, e, d, l), abi.encode(roles, expiry, device, limit), "admission");
        assertEq(_capacity(stranger), capacity, "capacity");
        assertEq(market.fingerprintOf(stranger), fingerprint, "fingerprint");
    }

    /// when the device stays > its reliability stays, and what is promised
    function testFuzz_KeepsTheRecordOfTheSameDevice(uint8 roles, uint32 limit, uint16 capacity, uint32 r) external {
        _open(W);
        _commitUnits(W, seller, 17, _one(1, 1));
        _setReliability(seller, bound(r, 0, 1e6));
        vm.prank(address(registry));
        market.sync(seller, roles % 16, 1, 1, limit, capacity, 0);
        assertEq(_reliability(seller), bound(r, 0, 1e6), "reliability");
        assertEq(_promised(seller), 17, "promised");
        assertEq(_capacity(seller), capacity, "capacity");
    }

    /// when the device is another, or none > its reliability starts at zero, and what is promised stays (T43)
    function testFuzz_AnotherDeviceHasNoRecord(uint32 device, uint32 r) external {
        vm.assume(device != 1);
        _open(W);
        _commitUnits(W, seller, 17, _one(1, 1));
        _setReliability(seller, bound(r, 0, 1e6));
        vm.prank(address(registry));
        market.sync(seller, 3, 1, device, 1, 1, 0);
        assertEq(_reliability(seller), 0, "reliability");
        assertEq(_promised(seller), 17, "promised");
    }

    /// when less energy is certified than is promised > nothing more can be promised until enough came back
    function test_TheCapacityMayFallBelowWhatIsPromised() external {
        _open(W);
        _open(W + 1);
        _commitUnits(W, seller, 17, _one(1, 1));
        vm.prank(address(registry));
        market.sync(seller, 3, type(uint40).max, 1, 20_000, 10, 0);
        vm.startPrank(seller);
        vm.expectRevert(abi.encodeWithSelector(Errors.Oversold.selector, seller, 18, 10));
        market.commit(W + 1, 1, 1);
        market.commit(W, 10, 1); // replaced by what there is
        vm.stopPrank();
        assertEq(_promised(seller), 10, "promised");
    }

    /// when the registry calls > it leaves the free balance as it was
    function testFuzz_KeepsTheBalance(uint8 roles, uint40 expiry, uint32 device, uint32 limit, uint16 capacity)
        external
    {
        vm.prank(address(registry));
        market.sync(buyer, roles % 16, expiry, device, limit, capacity, 0);
        assertEq(market.balanceOf(buyer), FUNDS, "balance");
    }
}
