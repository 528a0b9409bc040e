// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A bid's curve as bytes (2), (4), (§2): 6 bytes a segment, tick (16 bits) then width in Wh (32 bits).
/// @notice An opened bid carries, after the curve, one 6-byte offset a segment: what its tick held before it (§3).
library BidCurve {
    uint256 internal constant SEGMENT = 6;
    uint256 internal constant MAX_SEGMENTS = 16;

    /// @notice Tick and width of segment `i` of `curve`.
    /// @dev The caller has checked that the segment exists.
    function segment(bytes memory curve, uint256 i) internal pure returns (uint256 tick, uint256 width) {
        unchecked {
            uint256 word = _six(curve, i * SEGMENT);
            return (word >> 32, word & 0xffffffff);
        }
    }

    /// @notice The offset of segment `i` in `bid`, a curve of `n` segments followed by its offsets.
    function offset(bytes memory bid, uint256 n, uint256 i) internal pure returns (uint256) {
        unchecked {
            return _six(bid, (n + i) * SEGMENT);
        }
    }

    /// @notice Writes the offset of segment `i` into `bid`.
    function setOffset(bytes memory bid, uint256 n, uint256 i, uint256 value) internal pure {
        assembly ("memory-safe") {
            let p := add(add(bid, 0x20), mul(add(n, i), 6))
            let word := mload(p)
            mstore(p, or(shl(208, value), and(word, sub(shl(208, 1), 1))))
        }
    }

    /// @notice A bid of `curve` with room for its offsets (zero).
    function withOffsets(bytes calldata curve) internal pure returns (bytes memory bid) {
        unchecked {
            // One spare word so that setOffset may touch the 26 bytes after the last offset.
            bid = new bytes(curve.length * 2 + 32);
            uint256 length = curve.length;
            assembly ("memory-safe") {
                calldatacopy(add(bid, 0x20), curve.offset, length)
                mstore(bid, mul(length, 2))
            }
        }
    }

    /// @notice Checks §2 (1 to 16 segments, positive widths, ticks on the grid and strictly monotone), and sums up:
    /// quantity Σ width, value Σ width·max(tick, 1): see `worth`.
    function measure(bytes calldata curve, uint256 side, uint256 ticks)
        internal
        pure
        returns (uint256 quantity, uint256 value, bool valid)
    {
        unchecked {
            uint256 n = curve.length / SEGMENT;
            if (n == 0 || n > MAX_SEGMENTS || n * SEGMENT != curve.length) return (0, 0, false);
            uint256 previous;
            for (uint256 i; i < n; ++i) {
                uint256 word;
                assembly ("memory-safe") {
                    word := shr(208, calldataload(add(curve.offset, mul(i, 6))))
                }
                uint256 tick = word >> 32;
                uint256 width = word & 0xffffffff;
                if (width == 0 || tick >= ticks) return (0, 0, false);
                if (i != 0 && (side == 0 ? tick <= previous : tick >= previous)) return (0, 0, false);
                quantity += width;
                value += worth(tick, width);
                previous = tick;
            }
            valid = true;
        }
    }

    /// @notice What a segment counts for in a buyer's worst-case deposit, in Wh·ticks. Tick 0 counts as 1: what occupies the
    /// book must tie money down, or a lane of free bids could be filled to shut others out (T8).
    function worth(uint256 tick, uint256 width) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mul(width, add(tick, iszero(tick)))
        }
    }

    function _six(bytes memory data, uint256 at) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := shr(208, mload(add(add(data, 0x20), at)))
        }
    }
}
