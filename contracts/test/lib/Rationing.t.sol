// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Rationing} from "../../src/lib/Rationing.sol";
import {Test} from "../utils/Test.sol";

/// @notice Sharing the marginal cohort's residual (20)-(22), (§3).
contract RationingTest is Test {
    struct Cohort {
        uint32[6] widths;
        uint256 residual;
        uint256 seed;
    }

    /// pro rata > when all segments of the cohort are filled > they sum to the residual
    function testFuzz_ProRataSumsToTheResidual(Cohort memory c) external pure {
        _assertSum(Rationing.PRO_RATA, c);
    }

    /// seeded order > when all segments of the cohort are filled > they sum to the residual
    function testFuzz_SeededOrderSumsToTheResidual(Cohort memory c) external pure {
        _assertSum(Rationing.SEEDED_ORDER, c);
    }

    /// pro rata > it never fills more than the width
    function testFuzz_ProRataNeverExceedsTheWidth(uint40 a, uint32 w, uint40 rest, uint256 r, uint256 s) external pure {
        _assertWithinWidth(Rationing.PRO_RATA, a, w, rest, r, s);
    }

    /// seeded order > it never fills more than the width
    function testFuzz_SeededOrderNeverExceedsTheWidth(uint40 a, uint32 w, uint40 rest, uint256 r, uint256 s)
        external
        pure
    {
        _assertWithinWidth(Rationing.SEEDED_ORDER, a, w, rest, r, s);
    }

    /// pro rata > it gives each segment its exact share to within one Wh
    function testFuzz_ProRataIsTheShareWithinOne(uint40 a, uint32 w, uint40 rest, uint256 r, uint256 s) external pure {
        (uint256 total, uint256 residual, uint256 phase) = _terms(a, w, rest, r, s);
        uint256 filled = Rationing.fill(Rationing.PRO_RATA, a, w, residual, total, phase);
        uint256 floor = uint256(w) * residual / total;
        assertGe(filled, floor, "at least the floor");
        assertLe(filled, floor + (uint256(w) * residual % total == 0 ? 0 : 1), "at most the ceiling");
    }

    /// pro rata > when the place in the order changes > the fill changes by at most one Wh (T18)
    function testFuzz_ProRataOrderMovesAtMostOne(uint40 a, uint40 b, uint32 w, uint256 r, uint256 s) external pure {
        uint256 rest = a > b ? a : b;
        (uint256 total, uint256 residual, uint256 phase) = _terms(rest, w, 0, r, s);
        assertApproxEqAbs(
            Rationing.fill(Rationing.PRO_RATA, a, w, residual, total, phase),
            Rationing.fill(Rationing.PRO_RATA, b, w, residual, total, phase),
            1,
            "order"
        );
    }

    /// pro rata > when a segment is split > the parts get exactly what the whole gets (T7)
    function testFuzz_ProRataPaysNothingForSplitting(uint40 a, uint32 w, uint32 cut, uint256 r, uint256 s)
        external
        pure
    {
        _assertSplit(Rationing.PRO_RATA, a, w, cut, r, s);
    }

    /// seeded order > when a segment is split > the parts get exactly what the whole gets (T7)
    function testFuzz_SeededOrderPaysNothingForSplitting(uint40 a, uint32 w, uint32 cut, uint256 r, uint256 s)
        external
        pure
    {
        _assertSplit(Rationing.SEEDED_ORDER, a, w, cut, r, s);
    }

    /// pro rata > it grows with the place and ends at the residual
    function testFuzz_ProRataIsMonotone(uint40 x, uint40 y, uint40 rest, uint256 r, uint256 s) external pure {
        (uint256 low, uint256 high) = x < y ? (x, y) : (y, x);
        (uint256 total, uint256 residual, uint256 phase) = _terms(high, 1, rest, r, s);
        assertLe(
            Rationing.proRata(low, residual, total, phase), Rationing.proRata(high, residual, total, phase), "monotone"
        );
        assertEq(Rationing.proRata(0, residual, total, phase), 0, "f(0)");
        assertEq(Rationing.proRata(total, residual, total, phase), residual, "f(T)");
    }

    /// seeded order > it grows by at most the step and ends at the residual
    function testFuzz_SeededOrderIsMonotone(uint40 x, uint40 y, uint40 rest, uint256 r, uint256 s) external pure {
        (uint256 low, uint256 high) = x < y ? (x, y) : (y, x);
        (uint256 total, uint256 residual, uint256 phase) = _terms(high, 1, rest, r, s);
        uint256 step =
            Rationing.seededOrder(high, residual, total, phase) - Rationing.seededOrder(low, residual, total, phase);
        assertLe(step, high - low, "1-Lipschitz");
        assertEq(Rationing.seededOrder(0, residual, total, phase), 0, "f(0)");
        assertEq(Rationing.seededOrder(total, residual, total, phase), residual, "f(T)");
    }

    /// seeded order > it fills exactly the units of the circular interval
    function testFuzz_SeededOrderCountsUnits(uint8 x, uint8 total, uint8 residual, uint8 phase) external pure {
        uint256 t = bound(total, 1, 255);
        uint256 r = bound(residual, 0, t);
        uint256 p = bound(phase, 0, t - 1);
        uint256 count;
        for (uint256 unit; unit < x && unit < t; ++unit) {
            // unit u is inside when its distance from the phase, going round, is below R
            if ((unit + t - p) % t < r) ++count;
        }
        assertEq(Rationing.seededOrder(x < t ? x : t, r, t, p), count, "units");
    }

    /// both rules > when the residual is the whole cohort > they fill every segment whole
    function testFuzz_WholeCohortIsFilledWhole(uint40 a, uint32 w, uint40 rest, uint256 s, uint8 rule) external pure {
        (uint256 total,, uint256 phase) = _terms(a, w, rest, 0, s);
        assertEq(Rationing.fill(rule % 2, a, w, total, total, phase), w, "whole");
    }

    /// both rules > when there is no residual > they fill nothing
    function testFuzz_NoResidualFillsNothing(uint40 a, uint32 w, uint40 rest, uint256 s, uint8 rule) external pure {
        (uint256 total,, uint256 phase) = _terms(a, w, rest, 0, s);
        assertEq(Rationing.fill(rule % 2, a, w, 0, total, phase), 0, "nothing");
    }

    /// pro rata > when the lanes are at their bounds > it does not overflow
    function test_ProRataAtTheLanesBounds() external pure {
        uint256 total = type(uint48).max;
        assertEq(Rationing.fill(0, total - 1, 1, total - 1, total, 0), 1, "the odd unit is the last one's");
        assertEq(Rationing.fill(0, total - 1, 1, total - 1, total, total - 1), 0, "the odd unit is another's");
        assertEq(Rationing.proRata(total, total, total, total - 1), total, "whole");
    }

    // ---------------------------------------------------------------------------------------------------------- helpers

    function _terms(uint256 a, uint256 w, uint256 rest, uint256 r, uint256 s)
        private
        pure
        returns (uint256 total, uint256 residual, uint256 phase)
    {
        total = a + w + rest;
        if (total == 0) total = 1;
        residual = bound(r, 0, total);
        phase = s % total;
    }

    function _assertSum(uint8 rule, Cohort memory c) private pure {
        uint256 total;
        for (uint256 i; i < c.widths.length; ++i) {
            total += c.widths[i];
        }
        vm.assume(total != 0);
        uint256 residual = bound(c.residual, 0, total);
        uint256 at;
        uint256 sum;
        for (uint256 i; i < c.widths.length; ++i) {
            sum += Rationing.fill(rule, at, c.widths[i], residual, total, c.seed % total);
            at += c.widths[i];
        }
        assertEq(sum, residual, "sum");
    }

    function _assertWithinWidth(uint8 rule, uint40 a, uint32 w, uint40 rest, uint256 r, uint256 s) private pure {
        (uint256 total, uint256 residual, uint256 phase) = _terms(a, w, rest, r, s);
        assertLe(Rationing.fill(rule, a, w, residual, total, phase), w, "width");
    }

    function _assertSplit(uint8 rule, uint40 a, uint32 w, uint32 cut, uint256 r, uint256 s) private pure {
        (uint256 total, uint256 residual, uint256 phase) = _terms(a, w, 7, r, s);
        uint256 c = bound(cut, 0, w);
        assertEq(
            Rationing.fill(rule, a, c, residual, total, phase)
                + Rationing.fill(rule, uint256(a) + c, w - c, residual, total, phase),
            Rationing.fill(rule, a, w, residual, total, phase),
            "split"
        );
    }
}
