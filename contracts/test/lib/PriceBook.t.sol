// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Errors} from "../../src/lib/Errors.sol";
import {PriceBook} from "../../src/lib/PriceBook.sol";
import {BookModel} from "../utils/BookModel.sol";
import {Test} from "../utils/Test.sol";

/// @notice The price book's two levels against plain arrays (§3, §4).
/// forge-config: default.fuzz.runs = 24
contract PriceBookTest is Test {
    uint256 private constant GRID = 300; // three groups of 128, the last one not full
    uint256 private constant LANE_MAX = type(uint48).max;

    BookModel private model;

    function setUp() external {
        model = new BookModel(GRID);
    }

    // -------------------------------------------------------------------------------------------------------------- add

    /// add > it returns what the tick held before on that side
    function testFuzz_AddReturnsTheOffset(uint256 seed) external {
        for (uint256 i; i < 24; ++i) {
            (uint256 side, uint256 tick, uint256 width) = _entry(seed, i, 8);
            uint256 held = model.add(side, tick, width);
            assertEq(this.add(0, 0, tick, side, width, false), held, "offset");
        }
    }

    /// add > it leaves every other tick and side as they were
    function testFuzz_AddTouchesItsLaneAlone(uint16 tick, uint8 side, uint32 width, uint16 other) external {
        tick = uint16(bound(tick, 0, GRID - 1));
        other = uint16(bound(other, 0, GRID - 1));
        width = uint32(bound(width, 1, type(uint32).max));
        this.add(0, 0, other, 0, 5, false);
        this.add(0, 0, other, 1, 7, false);
        this.add(0, 0, tick, side % 2, width, false);
        uint256 asks = this.add(0, 0, other, 0, 1, false);
        uint256 bids = this.add(0, 0, other, 1, 1, false);
        assertEq(asks, 5 + (tick == other && side % 2 == 0 ? width : 0), "asks");
        assertEq(bids, 7 + (tick == other && side % 2 == 1 ? width : 0), "bids");
    }

    /// add > when another place of the ring is written > this place's book is as it was
    function testFuzz_PlacesAreApart(uint16 tick, uint8 place, uint8 other) external {
        tick = uint16(bound(tick, 0, PriceBook.MAX_TICKS - 1));
        vm.assume(place != other);
        this.add(place, 0, tick, 0, 11, true);
        assertEq(this.totals(other, 0, PriceBook.MAX_TICKS).supply, 0, "other place");
        assertEq(this.totals(place, 0, PriceBook.MAX_TICKS).supply, 11, "its place");
    }

    /// add > when the word is of an earlier round > it starts from empty (T17)
    function testFuzz_AnEarlierRoundReadsAsEmpty(uint256 seed, uint16 round, uint16 later) external {
        vm.assume(round != later);
        for (uint256 i; i < 8; ++i) {
            (uint256 side, uint256 tick, uint256 width) = _entry(seed, i, GRID);
            this.add(0, round, tick, side, width, true);
        }
        PriceBook.Totals memory t = this.totals(0, later, GRID);
        assertEq(t.supply + t.demand + t.openedSellers + t.openedBuyers, 0, "empty");
        (uint256 side0, uint256 tick0,) = _entry(seed, 0, GRID);
        assertEq(this.add(0, later, tick0, side0, 1, true), 0, "offset of the new round");
    }

    /// add > when the tick's lane would overflow > it reverts with LaneFull (T8)
    function testFuzz_RevertWhen_TheTickIsFull(uint16 tick, uint8 side, uint48 held, uint48 width) external {
        tick = uint16(bound(tick, 0, PriceBook.MAX_TICKS - 1));
        held = uint48(bound(held, 1, LANE_MAX));
        width = uint48(bound(width, LANE_MAX - held + 1, LANE_MAX));
        this.add(0, 0, tick, side % 2, held, false);
        vm.expectRevert(abi.encodeWithSelector(Errors.LaneFull.selector, tick));
        this.add(0, 0, tick, side % 2, width, false);
    }

    /// add > when the group's lane would overflow > it reverts with LaneFull (T8)
    function testFuzz_RevertWhen_TheGroupIsFull(uint16 tick, uint8 side, uint48 held) external {
        tick = uint16(bound(tick, 0, PriceBook.MAX_TICKS - 1));
        held = uint48(bound(held, 1, LANE_MAX));
        uint256 neighbour = tick ^ 1; // another lane of the same group
        this.add(0, 0, tick, side % 2, held, false);
        vm.expectRevert(abi.encodeWithSelector(Errors.LaneFull.selector, neighbour));
        this.add(0, 0, neighbour, side % 2, LANE_MAX - held + 1, false);
    }

    /// add > when the lane is filled to its last unit > it accepts
    function testFuzz_ALaneFillsToItsLastUnit(uint16 tick, uint8 side, uint48 held) external {
        tick = uint16(bound(tick, 0, PriceBook.MAX_TICKS - 1));
        held = uint48(bound(held, 0, LANE_MAX - 1));
        this.add(0, 0, tick, side % 2, held, false);
        assertEq(this.add(0, 0, tick, side % 2, LANE_MAX - held, false), held, "offset");
        PriceBook.Totals memory t = this.totals(0, 0, PriceBook.MAX_TICKS);
        assertEq(side % 2 == 0 ? t.supply : t.demand, LANE_MAX, "full");
    }

    // ----------------------------------------------------------------------------------------------------------- totals

    /// totals > it returns the sums of both sides
    function testFuzz_TotalsAreTheSums(uint256 seed) external {
        _fill(seed, 20, GRID);
        PriceBook.Totals memory t = this.totals(0, 0, GRID);
        assertEq(t.supply, model.totalSupply(), "supply");
        assertEq(t.demand, model.totalDemand(), "demand");
    }

    /// totals > it counts the openings by side
    function testFuzz_TotalsCountOpenings(uint256 seed, uint8 sellers, uint8 buyers) external {
        for (uint256 i; i < uint256(sellers % 20) + buyers % 20; ++i) {
            uint256 tick = uint256(keccak256(abi.encode(seed, i))) % GRID;
            this.add(0, 0, tick, i < sellers % 20 ? 0 : 1, 1, true);
            this.add(0, 0, (tick + 1) % GRID, i < sellers % 20 ? 0 : 1, 1, false);
        }
        PriceBook.Totals memory t = this.totals(0, 0, GRID);
        assertEq(t.openedSellers, sellers % 20, "sellers");
        assertEq(t.openedBuyers, buyers % 20, "buyers");
    }

    // ---------------------------------------------------------------------------------------------------------- lowest

    /// lowest > it is min { λ : D(λ+) <= S(λ) } (19)
    function testFuzz_LowestIsTheDefinition(uint256 seed, uint16 spread) external {
        _fill(seed, 16, bound(spread, 1, GRID));
        if (model.totalDemand() == 0) return;
        PriceBook.Crossing memory c = this.lowest(0, 0, GRID);
        assertEq(c.tick, model.lowest(), "lowest");
    }

    /// lowest > it returns the quantities below and at the price
    function testFuzz_LowestReturnsItsQuantities(uint256 seed, uint16 spread) external {
        _fill(seed, 16, bound(spread, 1, GRID));
        if (model.totalDemand() == 0) return;
        _assertCrossing(this.lowest(0, 0, GRID));
    }

    /// lowest > it minimises the dual (9), and no lower tick does
    function testFuzz_LowestIsTheLeastMinimiser(uint256 seed, uint16 spread) external {
        _fill(seed, 12, bound(spread, 1, GRID));
        if (model.totalDemand() == 0 || model.totalSupply() == 0) return;
        uint256 tick = this.lowest(0, 0, GRID).tick;
        uint256 least = model.dual(tick);
        if (tick != 0) assertGt(model.dual(tick - 1), least, "lower tick");
        if (tick != GRID - 1) assertGe(model.dual(tick + 1), least, "higher tick");
    }

    /// lowest > when only demand is marginal > it is the demand's tick, not the one above (the errata of §3)
    function test_LowestWithMarginalDemandOnly() external {
        this.add(0, 0, 3, 0, 5, true);
        this.add(0, 0, 7, 1, 10, true);
        assertEq(this.lowest(0, 0, GRID).tick, 7, "asks 5 @ 3, bids 10 @ 7 clear at 7");
    }

    // ---------------------------------------------------------------------------------------------------------- highest

    /// highest > it is max { λ : S(λ−) <= D(λ) } after a trade
    function testFuzz_HighestIsTheDefinition(uint256 seed, uint16 spread) external {
        _fill(seed, 16, bound(spread, 1, GRID));
        if (model.volume(model.lowest()) == 0) return;
        assertEq(this.highest(0, 0, GRID).tick, model.highest(), "highest");
    }

    /// highest > it returns the quantities below and at the price
    function testFuzz_HighestReturnsItsQuantities(uint256 seed, uint16 spread) external {
        _fill(seed, 16, bound(spread, 1, GRID));
        if (model.volume(model.lowest()) == 0) return;
        _assertCrossing(this.highest(0, 0, GRID));
    }

    /// highest > when asks and bids leave a gap with equal sums > it is the gap's other end, over empty groups too
    function testFuzz_HighestCrossesTheGap(uint16 low, uint16 gap, uint32 width) external {
        width = uint32(bound(width, 1, type(uint32).max));
        low = uint16(bound(low, 0, 16_000));
        gap = uint16(bound(gap, 1, 16_383 - low));
        this.add(0, 0, low, 0, width, true);
        this.add(0, 0, uint256(low) + gap, 1, width, true);
        assertEq(this.lowest(0, 0, 16_384).tick, low, "low end");
        assertEq(this.highest(0, 0, 16_384).tick, uint256(low) + gap, "high end");
    }

    /// highest > when the sides do not balance at the lowest price > it is the lowest price
    function testFuzz_HighestIsLowestWithoutBalance(uint16 low, uint16 gap, uint32 supply, uint32 demand) external {
        supply = uint32(bound(supply, 1, type(uint32).max));
        demand = uint32(bound(demand, 1, type(uint32).max));
        vm.assume(supply != demand);
        low = uint16(bound(low, 0, 299));
        gap = uint16(bound(gap, 0, 299 - low));
        this.add(0, 0, low, 0, supply, true);
        this.add(0, 0, uint256(low) + gap, 1, demand, true);
        assertEq(this.highest(0, 0, GRID).tick, this.lowest(0, 0, GRID).tick, "one price");
    }

    /// baseOf > it keeps the places a whole book apart
    function testFuzz_BasesAreAStrideApart(uint32 place) external pure {
        assertEq(PriceBook.baseOf(uint256(place) + 1) - PriceBook.baseOf(place), 64 + 8192, "stride");
    }

    // ---------------------------------------------------------------------------------------------------------- helpers

    function add(uint256 place, uint256 round, uint256 tick, uint256 side, uint256 width, bool count)
        external
        returns (uint256)
    {
        return PriceBook.add(PriceBook.baseOf(place), round, tick, side, width, count);
    }

    function totals(uint256 place, uint256 round, uint256 ticks) external view returns (PriceBook.Totals memory) {
        return PriceBook.totals(PriceBook.baseOf(place), round, ticks);
    }

    function lowest(uint256 place, uint256 round, uint256 ticks) public view returns (PriceBook.Crossing memory) {
        uint256 base = PriceBook.baseOf(place);
        return PriceBook.lowest(base, round, PriceBook.totals(base, round, ticks));
    }

    function highest(uint256 place, uint256 round, uint256 ticks) external view returns (PriceBook.Crossing memory) {
        uint256 base = PriceBook.baseOf(place);
        PriceBook.Totals memory t = PriceBook.totals(base, round, ticks);
        return PriceBook.highest(base, round, t, PriceBook.lowest(base, round, t));
    }

    function _assertCrossing(PriceBook.Crossing memory c) private view {
        assertEq(c.supplyBelow, model.supplyBelow(c.tick), "S(l-)");
        assertEq(c.supplyAt, model.supplyAt(c.tick), "asks at l");
        assertEq(c.demandBelow, model.totalDemand() - model.demand(c.tick), "bids below l");
        assertEq(c.demandAt, model.demandAt(c.tick), "bids at l");
    }

    function _fill(uint256 seed, uint256 entries, uint256 spread) private {
        for (uint256 i; i < entries; ++i) {
            (uint256 side, uint256 tick, uint256 width) = _entry(seed, i, spread);
            model.add(side, tick, width);
            this.add(0, 0, tick, side, width, true);
        }
    }

    /// @dev Small widths and a narrow spread make ties and balanced books common.
    function _entry(uint256 seed, uint256 i, uint256 spread)
        private
        pure
        returns (uint256 side, uint256 tick, uint256 width)
    {
        uint256 x = uint256(keccak256(abi.encode(seed, i)));
        return (x & 1, (x >> 8) % spread, 1 + (x >> 64) % 6);
    }
}
