"""The numbers of docs/wear-calibration.md: coverage on synthetic data, predicted against measured on two real files.

    python scripts/wear_calibration.py ../shared/data              # write the tables and the figure
    python scripts/wear_calibration.py ../shared/data --coverage   # … and measure coverage again (some minutes)

Each table stands between two comments of the document, `<!-- name -->` and `<!-- end of name -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from stowatt.degradation.calibration_bootstrap import bootstrap
from stowatt.degradation.calibration_fit import Fit, best_theta, fit
from stowatt.degradation.calibration_held_out import held_out
from stowatt.degradation.calibration_identify import UnidentifiedError
from stowatt.degradation.calibration_model import NAMES, PARAMETERS, Design, whole_theta
from stowatt.degradation.calibration_search import working_jacobian, working_residuals
from stowatt.degradation.calibration_sources import FAST_UNTIL, policy_parts, read_cycle_life, read_mj1
from stowatt.degradation.calibration_spread import student
from stowatt.degradation.operating_data import OperatingData

DOCUMENT = Path(__file__).parents[1] / "docs" / "wear-calibration.md"
FIGURE = DOCUMENT.parent / "figures" / "wear-calibration.svg"
MJ1 = "ageing_nmc_mj1_cycling.csv"
LIFE = "ageing_severson_lfp_cycle_life.csv"
LIFE_FIXED = {"cycle_shape": 1.0}

TRIALS = 200
TRUE = {
    "cycle_rate": 0.012,
    "cycle_activation": 25.0,
    "depth_exponent": 0.8,
    "utilisation_exponent": 0.2,
    "cycle_shape": 0.85,
    "calendar_rate": 0.02,
    "calendar_activation": 45.0,
    "calendar_shape": 0.55,
}
"""The law behind the synthetic data."""

CELSIUS = (5.0, 25.0, 45.0)
FULL_PLAN = tuple((t, d, u) for t in CELSIUS for d in (0.3, 0.9) for u in (0.4, 1.2)) + tuple(
    (t, 0.0, 0.0) for t in CELSIUS
)
"""Conditions (°C, depth, full cycles a day) of an ageing test; the last three are storage."""


def synthetic(
    seed: int,
    *,
    plan: tuple[tuple[float, float, float], ...] = FULL_PLAN * 2,
    checks: int = 10,
    days: float = 90.0,
    true: Mapping[str, float] = TRUE,
    spread: float = 0.04,
    noise: float = 0.0015,
    walk: float = 0.0,
    season: float = 0.0,
) -> OperatingData:
    """A test with one cell for each condition of the plan.

    `spread`: each cell wears by a factor of its own (standard deviation of its logarithm); `noise`: of each capacity
    check; `walk`: of what each interval adds for good; `season` K: temperature, depth and use change as in a home.
    """
    random = np.random.default_rng(seed)
    cells = len(plan)
    of_cell = np.repeat(np.arange(cells), checks)
    kelvin, dod, rate = (np.repeat([float(row[at]) for row in plan], checks) for at in range(3))
    kelvin = kelvin + 273.15
    if season:
        months = np.arange(len(kelvin))
        kelvin = kelvin + season * np.sin(2 * np.pi * months / 12)
        dod = np.clip(dod * random.uniform(0.4, 1.1, len(dod)), 0.1, 1)
        rate = rate * random.uniform(0.3, 1.5, len(rate))
    length = np.full(len(of_cell), days)
    data = OperatingData(
        source="synthetic",
        cell=tuple(str(number) for number in range(1, cells + 1)),
        of_cell=of_cell.astype(np.int64),
        soh_loss=np.zeros(len(of_cell)),
        full_cycles=rate * length,
        days=length,
        temperature_k=kelvin,
        dod=dod,
        utilisation=rate,
    )
    design = Design(data)
    loss = design.predict(whole_theta(true)) * np.exp(random.normal(0, spread, cells))[of_cell]
    loss = loss + random.normal(0, noise, len(loss)) + design.cumulated(random.normal(0, walk, len(loss)))
    steps = np.diff(loss, prepend=0.0)
    steps[design.first] = loss[design.first]
    return replace(data, soh_loss=steps)


Intervals = dict[str, tuple[float, float]]


def jackknife(found: Fit) -> Intervals:
    """What `fit` gives."""
    return {one.name: (one.low, one.high) for one in found.estimates if one.status == "estimated"}


def of_the_jacobian(found: Fit) -> Intervals:
    """The textbook's: s²(J'J)⁻¹ as if each check were new evidence."""
    jacobian = working_jacobian(found.design, found.theta)[:, list(found.free)]
    residuals = working_residuals(found.design, found.theta)
    freedom = len(residuals) - len(found.free)
    covariance = np.linalg.inv(jacobian.T @ jacobian) * float(residuals @ residuals) / freedom
    halves = np.sqrt(np.diag(covariance)) * student(found.confidence, np.array(float(freedom)))
    pairs = {}
    for at, half in zip(found.free, halves, strict=True):
        middle = float(found.theta[at])
        pairs[NAMES[at]] = (PARAMETERS[at].shown(middle - half), PARAMETERS[at].shown(middle + half))
    return pairs


def coverage(
    make: Callable[[int], OperatingData],
    method: Callable[[Fit], Intervals] = jackknife,
    trials: int = TRIALS,
    true: Mapping[str, float] = TRUE,
    fixed: Mapping[str, float] | None = None,
) -> tuple[dict[str, int], int]:
    """In how many trials the interval holds the truth, for each parameter; and how many were refused."""
    hits: dict[str, int] = {}
    refused = 0
    for seed in range(trials):
        try:
            found = fit(make(seed), fixed)
        except UnidentifiedError:
            refused += 1
            continue
        for name, (low, high) in method(found).items():
            hits[name] = hits.get(name, 0) + (low <= true[name] <= high)
    return hits, refused


def coverage_table() -> str:
    """Of three kinds of intervals."""
    methods = (jackknife, of_the_jacobian, lambda found: bootstrap(found, 200, seed=1))
    found = [coverage(synthetic, method)[0] for method in methods]
    lines = ["| parameter | truth | jackknife (used) | Jacobian alone | bootstrap of cells |", "|---|--:|--:|--:|--:|"]
    for name, value in TRUE.items():
        shares = " | ".join(f"{100 * hits[name] / TRIALS:.1f} %" for hits in found)
        lines.append(f"| `{name}` | {value:g} | {shares} |")
    return "\n".join(lines)


def random_design(seed: int) -> tuple[OperatingData, dict[str, float], dict[str, float]]:
    """A test as anyone might have it: any number of cells, any conditions, any law; with the truth and what is given.

    Many of them determine little: they have to be refused, and what is not refused has to hold.
    """
    random = np.random.default_rng(10_000 + seed)
    uniform = random.uniform
    cells = int(random.choice([8, 12, 20, 40]))
    plan = []
    for _ in range(cells):
        celsius, used = float(uniform(0, 50)), float(random.random() < 0.8)
        plan.append((celsius, used * float(uniform(0.1, 1)), used * float(uniform(0.1, 2))))
    true = {
        "cycle_rate": float(uniform(0.003, 0.03)),
        "cycle_activation": float(uniform(-30, 50)),
        "depth_exponent": float(uniform(0, 1.5)),
        "utilisation_exponent": float(uniform(-0.3, 0.6)),
        "cycle_shape": float(uniform(0.5, 1.3)),
        "calendar_rate": float(uniform(0.005, 0.04)),
        "calendar_activation": float(uniform(20, 70)),
        "calendar_shape": float(uniform(0.4, 1)),
    }
    given = {name: value for name, value in true.items() if random.random() < 0.3}
    data = synthetic(
        seed,
        plan=tuple(plan),
        checks=int(random.choice([6, 15, 40])),
        days=float(random.choice([20, 60])),
        true=true,
        spread=float(random.choice([0, 0.02, 0.06])),
        noise=float(random.choice([0.0003, 0.001, 0.003])),
        walk=float(random.choice([0, 0.0003])),
        season=float(random.choice([0, 8])),
    )
    return data, true, given


def random_coverage(designs: int) -> tuple[int, int, int]:
    """Over random designs: intervals that hold the truth, all intervals, designs that were refused."""
    hits = intervals = refused = 0
    for seed in range(designs):
        data, true, given = random_design(seed)
        try:
            found = fit(data, given)
        except UnidentifiedError:
            refused += 1
            continue
        for name, (low, high) in jackknife(found).items():
            hits += low <= true[name] <= high
            intervals += 1
    return hits, intervals, refused


# ---- real files ----


def theta_table(folder: Path) -> str:
    """θ of both files."""
    lines = ["| file | parameter | value | 95 % interval |", "|---|---|--:|--:|"]
    for name, found in (("MJ1", fit(read_mj1(folder / MJ1))), ("Severson", _life(folder))):
        for one in found.estimates:
            if one.status == "estimated":
                lines.append(f"| {name} | `{one.name}` | {one.value:.3g} | {one.low:.3g} … {one.high:.3g} |")
            elif one.status == "fixed":
                lines.append(f"| {name} | `{one.name}` | {one.value:.3g} | given |")
    return "\n".join(lines)


def mj1_errors(folder: Path) -> str:
    """Errors of the law and of two others, in sample and held out."""
    data = read_mj1(folder / MJ1)
    laws = (
        ("Arrhenius (used)", fit(data)),
        ("with `cycle_bend`", fit(data, free=["cycle_bend"])),
        ("no temperature", fit(data, {"cycle_activation": 0.0})),
    )
    lines = [
        "| law | in sample | one cell left out | one replicate left out | one temperature left out |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, found in laws:
        errors = [f"{100 * found.rmse:.2f}"]
        for label in ("cell", "replicate", "temperature"):
            result = held_out(found, label)
            errors.append("refused" if result.rmse is None else f"{100 * result.rmse:.2f}")
        lines.append(f"| {name} | {' | '.join(errors)} |")
    return "\n".join(lines)


def mj1_cells(folder: Path) -> str:
    """Predicted against measured for each cell."""
    data = read_mj1(folder / MJ1)
    found = fit(data)
    kelvin, cycles = data.temperature_k, data.full_cycles
    assert kelvin is not None and cycles is not None
    without_cell, without_temperature = _out_of_sample(found, "cell"), _out_of_sample(found, "temperature")
    lines = [
        "| cell | full cycles | measured loss | predicted | predicted by the other cells | by the other temperatures "
        "| RMSE | worst |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, rows in data.groups("cell").items():
        last, errors = rows[-1], 100 * found.residuals[rows]
        columns = (found.measured, found.predicted, without_cell, without_temperature)
        losses = " | ".join(f"{100 * column[last]:.1f}" for column in columns)
        short = f"{kelvin[last] - 273.15:.0f} °C, {name.rpartition(' no. ')[2]}"
        error = f"{np.sqrt((errors**2).mean()):.2f} | {errors[np.abs(errors).argmax()]:+.1f}"
        lines.append(f"| {short} | {cycles[rows].sum():.0f} | {losses} | {error} |")
    return "\n".join(lines)


def mj1_stages(folder: Path) -> str:
    """Mean of measured − predicted by temperature and stage of life: where the law's shape is wrong."""
    data = read_mj1(folder / MJ1)
    found = fit(data)
    stages = ((0, 5), (5, 10), (10, 15), (15, 21))
    heads = " | ".join(f"{low}-{min(high, 20)} %" for low, high in stages)
    lines = [f"| measured loss | {heads} |", "|---|" + "--:|" * len(stages)]
    for name, rows in data.groups("temperature").items():
        measured, errors = 100 * found.measured[rows], 100 * found.residuals[rows]
        means = [errors[(measured >= low) & (measured < high)].mean() for low, high in stages]
        lines.append(f"| {name} | " + " | ".join(f"{mean:+.1f}" for mean in means) + " |")
    return "\n".join(lines)


