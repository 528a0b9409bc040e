"""Columns of prices and quantities as whole ticks and Wh, a batch at a time, without a Python object for each row.

Every function gives None where something is not as it should be; `exact.py` then reads the batch row by row, finds the
first error and words it as `data/book_file.py` does, or reads what only it can.
"""

from math import gcd
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from stowatt.data.book_parquet import exact_texts
from stowatt.data.decimals import DecimalUnit
from stowatt.errors import StowattError, UnitError
from stowatt.units import MAX_TICK

Counts = NDArray[np.uint32]

_MOST: Final = MAX_TICK
"""The most ticks, and also the most Wh of a row."""
_LARGEST: Final = 2**63 - 1
_FEW_DIGITS: Final = 10**15
"""Below it a float64 is the nearest one to one decimal only, which is then the shortest that it prints as."""
_EXACT_POWERS: Final = 22
"""10^22 is the highest power of ten that a float64 is exactly."""


class Counter:
    """Counts one column in a unit. What a text or float means is looked up once for each different one."""

    def __init__(self, unit: DecimalUnit, least: int) -> None:
        self.unit = unit
        self.least = least
        """0 for prices, 1 for quantities."""

    def counts(self, column: Any) -> Counts | None:
        """One for each row; None if some row has none in range."""
        kind = column.type
        if column.null_count:
            return None
        if len(column) == 0:
            return np.zeros(0, np.uint32)
        if pa.types.is_decimal128(kind):
            limbs = np.frombuffer(column.buffers()[1], np.int64).reshape(-1, 2)[column.offset :][: len(column)]
            if limbs[:, 1].any():  # negative, or beyond 2^64
                return None
            return self._scaled(limbs[:, 0], -kind.scale)
        if pa.types.is_integer(kind):
            values = column.to_numpy()
            if values.dtype == np.uint64 and len(values) and int(values.max()) > _LARGEST:
                return None
            return self._scaled(values.astype(np.int64, copy=False), 0)
        if pa.types.is_float64(kind):
            found = self._floats(column.to_numpy())
            if found is not None:
                return found
        return self._looked_up(column)

    def _scaled(self, values: NDArray[np.int64], exponent: int) -> Counts | None:
        """values × 10^exponent in units, if they are whole and in range."""
        shift = exponent - self.unit.exponent
        up, down = 10 ** max(shift, 0), self.unit.mantissa * 10 ** max(-shift, 0)
        up, down = up // gcd(up, down), down // gcd(up, down)
        most = int(values.max(initial=0))
        if int(values.min(initial=most)) * up < self.least * down or most * up > _MOST * down:
            return None
        if most == 0:
            return np.zeros(len(values), np.uint32)
        # up and down are coprime, so a whole number of units needs a multiple of `down`; neither is above 2^63 here,
        # or no value is whole.
        if down > 1:
            if down > most or (values % np.int64(down)).any():
                return None
            values = values // np.int64(down)
        return (values * np.int64(up)).astype(np.uint32)

    def _floats(self, values: NDArray[np.float64]) -> Counts | None:
        """Floats that print as a decimal of the unit's places and at most 15 digits."""
        places = -self.unit.exponent
        if not 0 <= places <= _EXACT_POWERS:
            return None
        scale = float(10**places)
        with np.errstate(all="ignore"):
            nearest = np.rint(values * scale)
            # Correctly rounded: equal only if the float is the nearest one to this decimal.
            if not ((np.abs(nearest) < _FEW_DIGITS) & (nearest / scale == values)).all():
                return None
        return self._scaled(nearest.astype(np.int64), -places)

    def _looked_up(self, column: Any) -> Counts | None:
        try:
            if not pa.types.is_dictionary(column.type):
                column = column.dictionary_encode()
            table = np.zeros(len(column.dictionary), np.uint32)
            for number, text in enumerate(exact_texts("", "", column.dictionary)):
                found = self.unit.count(text.strip(" \t"))
                if found is None or not self.least <= found <= _MOST:
                    return None
                table[number] = found
            looked_up: Counts = table[column.indices.to_numpy()]
            return looked_up
        except (UnitError, StowattError, pa.ArrowException):
            return None
