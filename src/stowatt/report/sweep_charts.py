"""Curves over a swept value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from stowatt.report.charts import LEFT, RIGHT, TOP, WIDTH
from stowatt.report.scenario_charts import key_rows, keys, levels, plain
from stowatt.report.svg import Canvas, Point, Scale


@dataclass(frozen=True, slots=True)
class Axis:
    """The swept key along which the curves run."""

    key: str
    places: Mapping[str, float]
    """Each value as written, and where it stands."""
    named: bool
    """The values are no numbers, so their places have no measure."""


class Line(NamedTuple):
    """One curve."""

    words: str
    css: str
    points: Sequence[Point]


def lines_chart(key: str, heading: str, unit: str, axis: Axis, lines: Sequence[Line]) -> str:
    """Curves with a dot for each run; the vertical axis begins at zero unless all is far from it."""
    names = [(line.words, line.css) for line in lines]
    bottom = 206
    values = [value for line in lines for _, value in line.points] or [0.0]
    canvas = Canvas(
        key,
        WIDTH,
        bottom + 46 + 17 * key_rows(names, WIDTH),
        f"{heading} against {axis.key}",
        "; ".join(f"{line.words}: {_range(line.points)} {unit}" for line in lines),
    )
    low, high = min(values), max(values)
    if low > 0 and low < high / 2:
        low = 0.0
    pad = max((high - low) * 0.06, abs(high) * 0.02, 1e-6)
    y = Scale(low - (pad if low else 0.0), high + pad, bottom, TOP + 16)
    places = sorted(axis.places.values())
    margin = (places[-1] - places[0]) * 0.04 or 0.5
    x = Scale(places[0] - margin, places[-1] + margin, LEFT, WIDTH - RIGHT)
    levels(canvas, y, 5)
    if low < 0 < high:
        canvas.line((LEFT, y(0.0)), (WIDTH - RIGHT, y(0.0)), "axis")
    canvas.text((4, TOP + 2), f"{heading}, {unit}")
    taken = 0.0
    for words, place in sorted(axis.places.items(), key=lambda one: one[1]):
        canvas.line((x(place), bottom), (x(place), bottom + 4), "axis")
        half = 3.4 * len(words)
        if x(place) - half > taken:
            canvas.text((x(place), bottom + 16), words, "", "middle")
            taken = x(place) + half
    canvas.text((WIDTH - RIGHT, bottom + 33), axis.key, "muted", "end")
    for line in lines:
        canvas.path([(x(a), y(b)) for a, b in line.points], f"line {line.css}")
        for a, b in line.points:
            canvas.dot((x(a), y(b)), 2.6, line.css)
    keys(canvas, names, bottom + 54, WIDTH)
    return canvas.render()


def _range(points: Sequence[Point]) -> str:
    values = [value for _, value in points]
    return f"{plain(min(values), 1)} to {plain(max(values), 1)}"