SHAPES: dict[str, tuple[Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray], tuple[float, ...]]] = {
    "power (used)": (lambda p, g, x: g, ()),
    "power with a knee: g + κ·g³": (lambda p, g, x: g + np.exp(p[0]) * g**3, (3.0,)),
    "power with a knee: g + (g/g₁)^n": (lambda p, g, x: g + (g / np.exp(p[0])) ** np.exp(p[1]), (-2.0, 1.0)),
    "break-in + power": (lambda p, g, x: np.exp(p[0]) * (1 - np.exp(-x / np.exp(p[1]))) + g, (-3.5, -2.0)),
}
"""Laws of the loss from the power law's g and the full cycles x (hundreds), and where their own parameters start."""


def mj1_shapes(folder: Path) -> str:
    """Whether a law with a knee or a break-in predicts better: the power law's search with more parameters."""
    from scipy.optimize import least_squares

    data = read_mj1(folder / MJ1)
    design = Design(data)
    heat, cycles, measured = design.stress[:, 1], design.cycles[1], design.measured
    lines = ["| shape | parameters | in sample | one cell left out |", "|---|--:|--:|--:|"]
    for name, (law, start) in SHAPES.items():

        def errors(theta: np.ndarray, law: Callable[..., np.ndarray] = law) -> np.ndarray:
            power = np.exp(theta[0] + theta[1] * heat) * cycles ** theta[2]
            return 100 * (law(theta[3:], power, cycles) - measured)

        whole = least_squares(errors, (-2.5, -25.0, 1.0 if "break" in name else 0.6, *start)).x
        outside = np.empty(len(data))
        for rows in data.groups("cell").values():
            kept = np.setdiff1d(np.arange(len(data)), rows)
            theta = least_squares(lambda p, kept=kept, errors=errors: errors(p)[kept], whole).x
            outside[rows] = errors(theta)[rows]
        both = (np.sqrt(np.mean(one**2)) for one in (errors(whole), outside))
        lines.append(f"| {name} | {3 + len(start)} | " + " | ".join(f"{error:.2f}" for error in both) + " |")
    return "\n".join(lines)


