// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fixture} from "../utils/Fixture.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// @notice The settlement token of a community without one of its own.
contract CommunityTokenTest is Fixture {
    /// mint > when the caller is not the owner > it reverts with the token's error (T20)
    function testFuzz_RevertWhen_NotTheOwner(address caller) external {
        vm.assume(caller != address(this));
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        vm.prank(caller);
        token.mint(caller, 1);
    }

    /// mint > when the owner calls > it issues
    function testFuzz_Mints(address to, uint128 amount) external {
        vm.assume(to != address(0) && to != address(market));
        uint256 before = token.balanceOf(to);
        token.mint(to, amount);
        assertEq(token.balanceOf(to), before + amount, "balance");
    }

    /// decimals > it is six
    function test_Decimals() external view {
        assertEq(token.decimals(), 6, "decimals");
        assertEq(token.symbol(), "EUR", "symbol");
    }
}
