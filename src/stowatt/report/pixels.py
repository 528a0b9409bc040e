"""Small pictures inside a figure: a grid of numbers as a PNG with a palette, one pixel a cell.

A year of quarter hours is 35,040 cells: as rectangles they would weigh megabytes, as pixels a few kilobytes.
"""

import zlib
from base64 import b64encode
from collections.abc import Sequence
from struct import pack
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEVELS: Final = 64
"""Colours of a picture; 0 stands for "nothing here" and is transparent."""
RAMP: Final = ((44, 74, 154), (42, 143, 168), (111, 191, 115), (242, 193, 78), (217, 87, 43))
"""From low to high: blue, teal, green, amber, rust; each can be told from a white and from a black page."""


def palette(levels: int = LEVELS) -> list[tuple[int, int, int]]:
    """Colours from low to high, straight lines between those of RAMP."""
    colours = []
    for level in range(levels):
        place = level / max(1, levels - 1) * (len(RAMP) - 1)
        left = min(int(place), len(RAMP) - 2)
        rest = place - left
        red, green, blue = (round(a + (b - a) * rest) for a, b in zip(RAMP[left], RAMP[left + 1], strict=True))
        colours.append((red, green, blue))
    return colours


def levels_of(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.uint8]:
    """Cells as numbers of colours: 0 for NaN, else 1 … LEVELS; what is outside low … high takes the end's colour."""
    span = high - low if high > low else 1.0
    with np.errstate(invalid="ignore"):
        level = 1 + np.floor(np.clip((values - low) / span, 0.0, 1.0) * (LEVELS - 1) + 0.5)
    return np.where(np.isnan(values), 0.0, level).astype(np.uint8)


def picture(levels: NDArray[np.uint8]) -> str:
    """A PNG as a data address; rows from the top, 8 bits a pixel."""
    rows, columns = levels.shape
    colours: Sequence[tuple[int, int, int]] = [(0, 0, 0), *palette()]
    raw = np.zeros((rows, columns + 1), np.uint8)  # each row begins with its filter, 0
    raw[:, 1:] = levels
    chunks = (
        (b"IHDR", pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(bytes(colour) for colour in colours)),
        (b"tRNS", b"\x00"),
        (b"IDAT", zlib.compress(raw.tobytes(), 9)),
        (b"IEND", b""),
    )
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return "data:image/png;base64," + b64encode(data).decode()
