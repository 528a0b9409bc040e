// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Calendar} from "../../src/Calendar.sol";
import {Market} from "../../src/Market.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Fixture} from "../utils/Fixture.sol";

/// @notice Chains and deployments that are not what they seem (T25, T35).
contract DeploymentAttacks is Fixture {
    /// A chain whose ecMul answers something else, answers zeros, or is missing.
    function test_T25_AChainWithOtherPrecompilesIsRefused() external {
        Calendar.Parameters memory p = _parameters();
        bytes memory arguments = abi.encode(p, _wiring(address(token)), false);
        for (uint160 precompile = 6; precompile <= 7; ++precompile) {
            vm.mockCall(address(precompile), "", abi.encode(uint256(1), uint256(2)));
            vm.expectRevert(Errors.PrecompileFailed.selector);
            this.createExternal("Market.sol:Market", arguments);
            vm.mockCallRevert(address(precompile), "", "");
            vm.expectRevert(Errors.PrecompileFailed.selector);
            this.createExternal("Market.sol:Market", arguments);
            vm.clearMockedCalls();
        }
        this.createExternal("Market.sol:Market", arguments);
    }

    /// Market and registry disagree on who may sell: an open market behind a gated registry's back, or the reverse.
    function test_T35_MarketAndRegistryAgreeOnTheMode() external {
        Calendar.Parameters memory p = _parameters();
        for (uint256 i; i < 2; ++i) {
            Market.Wiring memory w = _wiring(address(token));
            _create("Registry.sol:Registry", abi.encode(_next(1), uint256(p.length), i == 0, admin, issuer));
            market = Market(_create("Market.sol:Market", abi.encode(p, w, i == 1)));
            address meta = _create("RightMetadata.sol:RightMetadata", abi.encode(market));
            _create("CapacityRights.sol:CapacityRights", abi.encode(market, w.delivery, meta));
            address there = w.registry;
            vm.expectRevert(abi.encodeWithSelector(Errors.BadWiring.selector, address(market), there));
            this.createExternal("Delivery.sol:Delivery", abi.encode(market));
        }
    }
}
