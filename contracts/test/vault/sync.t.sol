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
        assertEq(_capacity(seller), 512, "the energy that its promises were measured with");
    }

    /// when the device stays, and nothing is promised > its energy is what the registry says now
    function testFuzz_TakesTheCapacityOfTheSameDevice(uint16 capacity, uint32 r) external {
        _setReliability(seller, bound(r, 0, 1e6));
        vm.prank(address(registry));
        market.sync(seller, 3, type(uint40).max, 1, 20_000, capacity, 0);
        assertEq(_capacity(seller), capacity, "capacity");
        assertEq(_reliability(seller), bound(r, 0, 1e6), "reliability");
    }

    /// when the device is another, or none > its reliability starts at zero, what is promised stays, and until that is over there is nothing to sell (T42, T43)
    function testFuzz_AnotherDeviceHasNoRecord(uint32 device, uint32 r) external {
        vm.assume(device != 1);
        _open(W);
        _commitUnits(W, seller, 17, _one(1, 1));
        _setReliability(seller, bound(r, 0, 1e6));
        vm.prank(address(registry));
        market.sync(seller, 3, 1, device, 1, 1, 0);
        assertEq(_reliability(seller), 0, "reliability");
        assertEq(_promised(seller), 17, "promised");
        assertEq(_capacity(seller), 0, "capacity");
    }

    /// when the device is another > given its old promises are over > it has its energy once the registry is asked again
    function test_TheNewDevicesEnergyComesWhenTheOldPromisesAreOver() external {
        _open(W);
        _commitUnits(W, seller, 17, _one(1, 1));
        vm.startPrank(address(registry));
        market.sync(seller, 3, type(uint40).max, 9, 20_000, 100, 0);
        market.sync(seller, 3, type(uint40).max, 9, 20_000, 100, 0);
        vm.stopPrank();
        assertEq(_capacity(seller), 0, "not while anything is promised, however often");
        vm.expectRevert(abi.encodeWithSelector(Errors.Oversold.selector, seller, 1, 0));
        vm.prank(seller);
        market.commit(W, 1, 1); // not even in place of the old promise
        vm.prank(seller);
        market.withdrawCommitment(W);
        assertEq(_capacity(seller), 0, "not by itself");
        vm.prank(address(registry));
        market.sync(seller, 3, type(uint40).max, 9, 20_000, 100, 0);
        assertEq(_capacity(seller), 100, "then");
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
