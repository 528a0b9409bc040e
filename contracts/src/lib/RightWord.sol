// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What is stored of a capacity right, in one word (25).
/// @notice quantity in Wh, 40 bits | whole: the bid's filled Wh, of which it is a part, 40 | a seller's device, 32 | paid, 8
/// (always 1 for a seller) | a seller's α_S in ppm, 24 | energy units that the whole bid holds, 8 | base units drawn, 96.
library RightWord {
    uint256 private constant WH_MASK = (1 << 40) - 1;
    uint256 private constant PAID = 1 << 112;
    uint256 private constant DRAWN_SHIFT = 152;

    /// @notice A new right: the whole of a bid, nothing drawn.
    function make(uint256 quantity_, uint256 device_, uint256 alpha_, uint256 units_, bool paid_)
        internal
        pure
        returns (uint256)
    {
        return quantity_ | (quantity_ << 40) | (device_ << 80) | (paid_ ? PAID : 0) | (alpha_ << 120) | (units_ << 144);
    }

    function quantity(uint256 word) internal pure returns (uint256) {
        return word & WH_MASK;
    }

    function whole(uint256 word) internal pure returns (uint256) {
        return (word >> 40) & WH_MASK;
    }

    function device(uint256 word) internal pure returns (uint256) {
        return (word >> 80) & 0xffffffff;
    }

    function paid(uint256 word) internal pure returns (bool) {
        return word & PAID != 0;
    }

    function alpha(uint256 word) internal pure returns (uint256) {
        return (word >> 120) & 0xffffff;
    }

    function units(uint256 word) internal pure returns (uint256) {
        return (word >> 144) & 0xff;
    }

    function drawn(uint256 word) internal pure returns (uint256) {
        return word >> DRAWN_SHIFT;
    }

    /// @notice The word of a right that is paid.
    function asPaid(uint256 word) internal pure returns (uint256) {
        return word | PAID;
    }

    /// @notice The word after `drawn_` base units in all are drawn.
    /// @dev A right draws at most its window's pool, which fits into 96 bits.
    function withDrawn(uint256 word, uint256 drawn_) internal pure returns (uint256) {
        return (word & ((1 << DRAWN_SHIFT) - 1)) | (drawn_ << DRAWN_SHIFT);
    }

    /// @notice The word of a part of `quantity_` Wh, with its share of what was drawn, rounded up: the parts never draw
    /// more than the whole.
    function part(uint256 word, uint256 quantity_) internal pure returns (uint256) {
        uint256 share = (drawn(word) * quantity_ + quantity(word) - 1) / quantity(word);
        return withDrawn((word & ~WH_MASK) | quantity_, share);
    }
}
