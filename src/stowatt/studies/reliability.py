"""§6, dynamic α: what it does to default losses and to capital, against a fixed α.

One seller after the other, 200 windows each. In a window a seller of a 4 kW battery (limit 1,000 Wh) sells and delivers
as its kind does (`sellers`), at a price uniform in 0.17 to 0.33 EUR/kWh. Deposits, ρ, β, forfeits and r are computed by
the rules of `stowatt.settlement`. Bids are committed an hour before: α knows the settlements until four windows ago.

- *loss*: the missing Wh at the evening tariff (0.38 EUR/kWh) less the price, which the buyers get back;
- *uncovered*: the part of a window's loss that the forfeit does not cover; a forfeit beyond the loss covers no other;
- *locked*: the reserve of the bid, α · sold · highest tick, mean over windows.

What it cannot say: how kinds of sellers come and go with the policy, or what buyers do about it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import numpy as np

from stowatt.settlement import deposit, fulfilment, release_coefficient, released
from stowatt.settlement.reliability import seller_alpha, updated
from stowatt.simulation.tariff import Tariff
from stowatt.studies import bands
from stowatt.studies.books import TICK_SIZE, TICKS
from stowatt.studies.errors import StudyError
from stowatt.studies.policies import DYNAMIC, FIXED, RECOMMENDED, SHOWN, Policy
from stowatt.studies.sellers import COMMUNITY, FAILURE, KINDS, Act, Chance, Kind
from stowatt.units import PPM, WH_PER_KWH, ceil_div

LIMIT_WH: Final = 1_000
LAG: Final = 4
"""Windows from a commitment to its delivery."""
TOLERANCE: Final = 980_000
PRICES: Final = (1_700, 3_300)
NEAR: Final = 100_000
"""α has reached a bound when it is within 10 % of the span between the bounds."""
_AVOIDED: Final = Tariff().avoided


@dataclass(slots=True)
class Outcome:
    """One seller's windows added up; money in base units, energy in Wh."""

    sold: int = 0
    missing: int = 0
    loss: int = 0
    uncovered: int = 0
    forfeits: int = 0
    locked: int = 0
    alpha: int = 0
    """Σ α over windows, ppm."""
    default_alpha: int = 0
    """Σ α over the windows with a total failure."""
    defaults: int = 0
    """Windows with a total failure."""
    trusted: int = 0
    """Windows from a new device's first until its bids carry an α near the lower bound; 0 if never."""
    half_back: int = 0
    """Windows from the first of a device's failure until the α of its bids is half way up again; 0 if never."""
    back: int = 0
    """The same until it is near the upper bound."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line chooses."""

    sellers: int = 200
    """Of each kind, each with luck of its own."""
    windows: int = 200
    seed: int = 1

    def __post_init__(self) -> None:
        if not 2 <= self.sellers <= 100_000 or not 1 <= self.windows <= 10_000 or self.seed < 0:
            raise StudyError(
                f"{self.sellers} sellers, {self.windows} windows, seed {self.seed}",
                "give 2 to 100000 sellers, 1 to 10000 windows, a seed from 0",
            )


