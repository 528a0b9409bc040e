// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "./Errors.sol";

/// @title A window's status word: status, unopened commitments by side, and a digest or the progress of its fills.
/// @notice status, 8 bits | sellers, 24 | buyers, 24 | while open: a digest of the commitments, 200;
/// once cleared: resolved Wh, 56, and settled Wh, 56.
/// @dev The digest is a chain over the slot words of the commitments, in their order: of each one made, and of what a
/// withdrawal leaves. It takes no storage of its own, and lets an auditor prove that no commitment's event, even of one
/// never opened, was altered or left out. A sum of hashes would not: with many commitments at hand it can be matched.
library StatusWord {
    uint256 private constant COUNT_MAX = (1 << 24) - 1;
    uint256 private constant WH_MASK = (1 << 56) - 1;
    /// @dev Status and counts.
    uint256 private constant COUNTS_MASK = (1 << 56) - 1;

    function status(uint256 word) internal pure returns (uint256) {
        return word & 0xff;
    }

    function sellers(uint256 word) internal pure returns (uint256) {
        return (word >> 8) & COUNT_MAX;
    }

    function buyers(uint256 word) internal pure returns (uint256) {
        return (word >> 32) & COUNT_MAX;
    }

    function digest(uint256 word) internal pure returns (uint256) {
        return word >> 56;
    }

    /// @notice Wh of fills whose claim (and, for a buyer, payment or default) is decided; 2·V when all are.
    function resolved(uint256 word) internal pure returns (uint256) {
        return (word >> 56) & WH_MASK;
    }

    /// @notice Wh finally settled: sellers' fills first, up to V, then paid buyers' fills on top.
    function settled(uint256 word) internal pure returns (uint256) {
        return (word >> 112) & WH_MASK;
    }

    /// @dev The word with the digest chained over one more slot word of a participant.
    function linked(uint256 word, uint256 slotWord, address participant) internal pure returns (uint256) {
        uint256 link = uint256(keccak256(abi.encode(slotWord, participant, digest(word))));
        return (word & COUNTS_MASK) | (link << 56);
    }

    /// @dev The word after one more commitment on `side`.
    function withCommitment(uint256 word, uint256 side) internal pure returns (uint256) {
        unchecked {
            uint256 shift = 8 + side * 24;
            if ((word >> shift) & COUNT_MAX == COUNT_MAX) revert Errors.BadAmount(COUNT_MAX);
            return word + (1 << shift);
        }
    }

    /// @dev The word after one commitment less on `side`.
    function withoutCommitment(uint256 word, uint256 side) internal pure returns (uint256) {
        unchecked {
            return word - (1 << (8 + side * 24));
        }
    }

    /// @dev The word of a window that is no longer open, with the counts of unopened commitments.
    function ended(uint256 status_, uint256 unopenedSellers, uint256 unopenedBuyers) internal pure returns (uint256) {
        return status_ | (unopenedSellers << 8) | (unopenedBuyers << 32);
    }

    /// @dev Cannot overflow: at most 2·V <= 2^56 − 1 Wh are ever resolved, and as many settled.
    function withResolved(uint256 word, uint256 wh) internal pure returns (uint256) {
        unchecked {
            return word + (wh << 56);
        }
    }

    function withSettled(uint256 word, uint256 wh) internal pure returns (uint256) {
        unchecked {
            return word + (wh << 112);
        }
    }
}

/// @title A clearing's result in one word: all that a claim needs.
/// @notice tick, 16 bits | volume V, 56 | residual R, 56 | total T, 56 | phase φ, 56 | rationed side, 8 (0: sell,
/// 1: buy, 2: none). At most one marginal cohort is rationed (§3).
library ResultWord {
    uint256 internal constant NO_SIDE = 2;
    uint256 private constant WH_MASK = (1 << 56) - 1;

    function make(uint256 tick_, uint256 volume_, uint256 residual_, uint256 total_, uint256 phase_, uint256 side_)
        internal
        pure
        returns (uint256)
    {
        return tick_ | (volume_ << 16) | (residual_ << 72) | (total_ << 128) | (phase_ << 184) | (side_ << 240);
    }

    function tick(uint256 word) internal pure returns (uint256) {
        return word & 0xffff;
    }

    function volume(uint256 word) internal pure returns (uint256) {
        return (word >> 16) & WH_MASK;
    }

    function residual(uint256 word) internal pure returns (uint256) {
        return (word >> 72) & WH_MASK;
    }

    function total(uint256 word) internal pure returns (uint256) {
        return (word >> 128) & WH_MASK;
    }

    function phase(uint256 word) internal pure returns (uint256) {
        return (word >> 184) & WH_MASK;
    }

    function rationedSide(uint256 word) internal pure returns (uint256) {
        return word >> 240;
    }
}

/// @title A window's money in one word: pool, 96 bits | escrow, 96 | paid Wh, 56.
/// @notice The pool holds payments and forfeits, the escrow holds deposits. Nothing leaves a window but its own money.
library MoneyWord {
    uint256 private constant AMOUNT_MASK = (1 << 96) - 1;
    uint256 private constant WH_MASK = (1 << 56) - 1;

    function pool(uint256 word) internal pure returns (uint256) {
        return word & AMOUNT_MASK;
    }

    function escrow(uint256 word) internal pure returns (uint256) {
        return (word >> 96) & AMOUNT_MASK;
    }

    function paid(uint256 word) internal pure returns (uint256) {
        return (word >> 192) & WH_MASK;
    }

    function make(uint256 pool_, uint256 escrow_, uint256 paid_) internal pure returns (uint256) {
        if (pool_ > AMOUNT_MASK) revert Errors.BadAmount(pool_);
        if (escrow_ > AMOUNT_MASK) revert Errors.BadAmount(escrow_);
        return pool_ | (escrow_ << 96) | (paid_ << 192);
    }
}
