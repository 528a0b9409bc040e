// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The word in a participant's ring place: what it has in one window (§4, §5).
/// @notice round (16 bits) | kind (7 bits) | side (1 bit) | the low 232 bits of a hash. 232 bits keep 2^116 work for a
/// collision (T2 asks for at least 2^112); the round says which window of the ring the word belongs to (T17).
library BidSlot {
    uint256 internal constant COMMITTED = 1;
    uint256 internal constant OPENED = 2;
    uint256 internal constant RESOLVED = 3;
    uint256 private constant LOW_MASK = (1 << 232) - 1;

    /// @notice A sealed commitment (6): binds the window, the full 32-byte compressed point, and the seller's device as it
    /// is at the commitment (zeros for a buyer).
    function committed(
        uint256 round,
        uint256 side,
        uint256 window,
        uint256 point,
        uint256 device,
        uint256 limitWh,
        bytes32 fingerprint
    ) internal pure returns (uint256) {
        return _word(round, COMMITTED, side, keccak256(abi.encode(window, point, device, limitWh, fingerprint)));
    }

    /// @notice An opened bid: binds the window, the device, and the curve with the offsets it got in the book.
    function opened(uint256 round, uint256 side, uint256 window, uint256 device, bytes memory bid)
        internal
        pure
        returns (uint256)
    {
        return _word(round, OPENED, side, keccak256(abi.encode(window, device, keccak256(bid))));
    }

    /// @notice Claimed, refunded or withdrawn. Never zero, so that the next commitment creates no storage slot.
    function resolved(uint256 round) internal pure returns (uint256) {
        return (round << 240) | (RESOLVED << 233) | 1;
    }

    function roundOf(uint256 word) internal pure returns (uint256) {
        return word >> 240;
    }

    function kindOf(uint256 word) internal pure returns (uint256) {
        return (word >> 233) & 0x7f;
    }

    function sideOf(uint256 word) internal pure returns (uint256) {
        return (word >> 232) & 1;
    }

    /// @notice Is this the word of an unopened commitment of `round`?
    function isCommitted(uint256 word, uint256 round) internal pure returns (bool) {
        return word >> 233 == (round << 7) | COMMITTED;
    }

    function _word(uint256 round, uint256 kind, uint256 side, bytes32 hash) private pure returns (uint256) {
        return (round << 240) | (kind << 233) | (side << 232) | (uint256(hash) & LOW_MASK);
    }
}
