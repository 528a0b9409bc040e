// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A capacity right's token id: what it is a right to, so that none of it needs storage (25).
/// @notice participant, 160 bits | window, 32 | side, 8 | start in the bid's filled Wh, 40 | final flag, bit 240.
library RightId {
    uint256 private constant FINAL = 1 << 240;

    function make(uint256 window_, uint256 side_, address participant_, uint256 start_) internal pure returns (uint256) {
        return uint256(uint160(participant_)) | (window_ << 160) | (side_ << 192) | (start_ << 200);
    }

    function participant(uint256 id) internal pure returns (address) {
        return address(uint160(id));
    }

    function window(uint256 id) internal pure returns (uint256) {
        return (id >> 160) & 0xffffffff;
    }

    function side(uint256 id) internal pure returns (uint256) {
        return (id >> 192) & 0xff;
    }

    function start(uint256 id) internal pure returns (uint256) {
        return (id >> 200) & 0xffffffffff;
    }

    /// @notice The part of the right that begins `quantity` Wh later.
    function later(uint256 id, uint256 quantity) internal pure returns (uint256) {
        return id + (quantity << 200);
    }

    /// @notice The final settlement token of a right (27).
    function finalOf(uint256 id) internal pure returns (uint256) {
        return id | FINAL;
    }

    function isFinal(uint256 id) internal pure returns (bool) {
        return id & FINAL != 0;
    }
}
