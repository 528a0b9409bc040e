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

    /// when the registry calls > it leaves the free balance as it was
    function testFuzz_KeepsTheBalance(uint8 roles, uint40 expiry, uint32 device, uint32 limit, uint16 capacity)
        external
    {
        vm.prank(address(registry));
        market.sync(buyer, roles % 16, expiry, device, limit, capacity, 0);
        assertEq(market.balanceOf(buyer), FUNDS, "balance");
    }
}
