// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {GasFixture} from "./GasFixture.sol";

/// @notice Sizes of the deployed contracts, in bytes (EIP-170).
contract SizesTest is GasFixture {
    function test_Sizes() external {
        _size("Registry", address(registry));
        _size("Market", address(market));
        _size("RightMetadata", address(metadata));
        _size("CapacityRights", address(rights));
        _size("Delivery", address(delivery));
        _size("CommunityToken", address(token));
    }

    function _size(string memory name, address deployed) private {
        assertLt(deployed.code.length, HOLD_CODE, name);
        vm.snapshotValue("sizes", name, deployed.code.length);
    }
}
