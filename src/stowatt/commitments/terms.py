"""A seller's terms, as its commitment binds them (§2, §5, §6): one word, which its opening and its claim repeat.

    terms = units << 88 | α_S << 64 | Q_max << 32 | device

They are those of the moment of the commitment: what the registry or a settlement changes later spoils no opening and
moves no deposit. A buyer has none: the word is 0.
"""

from dataclasses import dataclass
from typing import Final, Self

from stowatt.curves import Side
from stowatt.errors import CommitmentError

TERMS_BITS: Final = 96
_FIELDS: Final = (("device", 0, 32), ("limit_wh", 32, 32), ("alpha", 64, 24), ("units", 88, 8))
"""(field, lowest bit, bits)"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a seller's bid is held to."""

    device: int
    """The registry's number of the device; 0 for a buyer."""
    limit_wh: int
    """The device's Q_max (1), Wh."""
    alpha: int
    """α_S of the deposits, ppm."""
    units: int
    """Energy units, in Q_max/64, that the bid holds of its battery: 1 … 64; 0 for a buyer."""

    def __post_init__(self) -> None:
        for name, _, bits in _FIELDS:
            value = getattr(self, name)
            if not 0 <= value < 1 << bits:
                raise CommitmentError(f"the terms' {name} is {value}", f"use 0 … 2^{bits}-1")

    @property
    def side(self) -> Side:
        """A bid that holds no energy is a buyer's."""
        return Side.SELL if self.units else Side.BUY

    def encode(self) -> int:
        """The word that the contracts take."""
        return sum(int(getattr(self, name)) << shift for name, shift, _ in _FIELDS)

    @classmethod
    def decode(cls, word: int) -> Self:
        """The terms of a word."""
        if not 0 <= word < 1 << TERMS_BITS:
            raise CommitmentError(f"terms of {word:#x}", f"they have at most {TERMS_BITS} bits")
        return cls(*(word >> shift & (1 << bits) - 1 for _, shift, bits in _FIELDS))


NO_TERMS: Final = Terms(0, 0, 0, 0)
"""A buyer's."""
