"""A small SVG writer: text that scales, colours from the page's style sheet, a title and a description for everyone."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, isfinite, log10

Point = tuple[float, float]


class Canvas:
    """One figure with its own coordinates; `key` makes the ids of its title and description unique on the page."""

    def __init__(self, key: str, width: int, height: int, title: str, description: str) -> None:
        self._open = (
            f'<svg role="img" viewBox="0 0 {width} {height}" aria-labelledby="{key}-t {key}-d">'
            f'<title id="{key}-t">{escape(title)}</title><desc id="{key}-d">{escape(description)}</desc>'
        )
        self._parts: list[str] = []

    def line(self, start: Point, end: Point, css: str) -> None:
        """A straight line."""
        self._parts.append(
            f'<line class="{css}" x1="{_n(start[0])}" y1="{_n(start[1])}" x2="{_n(end[0])}" y2="{_n(end[1])}"/>'
        )

    def path(self, points: Sequence[Point], css: str, *, close: bool = False) -> None:
        """A polyline, or a polygon if closed."""
        if len(points) > 1:
            body = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
            self._parts.append(f'<path class="{css}" d="M{body}{"Z" if close else ""}"/>')

    def rect(self, corner: Point, size: Point, css: str, tip: str = "") -> None:
        """A rectangle; `tip` shows under the pointer."""
        inner = f"<title>{escape(tip)}</title></rect>" if tip else "</rect>"
        self._parts.append(
            f'<rect class="{css}" x="{_n(corner[0])}" y="{_n(corner[1])}" width="{_n(max(0.0, size[0]))}" '
            f'height="{_n(max(0.0, size[1]))}">{inner}'
        )

    def dot(self, centre: Point, radius: float, css: str) -> None:
        """A filled circle."""
        self._parts.append(f'<circle class="{css}" cx="{_n(centre[0])}" cy="{_n(centre[1])}" r="{_n(radius)}"/>')

    def picture(self, corner: Point, size: Point, address: str) -> None:
        """A picture inside the page (a data address), stretched; its pixels stay sharp."""
        self._parts.append(
            f'<image class="pixels" x="{_n(corner[0])}" y="{_n(corner[1])}" width="{_n(size[0])}" '
            f'height="{_n(size[1])}" preserveAspectRatio="none" href="{escape(address)}"/>'
        )

    def text(self, at: Point, words: str, css: str = "", anchor: str = "start") -> None:
        """One line of text."""
        self._parts.append(
            f'<text class="{css}" x="{_n(at[0])}" y="{_n(at[1])}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def render(self) -> str:
        """The figure as an element for the page."""
        return self._open + "".join(self._parts) + "</svg>"


class Scale:
    """A linear map from [low, high] to [start, end]."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = (low, high) if high > low else (low, low + 1.0)
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def marks(self, most: int = 5) -> list[float]:
        """Round numbers inside the range, at most about `most`."""
        rough = (self.high - self.low) / max(1, most)
        base = 10.0 ** floor(log10(rough))
        step = next(base * factor for factor in (1, 2, 5, 10) if base * factor >= rough * 0.999)
        first, last = ceil(self.low / step - 1e-9), floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def mark_text(value: float, marks: Sequence[float]) -> str:
    """A mark with as many decimals as the distance of the marks needs."""
    step = abs(marks[1] - marks[0]) if len(marks) > 1 else abs(value) or 1.0
    decimals = max(0, -floor(log10(step) + 1e-9))
    return f"{value:.{decimals}f}".replace("-", "\u2212")


def _n(value: float) -> str:
    """A coordinate with one decimal, short."""
    if not isfinite(value):
        raise ValueError(f"a coordinate of {value}")
    return f"{value:.1f}".removesuffix(".0")
