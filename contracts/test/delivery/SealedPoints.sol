// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Seal} from "../utils/Seal.sol";

/// @title The meter's side of sealed vouchers, for tests: C_t = u_t·G + r_t·H, 64 bytes each.
library SealedPoints {
    /// @dev Points, Σ u_t and Σ r_t mod n; the blinders come from `salt`.
    function seal(uint256[] memory energy, uint256 salt)
        internal
        view
        returns (uint256 sum, uint256 blinder, bytes memory points)
    {
        for (uint256 i; i < energy.length; ++i) {
            uint256 r = blinderOf(salt, i);
            sum = addmod(sum, energy[i], Seal.ORDER);
            blinder = addmod(blinder, r, Seal.ORDER);
            points = bytes.concat(points, point(energy[i], r));
        }
    }

    /// @dev One commitment, x ‖ y.
    function point(uint256 u, uint256 r) internal view returns (bytes memory) {
        (uint256 x, uint256 y) = Seal.add(1, 2, u, Seal.H_X, Seal.H_Y, r);
        return abi.encodePacked(x, y);
    }

    function blinderOf(uint256 salt, uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("sealed", salt, i))) % (Seal.ORDER - 1) + 1;
    }

    /// @dev The points at the places given, in that order.
    function pick(bytes memory points, uint256[] memory places) internal pure returns (bytes memory out) {
        for (uint256 i; i < places.length; ++i) {
            out = bytes.concat(out, at(points, places[i]));
        }
    }

    function at(bytes memory points, uint256 place) internal pure returns (bytes memory) {
        uint256 x;
        uint256 y;
        assembly ("memory-safe") {
            let p := add(add(points, 0x20), mul(place, 0x40))
            x := mload(p)
            y := mload(add(p, 0x20))
        }
        return abi.encodePacked(x, y);
    }
}
