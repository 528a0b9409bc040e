// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {PriceBook} from "../../src/lib/PriceBook.sol";

/// @notice Proofs that adding a segment changes its own lanes and no other, never overflows silently, and that words of other
/// rounds read as empty (T8, T17).
/// @dev Words, width and round are symbolic; parity and side are tried one by one, and so every shift.
/// @custom:halmos --loop 64
contract PriceBookProofs {
    uint256 private constant LANE_MASK = (1 << 48) - 1;
    uint256 private constant PLACE = 3;

    /// @notice All lanes but one of the leaf, and all but one of the sums, stay as they were; that one grows by the width.
    function check_addChangesOneLaneOnEachLevel(uint256 leaf, uint256 sums, uint32 width, uint16 round) external {
        for (uint256 i; i < 8; ++i) {
            _checkAdd(leaf, sums, width, round, i & 1, (i >> 1) & 1, (i >> 2) & 1);
        }
    }

    /// @notice A word of another round reads as empty, whatever it holds.
    function check_staleWordsReadAsEmpty(uint256 leaf, uint256 sums, uint32 width, uint16 round) external {
        require(width != 0 && uint16(leaf >> 192) != round && uint16(sums >> 192) != round);
        uint256 base = PriceBook.baseOf(PLACE);
        for (uint256 side; side < 2; ++side) {
            _store(base, sums);
            _store(base + 64, leaf);
            assert(PriceBook.add(base, round, 1, side, width, true) == 0);
            uint256 lane = uint256(width) << (side * 96);
            assert(_load(base) == (uint256(round) << 192) + lane + (1 << (208 + side * 24)));
            assert(_load(base + 64) == (uint256(round) << 192) + (lane << 48));
        }
    }

    /// @notice The totals read a lane of this round as it is and nothing of another round.
    function check_totalsReadThisRoundOnly(uint256 sums, uint16 round) external {
        uint256 base = PriceBook.baseOf(PLACE);
        _store(base, sums);
        PriceBook.Totals memory t = PriceBook.totals(base, round, 256);
        bool mine = uint16(sums >> 192) == round;
        assert(t.supply == (mine ? _lane(sums, 0) + _lane(sums, 1) : 0));
        assert(t.demand == (mine ? _lane(sums, 2) + _lane(sums, 3) : 0));
        assert(t.openedSellers == (mine ? uint24(sums >> 208) : 0));
        assert(t.openedBuyers == (mine ? sums >> 232 : 0));
    }

    function _checkAdd(
        uint256 leaf,
        uint256 sums,
        uint256 width,
        uint256 round,
        uint256 side,
        uint256 odd,
        uint256 oddGroup
    ) private {
        // Of this round; and fewer openings than a window can have commitments.
        require(uint16(leaf >> 192) == round && uint16(sums >> 192) == round);
        require(uint24(sums >> 208) != type(uint24).max && uint24(sums >> 232) != type(uint24).max);
        uint256 base = PriceBook.baseOf(PLACE);
        uint256 tick = oddGroup * 128 + odd;
        uint256 slot = base + 64 + (tick >> 1);
        _store(base, sums);
        _store(slot, leaf);
        uint256 offset = PriceBook.add(base, round, tick, side, width, true);
        (uint256 leafAfter, uint256 sumsAfter) = (_load(slot), _load(base));
        assert(offset == _lane(leaf, side * 2 + odd));
        for (uint256 lane; lane < 4; ++lane) {
            assert(_lane(leafAfter, lane) == _lane(leaf, lane) + (lane == side * 2 + odd ? width : 0));
            assert(_lane(sumsAfter, lane) == _lane(sums, lane) + (lane == side * 2 + oddGroup ? width : 0));
        }
        assert(leafAfter >> 192 == leaf >> 192);
        assert(uint16(sumsAfter >> 192) == round);
        assert(uint24(sumsAfter >> 208) == uint24(sums >> 208) + (side == 0 ? 1 : 0));
        assert(sumsAfter >> 232 == (sums >> 232) + side);
    }

    function _lane(uint256 word, uint256 i) private pure returns (uint256) {
        return (word >> (48 * i)) & LANE_MASK;
    }

    function _store(uint256 slot, uint256 word) private {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }

    function _load(uint256 slot) private view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(slot)
        }
    }
}