def life_errors(folder: Path) -> str:
    """Errors of lives, against no law at all."""
    found = _life(folder)
    null = fit(found.data, {**LIFE_FIXED, "utilisation_exponent": 0.0})
    lines = ["| law | in sample | one policy left out | one batch left out |", "|---|--:|--:|--:|"]
    for name, one in (("u (used)", found), ("one life for all", null)):
        errors = [held_out(one, label).rmse or float("nan") for label in ("policy", "batch")]
        lines.append(f"| {name} | " + " | ".join(f"{error:.3f}" for error in (one.rmse, *errors)) + " |")
    return "\n".join(lines)


def life_batches(folder: Path) -> str:
    """Predicted against measured for each batch, and the exponent of each alone."""
    found = _life(folder)
    data = found.data
    assert data.full_cycles is not None
    predicted = data.full_cycles * found.measured / found.predicted
    outside = _out_of_sample(found, "policy")
    lines = [
        "| batch | cells | measured life (median) | predicted | predicted by other policies | RMSE | exponent alone |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, rows in data.groups("batch").items():
        lives = data.full_cycles[rows]
        error = np.sqrt((found.residuals[rows] ** 2).mean())
        by_others = data.full_cycles[rows] * found.measured[rows] / outside[rows]
        alone = _exponent_alone(data.rows(rows))
        lines.append(
            f"| {name} | {len(rows)} | {np.median(lives):.0f} | {np.median(predicted[rows]):.0f} "
            f"| {np.median(by_others):.0f} | {error:.3f} | {alone} |"
        )
    return "\n".join(lines)


def life_rates(folder: Path) -> str:
    """Which summary of a policy's two rates predicts lives of other policies best."""
    data = read_cycle_life(folder / LIFE)
    assert data.full_cycles is not None
    policies = data.names("policy")
    parts = [policy_parts(policy) for policy in policies]
    first, until, second = np.array([part for part in parts if part is not None]).T
    rest = FAST_UNTIL - until
    early, late = until / first, rest / second
    summaries = {
        "mean over charge (used)": (until * first + rest * second) / FAST_UNTIL,
        "mean over time": FAST_UNTIL / (early + late),
        "root mean square over time": np.sqrt((early * first**2 + late * second**2) / (early + late)),
        "cubic mean over charge": ((until * first**3 + rest * second**3) / FAST_UNTIL) ** (1 / 3),
        "the higher of the two": np.maximum(first, second),
        "the first": first,
        "the second": second,
    }
    lives = np.log(data.full_cycles)
    lines = ["| u | range, C | in sample | one policy left out |", "|---|--:|--:|--:|"]
    for name, rate in summaries.items():
        columns = np.column_stack((np.ones(len(rate)), np.log(rate)))
        inside = lives - columns @ np.linalg.lstsq(columns, lives, rcond=None)[0]
        outside = np.empty(len(rate))
        for rows in data.groups("policy").values():
            kept = np.setdiff1d(np.arange(len(rate)), rows)
            outside[rows] = lives[rows] - columns[rows] @ np.linalg.lstsq(columns[kept], lives[kept], rcond=None)[0]
        errors = " | ".join(f"{np.sqrt((one**2).mean()):.3f}" for one in (inside, outside))
        lines.append(f"| {name} | {rate.min():.1f} … {rate.max():.1f} | {errors} |")
    return "\n".join(lines)


def _exponent_alone(data: OperatingData) -> str:
    try:
        one = fit(data, LIFE_FIXED)["utilisation_exponent"]
    except UnidentifiedError:
        return "refused"
    return f"{one.value:.1f} ({one.low:.1f} … {one.high:.1f})"


def _life(folder: Path) -> Fit:
    return fit(read_cycle_life(folder / LIFE), LIFE_FIXED)


def _out_of_sample(found: Fit, label: str) -> np.ndarray:
    """The prediction of each group from the others."""
    data = found.data
    predicted = np.empty(len(data))
    for rows in data.groups(label).values():
        rest = data.rows(np.setdiff1d(np.arange(len(data)), rows))
        theta = best_theta(rest, found.free, found.fixed, found.theta)[1]
        predicted[rows] = Design(data.rows(rows)).predict(theta)
    return predicted


REAL = {
    "theta": theta_table,
    "mj1 errors": mj1_errors,
    "mj1 cells": mj1_cells,
    "mj1 stages": mj1_stages,
    "mj1 shapes": mj1_shapes,
    "life errors": life_errors,
    "life rates": life_rates,
    "life batches": life_batches,
}
"""Tables that come from the real files."""


def placed(document: str, name: str, table: str) -> str:
    """The document with this table in its place."""
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end of {re.escape(name)} -->)", re.DOTALL)
    if not pattern.search(document):
        raise SystemExit(f"{DOCUMENT.name} has no place for the table {name!r}")
    return pattern.sub(lambda match: match[1] + table + "\n" + match[2], document)


def draw(folder: Path) -> None:
    """The figure of both files."""
    import matplotlib
    from matplotlib.figure import Figure

    from stowatt.cli.wear_fit_plot import draw_fit

    figure = Figure(figsize=(9.0, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_fit(left, fit(read_mj1(folder / MJ1)))
    draw_fit(right, _life(folder))
    FIGURE.parent.mkdir(exist_ok=True)
    with matplotlib.rc_context({"svg.hashsalt": "stowatt"}):
        figure.savefig(FIGURE, metadata={"Date": None})


def main(arguments: list[str]) -> None:
    """Write the document's tables and its figure."""
    folder = Path(arguments[0])
    document = DOCUMENT.read_text(encoding="utf-8")
    for name, table in REAL.items():
        document = placed(document, name, table(folder))
    if "--coverage" in arguments:
        document = placed(document, "coverage", coverage_table())
    DOCUMENT.write_text(document, encoding="utf-8")
    draw(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
