"""§3 for large books: the numpy twin of `readable.py`, bit for bit the same.

It finds the price as the contract does, without sorting: with F(l) = supply at ticks ≤ l + demand at ticks ≤ l,

    D(λ+) ≤ S(λ)  ⟺  F(λ) ≥ D_tot,    S(λ-) ≤ D(λ)  ⟺  F(λ - 1) ≤ D_tot,

so λ_lo is the first tick where F reaches D_tot and λ_hi the first where it passes it; a walk down two levels of sums
finds either among 2^32 ticks.

Everything is int64, and nothing overflows. The bounds, checked on entry, are: ticks < 2^32, widths < 2^32, a side's sum
< 2^56, segments < 2^31. Hence F < 2^57; products and sums that could pass 2^63 are taken in limbs (`_product_sum`,
`_share_pro_rata`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stowatt.clearing.book import Book
from stowatt.clearing.result import NO_COHORT, Cohort, Fill, WindowResult
from stowatt.clearing.rules import Rationing, Rules
from stowatt.errors import BookError
from stowatt.units import MAX_SIDE_WH, MAX_TICK, MAX_WIDTH_WH, Tick, Wh

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MAX_ROWS: Final = 2**31 - 1
_LIMB_BITS: Final = 16
_SAFE: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A book as columns, one row for each segment, in order of reveal."""

    ticks: Ints
    widths: Ints
    buys: Flags
    """True for demand."""

    def __post_init__(self) -> None:
        if not len(self.ticks) == len(self.widths) == len(self.buys) <= MAX_ROWS:
            raise BookError(f"{len(self.ticks)} segments", f"give columns of one length, at most {MAX_ROWS} rows")
        if len(self.ticks) == 0:
            return
        if self.ticks.min() < 0 or self.ticks.max() > MAX_TICK:
            raise BookError("a tick is out of range", f"ticks run from 0 to {MAX_TICK}")
        if self.widths.min() < 1 or self.widths.max() > MAX_WIDTH_WH:
            raise BookError("a width is out of range", f"a width is 1 to {MAX_WIDTH_WH} Wh (§2)")
        # Neither sum can overflow: fewer than 2^31 rows of less than 2^32.
        for side in (self.buys, ~self.buys):
            if (total := _sum(self.widths, side)) > MAX_SIDE_WH:
                raise BookError(f"one side adds up to {total} Wh", f"the most is {MAX_SIDE_WH} Wh")

    @classmethod
    def of(cls, book: Book) -> "Columns":
        """The columns of a book."""
        segments = [segment for _, curve in book.bids for segment in curve.segments]
        ticks, widths = np.array(segments, dtype=np.int64).reshape(-1, 2).T
        sides = np.array([curve.side for _, curve in book.bids], dtype=np.bool_)
        lengths = np.array([len(curve.segments) for _, curve in book.bids], dtype=np.int64)
        return cls(np.ascontiguousarray(ticks), np.ascontiguousarray(widths), np.repeat(sides, lengths))

    def offsets(self) -> Ints:
        """For each row: what its side held at its tick before it (`Book.offsets`)."""
        if len(self.ticks) == 0:
            return self.widths
        key = 2 * self.ticks + self.buys
        order = np.argsort(key, kind="stable")
        starts = np.cumsum(self.widths[order]) - self.widths[order]
        heads = np.flatnonzero(np.diff(key[order], prepend=-1))
        lengths = np.diff(heads, append=len(order))
        offsets = np.empty_like(starts)
        offsets[order] = starts - np.repeat(starts[heads], lengths)
        return offsets


@dataclass(frozen=True, slots=True, eq=False)
class ColumnsResult:
    """The result for columns: as `WindowResult`, with one fill for each row."""

    price: Tick | None
    lowest: Tick
    highest: Tick | None
    volume: Wh
    supply: Cohort
    demand: Cohort
    fills: Ints
    welfare: int
    dual: int


def clear_fast(book: Book, rules: Rules) -> WindowResult:
    """Clear one window; the same result as `clear_readable`. Only the offsets need a sort."""
    columns = Columns.of(book)
    result = clear_columns(columns, rules)
    first_rows = np.cumsum([0, *(len(curve.segments) for _, curve in book.bids)])[:-1]
    quantities = np.add.reduceat(result.fills, first_rows).tolist() if book.bids else []
    return WindowResult(
        price=result.price,
        lowest=result.lowest,
        highest=result.highest,
        volume=result.volume,
        supply=result.supply,
        demand=result.demand,
        offsets=tuple(columns.offsets().tolist()),
        fills=tuple(
            Fill(participant, curve.side, quantity)
            for (participant, curve), quantity in zip(book.bids, quantities, strict=True)
        ),
        welfare=result.welfare,
        dual=result.dual,
    )


