// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CapacityRights} from "../../src/CapacityRights.sol";
import {Market} from "../../src/Market.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice The market's constructor.
contract MarketConstructorTest is Fixture {
    /// when any of the five addresses is zero > it reverts with ZeroAddress
    function testFuzz_RevertWhen_AnAddressIsZero(uint8 which) external {
        Market.Wiring memory w = _wiring(address(token));
        which %= 5;
        if (which == 0) w.token = IERC20(address(0));
        if (which == 1) w.registry = address(0);
        if (which == 2) w.rights = CapacityRights(address(0));
        if (which == 3) w.delivery = address(0);
        if (which == 4) w.treasury = address(0);
        vm.expectRevert(Errors.ZeroAddress.selector);
        this.createExternal("Market.sol:Market", abi.encode(_parameters(), w, false));
    }

    /// when all is given > it keeps the wiring
    function test_KeepsTheWiring() external view {
        assertEq(address(market.token()), address(token), "token");
        assertEq(market.registry(), address(registry), "registry");
        assertEq(address(market.rights()), address(rights), "rights");
        assertEq(market.delivery(), address(delivery), "delivery");
        assertEq(market.treasury(), treasury, "treasury");
        assertFalse(market.openMode(), "gated");
    }

    /// when all is given > it emits MarketDeployed with the hash of its values
    function test_Emits() external {
        Market.Wiring memory w = _wiring(address(token));
        bytes memory values = abi.encode(_parameters(), w, true);
        vm.expectEmit();
        emit Market.MarketDeployed(_parameters(), w, true, keccak256(values));
        this.createExternal("Market.sol:Market", values);
    }
}
