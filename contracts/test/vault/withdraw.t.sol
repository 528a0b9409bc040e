// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Vault} from "../../src/Vault.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.withdraw(to, amount).
contract WithdrawTest is Fixture {
    /// when the receiver is the zero address > it reverts with ZeroAddress
    function test_RevertWhen_ToNobody() external {
        vm.expectRevert(Errors.ZeroAddress.selector);
        vm.prank(buyer);
        market.withdraw(address(0), 1);
    }

    /// when the amount is zero > it reverts with BadAmount
    function test_RevertWhen_Zero() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, 0));
        vm.prank(buyer);
        market.withdraw(buyer, 0);
    }

    /// when the amount exceeds the free balance > it reverts with InsufficientBalance
    function testFuzz_RevertWhen_BeyondTheBalance(uint256 amount) external {
        amount = bound(amount, FUNDS + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, buyer, FUNDS, amount));
        vm.prank(buyer);
        market.withdraw(buyer, amount);
    }

    /// when the caller has nothing > it reverts with InsufficientBalance, whoever else has something (T20)
    function testFuzz_RevertWhen_TheCallerHasNothing(address caller) external {
        vm.assume(caller != seller && caller != seller2 && caller != buyer && caller != buyer2);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, caller, 0, 1));
        vm.prank(caller);
        market.withdraw(stranger, 1);
    }

    /// when a bond is locked > it cannot be withdrawn
    function test_TheBondStays() external {
        _open(W);
        _commit(W, buyer, BUY, _one(1, 1));
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, buyer, FUNDS - BOND, FUNDS));
        vm.prank(buyer);
        market.withdraw(buyer, FUNDS);
    }

    /// when the balance covers it > it pays the receiver, and emits Withdrawn with the new balance
    function testFuzz_PaysTheReceiver(uint256 amount) external {
        amount = bound(amount, 1, FUNDS);
        vm.expectEmit(address(market));
        emit Vault.Withdrawn(buyer, stranger, amount, FUNDS - amount);
        vm.prank(buyer);
        market.withdraw(stranger, amount);
        assertEq(token.balanceOf(stranger), amount, "received");
        assertEq(market.balanceOf(buyer), FUNDS - amount, "left");
    }

    /// when the device and roles share the account's word > withdrawing leaves them as they were
    function testFuzz_KeepsTheAdmission(uint256 amount) external {
        vm.prank(seller);
        market.withdraw(seller, bound(amount, 1, FUNDS));
        (uint8 roles, uint40 expiry, uint32 device, uint32 limit) = _admission(seller);
        assertEq(roles, 3, "roles");
        assertEq(expiry, ORIGIN + 365 days, "expiry");
        assertEq(device, 1, "device");
        assertEq(limit, 20_000, "limit");
    }
}
