// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fixture} from "../utils/Fixture.sol";

/// @notice Market.accountOf(account): the account's word, which clients take apart themselves.
contract AccountOfTest is Fixture {
    /// it is balance, device, Q_max, reliability, capacity, promised, expiry and roles, from the lowest bit on
    function testFuzz_IsItsFieldsEndToEnd(uint16 capacity, uint40 expiry, uint8 units, uint32 record) external {
        uint256 r = bound(record, 0, 1e6);
        uint256 held = bound(units, 1, 64);
        vm.prank(address(registry));
        market.sync(seller, 3, type(uint40).max, 1, 20_000, uint16(bound(capacity, 64, 65_535)), 0);
        _open(W);
        vm.prank(seller);
        market.commit(W, held, 1);
        _setReliability(seller, r);
        vm.prank(address(registry));
        market.sync(seller, 2, expiry, 1, 777, 1, 0);
        uint256 word = FUNDS - BOND;
        word |= (1 << 96) | (777 << 128) | (r << 160) | (bound(capacity, 64, 65_535) << 180) | (held << 196);
        word |= (uint256(expiry) << 212) | (2 << 252);
        assertEq(market.accountOf(seller), word, "word");
        assertEq(market.balanceOf(seller), FUNDS - BOND, "balance");
    }

    /// when nobody knows the account > it is zero
    function testFuzz_OfAStranger(address account) external view {
        vm.assume(account != seller && account != seller2 && account != buyer && account != buyer2);
        assertEq(market.accountOf(account), 0, "word");
    }
}
