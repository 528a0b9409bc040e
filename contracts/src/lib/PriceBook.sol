// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "./Errors.sol";

/// @title The price book of one window: quantities by tick and by group of ticks (§4).
/// @notice Two levels over at most 16,384 ticks: a leaf word holds two ticks, a sums word two groups of 128 ticks.
/// Clearing reads sums, then one group's leaves, so that its cost does not depend on the number of bids (T11, T12).
/// @dev A word: four 48-bit lanes (sell even, sell odd, buy even, buy odd), a 16-bit round tag, and (sums only) two
/// 24-bit counters of openings by side. A word of an earlier round of the ring reads as empty, so that steady state
/// creates no storage slot. Lanes are checked on both levels (T8). The storage is one block, at a fixed place:
/// base + ring place × 8,256 + (0..63 sums | 64..8,255 leaves).
library PriceBook {
    uint256 internal constant MAX_TICKS = 16_384;
    uint256 private constant BASE = uint256(keccak256("stowatt.storage.PriceBook"));
    uint256 private constant STRIDE = 64 + 8192;
    uint256 private constant LANE = 48;
    uint256 private constant LANE_MASK = (1 << 48) - 1;
    uint256 private constant LANES = (1 << 192) - 1;
    uint256 private constant PAIR_MASK = (1 << 96) - 1;
    uint256 private constant EVEN_LANES = LANE_MASK | (LANE_MASK << 96);
    uint256 private constant TAG_SHIFT = 192;
    uint256 private constant TAG_MASK = 0xffff;
    uint256 private constant COUNT_SHIFT = 208;
    uint256 private constant COUNT_MASK = 0xffffff;
    uint256 private constant GROUP_BITS = 7;

    /// @notice Where the clearing stands. Quantities in Wh; `below` means at better-priced ticks than `tick`.
    struct Crossing {
        uint256 tick;
        uint256 supplyBelow; // S(tick−)
        uint256 supplyAt; // asks exactly at tick
        uint256 demandBelow; // bids at ticks < tick
        uint256 demandAt; // bids exactly at tick
    }

    /// @notice The sums level, read once.
    struct Totals {
        uint256[] sums;
        uint256 supply;
        uint256 demand;
        uint256 openedSellers;
        uint256 openedBuyers;
    }

    function baseOf(uint256 place) internal pure returns (uint256) {
        unchecked {
            return BASE + place * STRIDE;
        }
    }

    /// @notice Adds `width` Wh at `tick`; returns what the tick held before on that side: the segment's offset.
    function add(uint256 base, uint256 round, uint256 tick, uint256 side, uint256 width, bool countOpening)
        internal
        returns (uint256 offset)
    {
        unchecked {
            uint256 slot = base + 64 + (tick >> 1);
            uint256 word = _load(slot, round);
            uint256 shift = (side * 2 + (tick & 1)) * LANE;
            offset = (word >> shift) & LANE_MASK;
            if (offset + width > LANE_MASK) revert Errors.LaneFull(tick);
            _store(slot, word + (width << shift));

            uint256 group = tick >> GROUP_BITS;
            slot = base + (group >> 1);
            word = _load(slot, round);
            shift = (side * 2 + (group & 1)) * LANE;
            if (((word >> shift) & LANE_MASK) + width > LANE_MASK) revert Errors.LaneFull(tick);
            word += width << shift;
            // The counter cannot overflow: commitments of a window are counted in 24 bits.
            if (countOpening) word += 1 << (COUNT_SHIFT + side * 24);
            _store(slot, word);
        }
    }

    /// @notice Reads the sums level of a book with `ticks` ticks.
    function totals(uint256 base, uint256 round, uint256 ticks) internal view returns (Totals memory t) {
        unchecked {
            uint256 words = (ticks + 255) >> 8;
            uint256[] memory sums = new uint256[](words);
            (uint256 supply, uint256 demand, uint256 counts) = (0, 0, 0);
            for (uint256 i; i < words; ++i) {
                uint256 word = _load(base + i, round);
                sums[i] = word;
                (uint256 s, uint256 d) = _both(word);
                (supply, demand) = (supply + s, demand + d);
                // Both counters at once: neither sum exceeds 24 bits, since commitments of a window are counted in 24 bits.
                counts += word >> COUNT_SHIFT;
            }
            t = Totals(sums, supply, demand, counts & COUNT_MASK, counts >> 24);
        }
    }

    /// @notice λ_lo (19): the least tick at which supply plus demand at ticks up to it reaches the whole demand, which
    /// is the least λ with D(λ+) <= S(λ). Needs demand > 0.
    /// @dev Passes over words first, two groups or ticks each, and looks into the word that the price lies in.
    function lowest(uint256 base, uint256 round, Totals memory t) internal view returns (Crossing memory c) {
        unchecked {
            // What is still wanted of the whole demand, and the supply passed over; the demand passed over is the rest.
            (uint256 wanted, uint256 supply) = (t.demand, 0);
            (uint256 i, uint256 word, uint256 s, uint256 d) = (0, 0, 0, 0);
            for (;; ++i) {
                (s, d) = _both(t.sums[i]);
                if (s + d >= wanted) break;
                (wanted, supply) = (wanted - s - d, supply + s);
            }
            i <<= 1;
            (s, d) = _lanes(t.sums[i >> 1], 0);
            if (s + d < wanted) (wanted, supply, i) = (wanted - s - d, supply + s, i + 1);

            uint256 slot = base + 64 + (i << (GROUP_BITS - 1));
            for (;; ++slot) {
                word = _load(slot, round);
                (s, d) = _both(word);
                if (s + d >= wanted) break;
                (wanted, supply) = (wanted - s - d, supply + s);
            }
            uint256 tick = (slot - base - 64) << 1;
            (s, d) = _lanes(word, 0);
            if (s + d < wanted) {
                (wanted, supply, tick) = (wanted - s - d, supply + s, tick + 1);
                (s, d) = _lanes(word, 1);
            }
            c = Crossing(tick, supply, s, t.demand - wanted - supply, d);
        }
    }

    /// @notice λ_hi: the crossing at the last minimiser of Φ (9): the next tick that holds any quantity, if supply and
    /// demand balance at `low`; else `low` itself. Needs some ask or bid above a balanced `low`, as there is after a trade.
    function highest(uint256 base, uint256 round, Totals memory t, Crossing memory low)
        internal
        view
        returns (Crossing memory c)
    {
        unchecked {
            c = low;
            uint256 supply = low.supplyBelow + low.supplyAt;
            uint256 demandBelow = low.demandBelow + low.demandAt;
            if (supply + demandBelow != t.demand) return c;

            (uint256 tick, uint256 s, uint256 d) = _nextInGroup(base, round, low.tick + 1, low.tick >> GROUP_BITS);
            if (s + d == 0) {
                uint256 group = (low.tick >> GROUP_BITS) + 1;
                while (true) {
                    uint256 word = t.sums[group >> 1];
                    (s, d) = _lanes(word, group);
                    if (s + d != 0) break;
                    // An empty word holds two empty groups.
                    group += group & 1 == 0 && word & LANES == 0 ? 2 : 1;
                }
                (tick, s, d) = _nextInGroup(base, round, group << GROUP_BITS, group);
            }
            c = Crossing(tick, supply, s, demandBelow, d);
        }
    }

    /// @dev The first tick from `tick` on, inside `group`, that holds anything; zeros if there is none.
    function _nextInGroup(uint256 base, uint256 round, uint256 tick, uint256 group)
        private
        view
        returns (uint256, uint256 s, uint256 d)
    {
        unchecked {
            uint256 slot = base + 64 + (tick >> 1);
            uint256 end = base + 64 + ((group + 1) << (GROUP_BITS - 1));
            if (tick & 1 == 1) {
                (s, d) = _lanes(_load(slot, round), 1);
                if (s + d != 0) return (tick, s, d);
                ++slot;
            }
            for (; slot < end; ++slot) {
                uint256 word = _load(slot, round);
                if (word & LANES == 0) continue;
                tick = (slot - base - 64) << 1;
                (s, d) = _lanes(word, 0);
                if (s + d != 0) return (tick, s, d);
                (s, d) = _lanes(word, 1);
                return (tick + 1, s, d);
            }
            return (tick, 0, 0);
        }
    }

    /// @dev Supply and demand of both ticks or groups of a word: even and odd lanes are added in pairs of 96 bits.
    function _both(uint256 word) private pure returns (uint256 s, uint256 d) {
        unchecked {
            word = (word & EVEN_LANES) + ((word >> LANE) & EVEN_LANES);
            (s, d) = (word & PAIR_MASK, word >> (2 * LANE));
        }
    }

    /// @dev Supply and demand lanes of an even or odd tick or group.
    function _lanes(uint256 word, uint256 index) private pure returns (uint256 s, uint256 d) {
        unchecked {
            uint256 shift = (index & 1) * LANE;
            s = (word >> shift) & LANE_MASK;
            d = (word >> (shift + 2 * LANE)) & LANE_MASK;
        }
    }

    /// @dev The word at `slot`, or an empty word of this round if it holds an earlier round's.
    function _load(uint256 slot, uint256 round) private view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(slot)
        }
        if ((word >> TAG_SHIFT) & TAG_MASK != round) word = round << TAG_SHIFT;
    }

    function _store(uint256 slot, uint256 word) private {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }
}
