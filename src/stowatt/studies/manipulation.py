"""§7: how much one participant, or an owner of several accounts, gains by not playing by the rules.

For each family of books, market size and price rule, over many seeded books:

- `relative`: Σ of everybody's own best gain / Σ truthful surplus (each deviates alone, knowing all other bids: no
  curve gains more, see `response`); `sellers` and `buyers` apart; `top`: the greatest gain of a book / its welfare;
- `shading`, `holding`: what the simple misreports of `deviations` gain when the best factor is known;
- `blind`: shading by one factor for all, without seeing other bids: chosen on one half of the books, measured on the
  other;
- `pair`: two random accounts of one side that report together;
- `lost`: the welfare that the greatest gainer's best response destroys;
- what withholding an opening gains before the bond (`withholding`): 95, 99 and 100 % quantiles over all bids.

Every book's greatest gain is played through the clearing engine, under the price rules in turn; a claim that the engine
does not pay stops the study. What it cannot say: what happens when all deviate at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from stowatt.clearing import PriceRule, Rules, clear
from stowatt.curves import Curve, Side
from stowatt.studies import bands
from stowatt.studies.books import Ints, SampleBook, lot_book, random_book
from stowatt.studies.deviations import Outcomes, held_back, outcomes, shaded
from stowatt.studies.errors import StudyError
from stowatt.studies.manipulation_figures import Tally, plain, summary
from stowatt.studies.response import Responses, View, best_responses
from stowatt.studies.withholding import withheld
from stowatt.units import WH_PER_KWH

Maker = Callable[[int, np.random.Generator], SampleBook]
Progress = Callable[[int, int], None]
Gains = dict[PriceRule, Ints]

FAMILIES: Final = ("simbench", "random", "lots", "flat")
SIZES: Final = (4, 8, 16, 32, 64, 128, 256, 512, 1000)
SAMPLED: Final = 2
"""Participants of each side, and pairs, that a book's simple misreports are measured on."""
LARGE: Final = 32
"""The exponent is fitted over all sizes and over those from here on."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line chooses."""

    sizes: tuple[int, ...] = SIZES
    books: int = 200
    seed: int = 1
    families: tuple[str, ...] = FAMILIES
    bond: int = 50_000
    """The bond to compare with, base units for each commitment."""

    def __post_init__(self) -> None:
        if not self.sizes or min(self.sizes) < 4 or max(self.sizes) > 5_000:
            raise StudyError(f"market sizes {list(self.sizes)}", "give sizes from 4 to 5000 participants")
        if not 4 <= self.books <= 100_000:
            raise StudyError(f"{self.books} books", "give 4 to 100000 books for each size")
        if self.seed < 0 or self.bond < 0:
            raise StudyError(f"seed {self.seed}, bond {self.bond}", "give numbers from 0")
        unknown = sorted(set(self.families) - set(FAMILIES))
        if unknown or not self.families:
            raise StudyError(f"unknown books {unknown}", "choose among " + ", ".join(FAMILIES))


def run(settings: Settings, progress: Progress, makers: dict[str, Maker] | None = None) -> dict[str, Any]:
    """The whole study as a document of plain values: parameters, cells, slopes, engine checks."""
    makers = makers or family_makers(settings.families)
    cells, slopes, checked, done = [], [], 0, 0
    total = len(makers) * sum(settings.sizes) * settings.books
    for number, (family, make) in enumerate(makers.items()):
        resampled: dict[PriceRule, list[tuple[int, float, bands.Floats]]] = {rule: [] for rule in PriceRule}
        for size in settings.sizes:
            tallies = {rule: Tally() for rule in PriceRule}
            for index in range(settings.books):
                random = np.random.default_rng([settings.seed, FAMILIES.index(family), size, index])
                checked += study_book(make(size, random), random, index, tallies)
                done += size
                progress(done, total)
            drawn = bands.weights(settings.books, settings.seed + number)
            for rule, tally in tallies.items():
                cell, resamples = summary(tally, drawn, seed=settings.seed, bond=settings.bond)
                cells.append({"family": family, "size": size, "rule": rule.name.lower(), **cell})
                resampled[rule].append((size, cell["relative"]["value"], resamples))
        for rule, rows in resampled.items():
            for least in (0, LARGE):
                fit = bands.slope([row for row in rows if row[0] >= least])
                slopes.append({"family": family, "rule": rule.name.lower(), "from": least, "slope": fit and plain(fit)})
    parameters = {
        "sizes": list(settings.sizes),
        "books": settings.books,
        "seed": settings.seed,
        "bond": settings.bond,
        "families": list(makers),
    }
    return {
        "study": "manipulation",
        "parameters": parameters,
        "engine_checks": checked,
        "cells": cells,
        "slopes": slopes,
    }


def family_makers(families: Sequence[str]) -> dict[str, Maker]:
    """How the books of each family are drawn."""
    makers: dict[str, Maker] = {}
    for family in families:
        if family in ("simbench", "flat"):
            from stowatt.simulation.evening import flat_asks
            from stowatt.simulation.worn import worn_asks
            from stowatt.studies.evenings import within_charge
            from stowatt.studies.pool import read_pool

            makers[family] = read_pool(within_charge(worn_asks if family == "simbench" else flat_asks)).draw
        else:
            makers[family] = {"random": random_book, "lots": lot_book}[family]
    return makers


