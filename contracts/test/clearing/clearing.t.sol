// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClearingFixture} from "./ClearingFixture.sol";

/// @notice Lowest price, pro rata: the defaults.
/// forge-config: default.fuzz.runs = 24
contract LowestProRataTest is ClearingFixture {
    function _rules() internal pure override returns (uint8, uint8) {
        return (0, 0);
    }
}

/// @notice Lowest price, seeded order.
/// forge-config: default.fuzz.runs = 24
contract LowestSeededOrderTest is ClearingFixture {
    function _rules() internal pure override returns (uint8, uint8) {
        return (0, 1);
    }
}

/// @notice Midpoint, pro rata.
/// forge-config: default.fuzz.runs = 24
contract MidpointProRataTest is ClearingFixture {
    function _rules() internal pure override returns (uint8, uint8) {
        return (1, 0);
    }
}

/// @notice Midpoint, seeded order.
/// forge-config: default.fuzz.runs = 24
contract MidpointSeededOrderTest is ClearingFixture {
    function _rules() internal pure override returns (uint8, uint8) {
        return (1, 1);
    }
}

/// @notice Seeded price, pro rata.
/// forge-config: default.fuzz.runs = 24
contract SeedProRataTest is ClearingFixture {
    function _rules() internal pure override returns (uint8, uint8) {
        return (2, 0);
    }
}

/// @notice Seeded price, seeded order.
/// forge-config: default.fuzz.runs = 24
contract SeedSeededOrderTest is ClearingFixture {
    function _rules() internal pure override returns (uint8, uint8) {
        return (2, 1);
    }
}