def simulate(kind: Kind, policy: Policy, luck: Sequence[tuple[int, Chance]]) -> tuple[Outcome, list[int]]:
    """One seller under one policy: what happened, and the α of its bid in each window."""
    outcome = Outcome()
    alphas: list[int] = []
    history, since = [0], 0  # r after each settled window; the window of the device's first bid
    for window, (price, chance) in enumerate(luck):
        known = history[window - LAG] if window - LAG >= since else 0
        alpha = seller_alpha(policy.new, policy.proven, known)
        act = kind(window, alpha, chance)
        rho = settle(outcome, act, price, alpha)
        history.append(updated(history[-1], rho, policy.gain, act.sold * LIMIT_WH // PPM, LIMIT_WH))
        if act.new_device:
            history[-1], since = 0, window + 1
        alphas.append(alpha)
    return outcome, alphas


def settle(outcome: Outcome, act: Act, price: int, alpha: int) -> int:
    """Adds one window by the rules of §6; returns ρ in ppm."""
    wh = act.sold * LIMIT_WH // PPM
    metered = wh * act.delivered // PPM
    ratio = fulfilment(metered, wh, PPM)
    held = deposit(wh, price, TICK_SIZE, alpha)
    forfeit = held - released(held, release_coefficient(ratio, TOLERANCE))
    loss = ceil_div((wh - metered) * max(0, _AVOIDED - price * TICK_SIZE), WH_PER_KWH)
    outcome.sold += wh
    outcome.missing += wh - metered
    outcome.loss += loss
    outcome.uncovered += max(0, loss - forfeit)
    outcome.forfeits += forfeit
    outcome.locked += deposit(wh, TICKS - 1, TICK_SIZE, alpha)
    outcome.alpha += alpha
    if metered == 0:
        outcome.defaults += 1
        outcome.default_alpha += alpha
    return ratio


def reached(alphas: Sequence[int], start: int, enough: Callable[[int], bool]) -> int:
    """Windows from `start` until the first bid whose α is enough; 0 if none is."""
    return next((window - start for window in range(start, len(alphas)) if enough(alphas[window])), 0)


def note_times(outcome: Outcome, name: str, alphas: Sequence[int], policy: Policy) -> None:
    """How long trust takes to come (reliable sellers) and to go (failing ones), where α moves at all."""
    span = policy.new - policy.proven
    if span and name == "reliable":
        outcome.trusted = reached(alphas, 0, lambda alpha: alpha <= policy.proven + span * NEAR // PPM)
    if span and name == "failing":
        broken, start = alphas[: FAILURE.stop], FAILURE.start
        outcome.half_back = reached(broken, start, lambda alpha: 2 * alpha >= policy.new + policy.proven)
        outcome.back = reached(broken, start, lambda alpha: alpha >= policy.new - span * NEAR // PPM)


def luck_of(settings: Settings, kind: str) -> list[list[tuple[int, Chance]]]:
    """Prices and chances of each seller of a kind, the same under every policy."""
    random = np.random.default_rng([settings.seed, list(KINDS).index(kind)])
    shape = (settings.sellers, settings.windows)
    prices = random.integers(*PRICES, shape, endpoint=True).tolist()
    chances = random.integers(PPM, size=(*shape, 3)).tolist()
    return [
        [(price, Chance(*chance)) for price, chance in zip(row, luck, strict=True)]
        for row, luck in zip(prices, chances, strict=True)
    ]


def run(settings: Settings, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """The whole study as a document of plain values: a cell for each policy and kind, and one for each community."""
    policies = (*FIXED, *DYNAMIC)
    drawn = bands.weights(settings.sellers, settings.seed)
    cells, done = [], 0
    by_policy: dict[Policy, dict[str, list[Outcome]]] = {policy: {} for policy in policies}
    for name, kind in KINDS.items():
        luck = luck_of(settings, name)
        for policy in policies:
            found = []
            for one in luck:
                outcome, alphas = simulate(kind, policy, one)
                note_times(outcome, name, alphas, policy)
                found.append(outcome)
            by_policy[policy][name] = found
            progress(done := done + 1, len(KINDS) * len(policies))
    for policy, kinds in by_policy.items():
        for name, found in kinds.items():
            cells.append({**_of(policy), "kind": name, **figures(found, settings.windows, drawn)})
        people = sum(COMMUNITY.values())
        cells.append({**_of(policy), "kind": "community", **figures(_mixed(kinds), settings.windows * people, drawn)})
    return {
        "study": "reliability",
        "parameters": {
            "sellers": settings.sellers,
            "windows": settings.windows,
            "seed": settings.seed,
            "lag": LAG,
            "limit_wh": LIMIT_WH,
            "tolerance": TOLERANCE,
            "recommended": RECOMMENDED.name,
            "shown": [policy.name for policy in SHOWN],
            "community": COMMUNITY,
        },
        "cells": cells,
        "curves": [_curve(settings, name, RECOMMENDED) for name in KINDS],
    }


def _of(policy: Policy) -> dict[str, Any]:
    return {"policy": policy.name, "new": policy.new, "proven": policy.proven, "gain": policy.gain}


def _mixed(kinds: dict[str, list[Outcome]]) -> list[Outcome]:
    """Communities: the n-th sellers of all kinds, weighted by their percentages."""
    return [
        _added((astuple(one), COMMUNITY[name]) for name, one in zip(kinds, together, strict=True))
        for together in zip(*kinds.values(), strict=True)
    ]


def _added(weighted: Iterable[tuple[tuple[int, ...], int]]) -> Outcome:
    rows = [[figure * weight for figure in figures_] for figures_, weight in weighted]
    return Outcome(*(sum(column) for column in zip(*rows, strict=True)))


def figures(found: list[Outcome], windows: int, drawn: bands.Floats) -> dict[str, Any]:
    """Means with bands over sellers; `windows` of each. Money per kWh sold is in base units."""
    columns = {name: np.array([getattr(one, name) for one in found]) for name in Outcome.__dataclass_fields__}
    kwh = columns["sold"] / WH_PER_KWH

    def share(top: Any, bottom: Any) -> dict[str, float]:
        value = bands.ratio(top, bottom, drawn)[0]
        return {name: float(f"{figure:.5g}") for name, figure in value._asdict().items()}

    return {
        "loss": share(columns["loss"], kwh),
        "uncovered": share(columns["uncovered"], kwh),
        "forfeits": share(columns["forfeits"], kwh),
        "missing": share(columns["missing"], columns["sold"]),
        "alpha": share(columns["alpha"] / PPM, np.full(len(found), windows)),
        "locked": share(columns["locked"], kwh),
        "default_alpha": share(columns["default_alpha"] / PPM, columns["defaults"]),
        **{name: share(columns[name], columns[name] > 0) for name in ("trusted", "half_back", "back")},
    }


def _curve(settings: Settings, name: str, policy: Policy) -> dict[str, Any]:
    """α of each window, mean over the sellers of a kind, percent."""
    rows = [simulate(KINDS[name], policy, luck)[1] for luck in luck_of(settings, name)]
    return {"kind": name, "policy": policy.name, "alpha": [round(x / 10_000, 2) for x in np.mean(rows, axis=0)]}