def study_book(book: SampleBook, random: np.random.Generator, index: int, tallies: dict[PriceRule, Tally]) -> int:
    """Adds one book to the tallies; returns how many claims the engine has confirmed."""
    views = {side: View.of(book, side) for side in Side}
    best = {side: best_responses(view) for side, view in views.items()}
    pairs = {side: _pairs(view, random) for side, view in views.items()}
    together = {side: best_responses(views[side], views[side].own.joined(*pairs[side])) for side in Side}
    rows = {side: random.permutation(len(view.own.ticks))[:SAMPLED] for side, view in views.items()}
    simple = {side: [_simple(views[side], row, book.seed) for row in rows[side].tolist()] for side in Side}
    new_seed = int(random.integers(2**63))
    checks = 0
    for rule, tally in tallies.items():
        surplus = {side: view.own.surplus(view.price(rule, book.seed)) for side, view in views.items()}
        gains = {side: np.maximum(best[side].utility - surplus[side], 0) for side in Side}
        welfare = sum(int(surplus[side].sum()) for side in Side)
        pair_truth = {side: surplus[side][pairs[side][0]] + surplus[side][pairs[side][1]] for side in Side}
        tally.add(
            participants=float(sum(len(gains[side]) for side in Side)),
            traded=float(welfare > 0),
            welfare=welfare,
            gain=int(sum(gains[side].sum() for side in Side)),
            sell_gain=int(gains[Side.SELL].sum()),
            buy_gain=int(gains[Side.BUY].sum()),
            sell_surplus=int(surplus[Side.SELL].sum()),
            buy_surplus=int(surplus[Side.BUY].sum()),
            top=int(max(gains[side].max() for side in Side)),
            missed=int(max((best[side].bound - best[side].utility).max() for side in Side)),
            pair_gain=int(sum(np.maximum(together[s].utility - pair_truth[s], 0).sum() for s in Side)),
            pair_surplus=int(sum(pair_truth[side].sum() for side in Side)),
            shading=int(sum(shade[rule].max() for side in Side for shade, _ in simple[side])),
            holding=int(sum(hold[rule].max() for side in Side for _, hold in simple[side])),
            sampled_surplus=int(sum(surplus[side][rows[side]].sum() for side in Side)),
        )
        for side in Side:
            shades = np.sum([shade[rule] for shade, _ in simple[side]], axis=0)
            tally.shades[side].append((shades, int(surplus[side][rows[side]].sum())))
        for name, values in _withholding(views, best, gains, rule, book.seed, new_seed).items():
            tally.withheld.setdefault(name, []).append(values)
        lost = 0
        if rule is PriceRule(index % len(PriceRule)):
            lost, confirmed = _play(book, views, best, gains, rule, welfare)
            checks += confirmed
            tally.add(lost=lost, lost_welfare=welfare)
    return checks


def _pairs(view: View, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Random pairs of two different rows; none on a side of one."""
    count = len(view.own.ticks)
    chosen = [random.permutation(count)[:2] for _ in range(SAMPLED)] if count > 1 else []
    table = np.array(chosen, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _simple(view: View, row: int, seed: int) -> tuple[Gains, Gains]:
    """The gains by shading and by holding back, for each factor; the first factor of both is the truth."""
    shade, hold = (outcomes(view, row, reports(view, row), seed) for reports in (shaded, held_back))
    return _gains(shade), _gains(hold)


def _gains(found: dict[PriceRule, Outcomes]) -> Gains:
    return {rule: outcome.utility - outcome.utility[0] for rule, outcome in found.items()}


def _withholding(
    views: dict[Side, View],
    best: dict[Side, Responses],
    gains: dict[Side, Ints],
    rule: PriceRule,
    seed: int,
    new_seed: int,
) -> dict[str, Ints]:
    """By bid: what its owner gains by not opening it, in each of the three ways."""
    found = [withheld(view, view.price(rule, seed), rule, new_seed) for view in views.values()]
    totals = np.concatenate([view.own.totals for view in views.values()])
    partner = np.concatenate([one.partner for one in found])
    menu = np.concatenate([gains[side] for side in views])
    return {
        "partner": partner,
        "coalition": np.concatenate([one.coalition for one in found]),
        "menu": menu,
        "partner_per_kwh": partner * WH_PER_KWH // totals,
        "menu_per_kwh": menu * WH_PER_KWH // totals,
    }


def _play(
    book: SampleBook,
    views: dict[Side, View],
    best: dict[Side, Responses],
    gains: dict[Side, Ints],
    rule: PriceRule,
    welfare: int,
) -> tuple[int, int]:
    """Plays the book's greatest gain through the engine: the welfare lost, and 1 if there was a gain to confirm."""
    side = max(Side, key=lambda s: int(gains[s].max()))
    row = int(gains[side].argmax())
    if gains[side][row] == 0:
        return 0, 0
    view, answer = views[side], best[side]
    true = (book.asks if side is Side.SELL else book.bids).curve(row, side)
    report = Curve.of(side, [(view.turned(int(answer.tick[row])), int(answer.quantity[row]))])
    result = clear(book.book(side, row, report), Rules(rule, seed=book.seed))
    fill, sign = result.fills[-1].quantity, 1 if side is Side.BUY else -1
    paid = 0 if result.price is None else sign * (true.value(fill) - result.price * fill)
    if not answer.utility[row] <= paid <= answer.bound[row]:
        raise StudyError(
            f"a claimed gain of {answer.utility[row]} tick·Wh clears as {paid}", "report it: the study is wrong"
        )
    return welfare - (result.welfare + sign * (true.value(fill) - report.value(fill))), 1
