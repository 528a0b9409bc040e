// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The word in a participant's ring place: what it has in one window (§4, §5).
/// @notice round (16 bits) | kind (2 bits) | side (1 bit) | a seller's energy units less one (6 bits) | the low 231 bits of a
/// hash. 231 bits keep 2^115 work for a collision (T2 asks for at least 2^112); the round says which window of the ring the
/// word belongs to (T17); the units are what the bid holds of its battery's energy (see Vault).
library BidSlot {
    uint256 internal constant COMMITTED = 1;
    uint256 internal constant OPENED = 2;
    uint256 internal constant RESOLVED = 3;
    uint256 private constant HASH_MASK = (1 << 231) - 1;
    uint256 private constant UNITS_SHIFT = 231;
    uint256 private constant UNITS_MASK = 63;
    uint256 private constant BUY = 1 << 237;
    /// @dev Side and units: what the word of an opened bid keeps of its commitment's.
    uint256 private constant KEPT_MASK = ((1 << 7) - 1) << 231;

    /// @notice A sealed commitment (6): binds the window, the full 32-byte compressed point, and the seller's terms as they
    /// are at the commitment (zeros for a buyer). `units` is 0 for a buyer, 1 to 64 for a seller.
    function committed(
        uint256 round,
        uint256 units,
        uint256 window,
        uint256 point,
        uint256 terms,
        bytes32 fingerprint
    ) internal pure returns (uint256) {
        unchecked {
            uint256 kept = units == 0 ? BUY : (units - 1) << UNITS_SHIFT;
            return _head(round, COMMITTED) | kept | (_hash(window, point, terms, fingerprint) & HASH_MASK);
        }
    }

    /// @notice An opened bid, from its commitment's word (or its own): binds the window, the terms, and the curve with the
    /// offsets it got in the book.
    function opened(uint256 round, uint256 word, uint256 window, uint256 terms, bytes memory bid)
        internal
        pure
        returns (uint256)
    {
        uint256 hash;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, window)
            mstore(add(p, 0x20), terms)
            mstore(add(p, 0x40), keccak256(add(bid, 0x20), mload(bid)))
            hash := keccak256(p, 0x60)
        }
        return _head(round, OPENED) | (word & KEPT_MASK) | (hash & HASH_MASK);
    }

    /// @notice Claimed, refunded or withdrawn. Never zero, so that the next commitment creates no storage slot.
    function resolved(uint256 round) internal pure returns (uint256) {
        return _head(round, RESOLVED) | 1;
    }

    function roundOf(uint256 word) internal pure returns (uint256) {
        return word >> 240;
    }

    function kindOf(uint256 word) internal pure returns (uint256) {
        return (word >> 238) & 3;
    }

    function sideOf(uint256 word) internal pure returns (uint256) {
        return (word >> 237) & 1;
    }

    /// @notice The energy units that a committed or opened bid holds: 1 to 64 for a seller, 0 for a buyer.
    function unitsOf(uint256 word) internal pure returns (uint256) {
        unchecked {
            return ((word >> UNITS_SHIFT) & UNITS_MASK) + (1 - sideOf(word));
        }
    }

    /// @notice Is this the word of an unopened commitment of `round`?
    function isCommitted(uint256 word, uint256 round) internal pure returns (bool) {
        return word >> 238 == (round << 2) | COMMITTED;
    }

    /// @dev keccak256(abi.encode(…)), without the copy that Solidity keeps of what it encodes.
    function _hash(uint256 window, uint256 point, uint256 terms, bytes32 fingerprint) private pure returns (uint256 h) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, window)
            mstore(add(p, 0x20), point)
            mstore(add(p, 0x40), terms)
            mstore(add(p, 0x60), fingerprint)
            h := keccak256(p, 0x80)
        }
    }

    function _head(uint256 round, uint256 kind) private pure returns (uint256) {
        return (round << 240) | (kind << 238);
    }
}
