// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "./Errors.sol";

/// @title Pedersen commitments C = m·G + r·H on BN254 (6), (7), checked with the EVM's precompiles (§5).
/// @dev H is hashed to the curve from "Stowatt/Pedersen/H/1" (counter 1), so that nobody knows log_G H.
library Pedersen {
    uint256 internal constant ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant H_X = 0x1f7e0c87ad6490a26fca07d1cabbd20d214ec179503c03e95fa1e0fff8931fb5;
    uint256 private constant H_Y = 0x0c99e0c7fd28ff4bbe92e02c4a8e7fc5a204a8baa20c95274f4dd4d98d6a5cc8;
    /// @dev commit(12345, 67890), computed off chain.
    uint256 private constant SELF_TEST = 0x25d0f444c0fc809f9d8420d53e95edeb1aa025d691fb0b6c5fd55495b1389923;

    /// @notice The commitment to `message` with `blinder`, compressed to one word: x, and y's parity in the top bit.
    function commit(uint256 message, uint256 blinder) internal view returns (uint256 word) {
        bool ok;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, 1)
            mstore(add(p, 0x20), 2)
            mstore(add(p, 0x40), message)
            ok := staticcall(gas(), 7, p, 0x60, p, 0x40)
            mstore(add(p, 0x40), H_X)
            mstore(add(p, 0x60), H_Y)
            mstore(add(p, 0x80), blinder)
            ok := and(ok, staticcall(gas(), 7, add(p, 0x40), 0x60, add(p, 0x40), 0x40))
            ok := and(ok, staticcall(gas(), 6, p, 0x80, p, 0x40))
            word := or(mload(p), shl(255, and(mload(add(p, 0x20)), 1)))
        }
        if (!ok) revert Errors.PrecompileFailed();
    }

    /// @notice Do the points, 64 bytes each (x, then y), sum to message·G + blinder·H? `blinder` must be below the group order,
    /// so that a sum opens in one way only; a point off the curve opens nothing. 150 gas a point, and the two products.
    function opensSum(bytes calldata points, uint256 message, uint256 blinder) internal view returns (bool) {
        if (message >= ORDER || blinder >= ORDER) return false;
        bool ok = true;
        uint256 sum;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, 0)
            mstore(add(p, 0x20), 0)
            let end := add(points.offset, points.length)
            for { let at := points.offset } lt(at, end) { at := add(at, 0x40) } {
                calldatacopy(add(p, 0x40), at, 0x40)
                // A failing precompile burns what it is given: give it a little.
                ok := and(ok, staticcall(5000, 6, p, 0x80, p, 0x40))
            }
            sum := or(mload(p), shl(255, and(mload(add(p, 0x20)), 1)))
        }
        return ok && sum == commit(message, blinder);
    }

    /// @notice What a blinder adds to the window's seed: keccak256 of its 32 bytes (§5).
    function hash(uint256 blinder) internal pure returns (uint256 h) {
        assembly ("memory-safe") {
            mstore(0, blinder)
            h := keccak256(0, 0x20)
        }
    }

    /// @notice Refuses a chain whose precompiles differ (T25).
    function selfTest() internal view {
        if (commit(12345, 67890) != SELF_TEST) revert Errors.PrecompileFailed();
    }
}
