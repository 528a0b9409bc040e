// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Bidding} from "../../src/Bidding.sol";

/// @title Sealing bids for tests: the message and the Pedersen commitment, written from §5 and not from the contracts.
library Seal {
    uint256 internal constant ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 internal constant FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @dev H: the first counter whose hash is the x of a point; the even one of the two roots. See Pedersen.t.sol.
    uint256 internal constant H_X = 0x1f7e0c87ad6490a26fca07d1cabbd20d214ec179503c03e95fa1e0fff8931fb5;
    uint256 internal constant H_Y = 0x0c99e0c7fd28ff4bbe92e02c4a8e7fc5a204a8baa20c95274f4dd4d98d6a5cc8;

    /// @dev m = keccak256(domain ‖ chain id ‖ market ‖ window ‖ participant ‖ side ‖ device ‖ H_i ‖ curve) mod n.
    function message(address market, Bidding.Opening memory o, uint256 side) internal view returns (uint256) {
        bytes memory head = abi.encode(
            keccak256("Stowatt/bid/1"), block.chainid, market, o.window, o.participant, side, uint32(o.terms), o.fingerprint
        );
        return uint256(keccak256(bytes.concat(head, o.curve))) % ORDER;
    }

    /// @dev C = m·G + r·H, compressed: x, and y's parity in the top bit.
    function commit(uint256 m, uint256 r) internal view returns (uint256) {
        (uint256 x, uint256 y) = add(1, 2, m, H_X, H_Y, r);
        return x | ((y & 1) << 255);
    }

    /// @dev The opening's commitment.
    function point(address market, Bidding.Opening memory o, uint256 side) internal view returns (uint256) {
        return commit(message(market, o, side), o.blinder);
    }

    /// @dev a·(x1, y1) + b·(x2, y2).
    function add(uint256 x1, uint256 y1, uint256 a, uint256 x2, uint256 y2, uint256 b)
        internal
        view
        returns (uint256 x, uint256 y)
    {
        (uint256 ax, uint256 ay) = mul(x1, y1, a);
        (uint256 bx, uint256 by) = mul(x2, y2, b);
        (bool ok, bytes memory out) = address(6).staticcall(abi.encode(ax, ay, bx, by));
        require(ok, "ecAdd");
        return abi.decode(out, (uint256, uint256));
    }

    function mul(uint256 x, uint256 y, uint256 k) internal view returns (uint256, uint256) {
        (bool ok, bytes memory out) = address(7).staticcall(abi.encode(x, y, k));
        require(ok, "ecMul");
        return abi.decode(out, (uint256, uint256));
    }

    /// @dev A curve's bytes from ticks and widths, in the order given.
    function curve(uint256[] memory ticks, uint256[] memory widths) internal pure returns (bytes memory out) {
        for (uint256 i; i < ticks.length; ++i) {
            out = bytes.concat(out, segment(ticks[i], widths[i]));
        }
    }

    /// @dev One segment: 6 bytes.
    function segment(uint256 tick, uint256 width) internal pure returns (bytes memory) {
        return abi.encodePacked(uint16(tick), uint32(width));
    }

    /// @dev A curve of two segments.
    function two(uint256 tick1, uint256 width1, uint256 tick2, uint256 width2) internal pure returns (bytes memory) {
        return bytes.concat(segment(tick1, width1), segment(tick2, width2));
    }
}