def clear_columns(columns: Columns, rules: Rules) -> ColumnsResult:
    """Clear a book of columns: price, volume, a fill for each row, welfare and dual value."""
    widths, buys = columns.widths, columns.buys
    all_demand, all_supply = _sum(widths, buys), _sum(widths, ~buys)
    lowest = _first_tick_reaching(columns, all_demand)
    highest = _first_tick_reaching(columns, all_demand + 1) if all_supply else None
    price = lowest if highest is None else Tick(rules.price_rule.pick(lowest, highest, rules.seed))
    at = columns.ticks == price
    better = (buys & (columns.ticks > price)) | (~buys & (columns.ticks < price))
    supply, demand = _cohorts(widths, buys, at, better)
    volume = Wh(supply.better + supply.residual)
    fills = widths * better if volume else np.zeros_like(widths)
    if volume:
        for cohort, rows in (supply, np.flatnonzero(at & ~buys)), (demand, np.flatnonzero(at & buys)):
            fills[rows] = _marginal_fills(widths[rows], cohort, rules)
    return ColumnsResult(
        price=price if volume else None,
        lowest=lowest,
        highest=highest,
        volume=volume,
        supply=supply if volume else NO_COHORT,
        demand=demand if volume else NO_COHORT,
        fills=fills,
        welfare=_product_sum(columns.ticks, fills * buys) - _product_sum(columns.ticks, fills * ~buys),
        dual=_product_sum(np.abs(columns.ticks - price), widths * better),
    )


def _cohorts(widths: Ints, buys: Flags, at: Flags, better: Flags) -> tuple[Cohort, Cohort]:
    """Both sides around the price, with R_S = V - S(λ-) and R_B = V - D(λ+) for V = min(S(λ), D(λ))."""
    s, t_s = _sum(widths, better & ~buys), _sum(widths, at & ~buys)
    d, t_b = _sum(widths, better & buys), _sum(widths, at & buys)
    volume = min(s + t_s, d + t_b)
    return Cohort(Wh(s), Wh(t_s), Wh(volume - s)), Cohort(Wh(d), Wh(t_b), Wh(volume - d))


def _first_tick_reaching(columns: Columns, target: int) -> Tick:
    """min { l : F(l) ≥ target }, for a target up to F's last value. Two levels, each of about √(highest tick) sums."""
    if target <= 0:
        return Tick(0)
    low_bits = (int(columns.ticks.max()).bit_length() + 1) // 2
    blocks, leaves = columns.ticks >> low_bits, columns.ticks & ((1 << low_bits) - 1)
    block, before = _first_bucket_reaching(blocks, columns.widths, target)
    inside = np.flatnonzero(blocks == block)
    leaf, _ = _first_bucket_reaching(leaves[inside], columns.widths[inside], target - before)
    return Tick(block << low_bits | leaf)


def _first_bucket_reaching(buckets: Ints, widths: Ints, target: int) -> tuple[int, int]:
    """The first bucket up to which the widths reach `target`, and their sum before it."""
    sums = np.zeros(int(buckets.max()) + 1, dtype=np.int64)
    np.add.at(sums, buckets, widths)
    running = np.cumsum(sums)
    bucket = int(np.searchsorted(running, target))
    return bucket, int(running[bucket] - sums[bucket])


def _marginal_fills(widths: Ints, cohort: Cohort, rules: Rules) -> Ints:
    """f(a + w) - f(a) for the cohort's rows, which lie end to end in order of reveal (`rationing.py`)."""
    if len(widths) == 0:
        return widths
    ends, phase = np.cumsum(widths), rules.seed % cohort.size
    share = _share_pro_rata if rules.rationing is Rationing.PRO_RATA else _share_seeded_order
    return np.diff(share(ends, cohort.size, cohort.residual, phase), prepend=0)


def _share_pro_rata(x: Ints, size: int, residual: int, phase: int) -> Ints:
    """⌊(x·R + φ) / T⌋ by long division, as many bits of R at a time as fit.

    With T < 2^k and digits of 62 - k bits both x · digit (x ≤ T) and the shifted rest (rest < T) stay below 2^62.
    """
    digit_bits = 62 - size.bit_length()
    quotient, rest = np.zeros_like(x), np.zeros_like(x)
    for digit in _digits(residual, digit_bits):
        step, rest = np.divmod((rest << digit_bits) + x * digit, size)
        quotient = (quotient << digit_bits) + step
    return quotient + (rest + phase) // size


def _digits(number: int, bits: int) -> list[int]:
    """The number's digits to the base 2^bits, the most significant first."""
    places = range(0, number.bit_length(), bits)
    return [(number >> place) & ((1 << bits) - 1) for place in reversed(places)]


def _share_seeded_order(x: Ints, size: int, residual: int, phase: int) -> Ints:
    """The length of [0, x) inside the circular interval [s, s + R) of [0, T)."""
    up_from_s = np.clip(x - phase, 0, residual)
    return up_from_s + np.minimum(x, max(phase + residual - size, 0))


def _sum(widths: Ints, rows: Flags) -> int:
    """The widths of some rows. Products with flags are several times quicker than picking the rows."""
    return int((widths * rows).sum())


def _product_sum(ticks: Ints, widths: Ints) -> int:
    """Σ tick · width as a Python integer: in one pass if it fits 63 bits, else in four passes of 16-bit limbs."""
    if len(ticks) == 0:
        return 0
    if int(ticks.max()) * int(widths.sum()) <= _SAFE:
        return int(ticks @ widths)
    total = 0
    # A product of two limbs is below 2^32, and there are fewer than 2^31 rows.
    for i in range(2):
        for j in range(2):
            total += int(_limb(ticks, i) @ _limb(widths, j)) << _LIMB_BITS * (i + j)
    return total


def _limb(numbers: Ints, index: int) -> Ints:
    return (numbers >> _LIMB_BITS * index) & ((1 << _LIMB_BITS) - 1)
