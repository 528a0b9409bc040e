// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Vault} from "../../src/Vault.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

/// @notice Market.deposit(amount).
contract DepositTest is Fixture {
    /// when the amount is zero > it reverts with BadAmount
    function test_RevertWhen_Zero() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, 0));
        market.deposit(0);
    }

    /// when the amount was not approved > it reverts with the token's error
    function testFuzz_RevertWhen_NotApproved(uint96 amount) external {
        amount = uint96(bound(amount, 1, type(uint96).max));
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(market), 0, amount)
        );
        vm.prank(stranger);
        market.deposit(amount);
    }

    /// when the balance would exceed 96 bits > it reverts with BadAmount (T8)
    function testFuzz_RevertWhen_TheBalanceOverflows(uint256 amount) external {
        amount = bound(amount, type(uint96).max - FUNDS + 1, type(uint128).max);
        token.mint(buyer, amount);
        vm.startPrank(buyer);
        token.approve(address(market), amount);
        vm.expectRevert(abi.encodeWithSelector(Errors.BadAmount.selector, amount));
        market.deposit(amount);
        vm.stopPrank();
    }

    /// when it was approved > it credits the caller with what arrived, and emits Deposited with the new balance
    function testFuzz_CreditsTheCaller(uint96 amount) external {
        amount = uint96(bound(amount, 1, type(uint96).max));
        token.mint(stranger, amount);
        vm.startPrank(stranger);
        token.approve(address(market), amount);
        vm.expectEmit(address(market));
        emit Vault.Deposited(stranger, amount, amount);
        market.deposit(amount);
        vm.stopPrank();
        assertEq(market.balanceOf(stranger), amount, "balance");
    }

    /// when several accounts deposit > each has its own
    function testFuzz_BalancesAreApart(uint64 a, uint64 b) external {
        _fund(stranger, bound(a, 1, type(uint64).max));
        _fund(admin, bound(b, 1, type(uint64).max));
        assertEq(market.balanceOf(stranger), bound(a, 1, type(uint64).max), "one");
        assertEq(market.balanceOf(admin), bound(b, 1, type(uint64).max), "other");
    }
}
