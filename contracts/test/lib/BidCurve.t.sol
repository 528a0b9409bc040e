// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {BidCurve} from "../../src/lib/BidCurve.sol";
import {Seal} from "../utils/Seal.sol";
import {Test} from "../utils/Test.sol";

/// @notice The curve's bytes (§2).
contract BidCurveTest is Test {
    uint256 private constant TICKS = 1024;

    // ---------------------------------------------------------------------------------------------------------- segment

    /// segment > when the segment exists > it returns its tick and width
    function testFuzz_SegmentReadsBack(uint16 tick, uint32 width, uint8 before) external pure {
        bytes memory curve;
        for (uint256 i; i < before % 16; ++i) {
            curve = bytes.concat(curve, Seal.segment(i, i + 1));
        }
        (uint256 t, uint256 w) = BidCurve.segment(bytes.concat(curve, Seal.segment(tick, width)), before % 16);
        assertEq(t, tick, "tick");
        assertEq(w, width, "width");
    }

    // ----------------------------------------------------------------------------------------- withOffsets, offset, setOffset

    /// withOffsets > it keeps the curve and doubles the length
    function testFuzz_WithOffsetsKeepsTheCurve(uint256 seed) external view {
        bytes memory curve = _ask(seed);
        bytes memory bid = this.withOffsets(curve);
        assertEq(bid.length, 2 * curve.length, "length");
        for (uint256 i; i < curve.length; ++i) {
            assertEq(uint8(bid[i]), uint8(curve[i]), "byte");
        }
    }

    /// withOffsets > it starts with offsets of zero
    function testFuzz_WithOffsetsStartsAtZero(uint256 seed) external view {
        bytes memory curve = _ask(seed);
        bytes memory bid = this.withOffsets(curve);
        uint256 n = curve.length / 6;
        for (uint256 i; i < n; ++i) {
            assertEq(BidCurve.offset(bid, n, i), 0, "offset");
        }
    }

    /// setOffset > it writes the offset that offset reads
    function testFuzz_OffsetReadsBack(uint256 seed, uint48 value, uint256 index) external view {
        bytes memory curve = _ask(seed);
        uint256 n = curve.length / 6;
        index = bound(index, 0, n - 1);
        bytes memory bid = this.withOffsets(curve);
        BidCurve.setOffset(bid, n, index, value);
        assertEq(BidCurve.offset(bid, n, index), value, "offset");
    }

    /// setOffset > it leaves every other byte of the bid as it was
    function testFuzz_SetOffsetTouchesNothingElse(uint256 seed, uint48 value, uint256 index) external view {
        bytes memory curve = _ask(seed);
        uint256 n = curve.length / 6;
        index = bound(index, 0, n - 1);
        bytes memory bid = this.withOffsets(curve);
        BidCurve.setOffset(bid, n, index, value);
        for (uint256 i; i < n; ++i) {
            (uint256 tick, uint256 width) = BidCurve.segment(bid, i);
            (uint256 tick0, uint256 width0) = BidCurve.segment(curve, i);
            assertEq(tick, tick0, "tick");
            assertEq(width, width0, "width");
            if (i != index) assertEq(BidCurve.offset(bid, n, i), 0, "other offset");
        }
    }

    /// setOffset > when it writes the last offset > it leaves the memory after the bid as it was
    function testFuzz_SetOffsetKeepsTheNextAllocation(uint256 seed, uint48 value, uint256 marker) external view {
        bytes memory curve = _ask(seed);
        bytes memory bid = this.withOffsets(curve);
        bytes memory next = abi.encode(marker);
        BidCurve.setOffset(bid, curve.length / 6, curve.length / 6 - 1, value);
        assertEq(abi.decode(next, (uint256)), marker, "next allocation");
    }

    // ---------------------------------------------------------------------------------------------------------- measure

    /// measure > when the curve is well formed > it returns the sum of widths
    function testFuzz_MeasureSumsWidths(uint256 seed) external view {
        bytes memory curve = _ask(seed);
        (uint256 quantity,, bool valid) = this.measure(curve, 0, TICKS);
        uint256 sum;
        for (uint256 i; i < curve.length / 6; ++i) {
            (, uint256 width) = BidCurve.segment(curve, i);
            sum += width;
        }
        assertTrue(valid, "valid");
        assertEq(quantity, sum, "quantity");
    }

    /// measure > when the curve is well formed > it returns the sum of width times tick
    function testFuzz_MeasureSumsValue(uint256 seed) external view {
        bytes memory curve = _reversed(_ask(seed));
        (, uint256 value, bool valid) = this.measure(curve, 1, TICKS);
        uint256 sum;
        for (uint256 i; i < curve.length / 6; ++i) {
            (uint256 tick, uint256 width) = BidCurve.segment(curve, i);
            sum += tick * width;
        }
        assertTrue(valid, "valid");
        assertEq(value, sum, "value");
    }

    /// measure > when there is no segment > it refuses
    function test_MeasureRefusesTheEmptyCurve() external view {
        _assertRefused("", 0);
        _assertRefused("", 1);
    }

    /// measure > when there are 16 segments > it accepts; when 17 > it refuses
    function test_MeasureTakesSixteenSegments() external view {
        bytes memory curve;
        for (uint256 i; i < 16; ++i) {
            curve = bytes.concat(curve, Seal.segment(i, 1));
        }
        (uint256 quantity,, bool valid) = this.measure(curve, 0, TICKS);
        assertTrue(valid, "16");
        assertEq(quantity, 16, "quantity");
        _assertRefused(bytes.concat(curve, Seal.segment(16, 1)), 0);
    }

    /// measure > when there are more than 16 segments > it refuses
    function testFuzz_MeasureRefusesTooManySegments(uint8 extra) external view {
        bytes memory curve;
        for (uint256 i; i < 17 + uint256(extra % 48); ++i) {
            curve = bytes.concat(curve, Seal.segment(i, 1));
        }
        _assertRefused(curve, 0);
    }

    /// measure > when the length is no multiple of six > it refuses
    function testFuzz_MeasureRefusesBrokenLength(uint256 seed, uint8 cut) external view {
        bytes memory curve = _ask(seed);
        bytes memory broken = bytes.concat(curve, new bytes(1 + cut % 5));
        _assertRefused(broken, 0);
        _assertRefused(broken, 1);
    }

    /// measure > when a width is zero > it refuses
    function testFuzz_MeasureRefusesZeroWidth(uint256 seed, uint256 index) external view {
        bytes memory curve = _ask(seed);
        _put(curve, bound(index, 0, curve.length / 6 - 1), 2, 4, 0);
        _assertRefused(curve, 0);
    }

    /// measure > when a tick is off the grid > it refuses
    function testFuzz_MeasureRefusesTickOffTheGrid(uint256 seed, uint16 tick) external view {
        bytes memory curve = _ask(seed);
        _put(curve, curve.length / 6 - 1, 0, 2, bound(tick, TICKS, type(uint16).max));
        _assertRefused(curve, 0);
    }

    /// measure > when the highest tick of the grid is used > it accepts
    function testFuzz_MeasureTakesTheHighestTick(uint16 ticks) external view {
        ticks = uint16(bound(ticks, 2, 16_384));
        (,, bool on) = this.measure(Seal.segment(ticks - 1, 1), 0, ticks);
        (,, bool off) = this.measure(Seal.segment(ticks, 1), 0, ticks);
        assertTrue(on, "ticks - 1");
        assertFalse(off, "ticks");
    }

    /// measure > when two neighbours of an ask are swapped > it refuses
    function testFuzz_MeasureRefusesUnsortedAsk(uint256 seed, uint256 index) external view {
        bytes memory curve = _ask(seed);
        uint256 n = curve.length / 6;
        if (n < 2) return _assertRefused(Seal.two(5, 1, 4, 1), 0);
        index = bound(index, 0, n - 2);
        (uint256 low,) = BidCurve.segment(curve, index);
        (uint256 high,) = BidCurve.segment(curve, index + 1);
        _put(curve, index, 0, 2, high);
        _put(curve, index + 1, 0, 2, low);
        _assertRefused(curve, 0);
    }

    /// measure > when two ticks are equal > it refuses
    function testFuzz_MeasureRefusesEqualTicks(uint16 tick, uint32 width, uint8 side) external view {
        tick = uint16(bound(tick, 0, TICKS - 1));
        width = uint32(bound(width, 1, type(uint32).max));
        _assertRefused(Seal.two(tick, width, tick, width), side % 2);
    }

    /// measure > when a bid's ticks ascend > it refuses, and accepts them descending
    function testFuzz_MeasureWantsBidsDescending(uint256 seed) external view {
        bytes memory curve = bytes.concat(_ask(seed), Seal.segment(TICKS - 1, 1));
        if (curve.length / 6 > 16) curve = Seal.two(1, 1, 2, 1);
        _assertRefused(curve, 1);
        (,, bool valid) = this.measure(_reversed(curve), 1, TICKS);
        assertTrue(valid, "descending");
    }

    // ---------------------------------------------------------------------------------------------------------- helpers

    function measure(bytes calldata curve, uint256 side, uint256 ticks) external pure returns (uint256, uint256, bool) {
        return BidCurve.measure(curve, side, ticks);
    }

    function withOffsets(bytes calldata curve) external pure returns (bytes memory) {
        return BidCurve.withOffsets(curve);
    }

    function _assertRefused(bytes memory curve, uint256 side) private view {
        (uint256 quantity, uint256 value, bool valid) = this.measure(curve, side, TICKS);
        assertFalse(valid, "refused");
        assertEq(quantity + value, 0, "a refused curve measures nothing");
    }

    /// @dev A random well formed ask of 1 to 16 segments below tick TICKS - 1.
    function _ask(uint256 seed) private pure returns (bytes memory curve) {
        uint256 n = 1 + seed % 16;
        uint256 tick;
        for (uint256 i; i < n; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            tick += 1 + seed % 60;
            curve = bytes.concat(curve, Seal.segment(tick, 1 + (seed >> 64) % type(uint32).max));
        }
    }

    function _reversed(bytes memory curve) private pure returns (bytes memory out) {
        for (uint256 i = curve.length / 6; i > 0; --i) {
            (uint256 tick, uint256 width) = BidCurve.segment(curve, i - 1);
            out = bytes.concat(out, Seal.segment(tick, width));
        }
    }

    /// @dev Overwrites `size` bytes of segment `index` at byte `at` by `value`.
    function _put(bytes memory curve, uint256 index, uint256 at, uint256 size, uint256 value) private pure {
        for (uint256 i; i < size; ++i) {
            curve[index * 6 + at + i] = bytes1(uint8(value >> (8 * (size - 1 - i))));
        }
    }
}
