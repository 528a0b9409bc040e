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
            t.sums = new uint256[](words);
            for (uint256 i; i < words; ++i) {
                uint256 word = _load(base + i, round);
                t.sums[i] = word;
                t.supply += (word & LANE_MASK) + ((word >> 48) & LANE_MASK);
                t.demand += ((word >> 96) & LANE_MASK) + ((word >> 144) & LANE_MASK);
                t.openedSellers += (word >> COUNT_SHIFT) & COUNT_MASK;
                t.openedBuyers += word >> (COUNT_SHIFT + 24);
            }
        }
    }

    /// @notice λ_lo (19): the least tick at which supply plus demand at ticks up to it reaches the whole demand, which
    /// is the least λ with D(λ+) <= S(λ). Needs demand > 0.
    function lowest(uint256 base, uint256 round, Totals memory t) internal view returns (Crossing memory c) {
        unchecked {
            uint256 group;
            uint256 s;
            uint256 d;
            while (true) {
                (s, d) = _lanes(t.sums[group >> 1], group);
                if (c.supplyBelow + s + c.demandBelow + d >= t.demand) break;
                c.supplyBelow += s;
                c.demandBelow += d;
                ++group;
            }
            uint256 tick = group << GROUP_BITS;
            uint256 word;
            while (true) {
                if (tick & 1 == 0) word = _load(base + 64 + (tick >> 1), round);
                (s, d) = _lanes(word, tick);
                if (c.supplyBelow + s + c.demandBelow + d >= t.demand) break;
                c.supplyBelow += s;
                c.demandBelow += d;
                ++tick;
            }
            (c.tick, c.supplyAt, c.demandAt) = (tick, s, d);
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
                    (s, d) = _lanes(t.sums[group >> 1], group);
                    if (s + d != 0) break;
                    ++group;
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
            uint256 end = (group + 1) << GROUP_BITS;
            uint256 word = tick < end ? _load(base + 64 + (tick >> 1), round) : 0;
            for (; tick < end; ++tick) {
                if (tick & 1 == 0) word = _load(base + 64 + (tick >> 1), round);
                (s, d) = _lanes(word, tick);
                if (s + d != 0) break;
            }
            return (tick, s, d);
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
