"""§6 (25): the token id of a capacity right says what it is a right to.

    participant (160 bits) | window (32) | side (8) | start in the bid's filled Wh (40) | final (1 at bit 240)

`start` is 0 until a right is split: the part that begins later in the bid's fill has a later start. The final
settlement token (27) of a right has the same id with the last bit set.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

from eth_utils.address import to_checksum_address

from stowatt.curves import Side
from stowatt.errors import SettlementError

_WINDOW_SHIFT: Final = 160
_SIDE_SHIFT: Final = 192
_START_SHIFT: Final = 200
_FINAL: Final = 1 << 240


@dataclass(frozen=True, slots=True)
class RightId:
    """A token id taken apart."""

    participant: str
    """Whose bid it came from; the holder may be another."""
    window: int
    side: Side
    start: int = 0
    """Wh of the bid's fill that lie before it."""
    final: bool = False
    """Whether it is the final settlement token."""

    def encode(self) -> int:
        """The number on chain."""
        number = int(self.participant, 16) | self.window << _WINDOW_SHIFT | int(self.side) << _SIDE_SHIFT
        return number | self.start << _START_SHIFT | (_FINAL if self.final else 0)

    @classmethod
    def decode(cls, number: int) -> Self:
        """The parts of a number; one that no right can have is refused."""
        side = number >> _SIDE_SHIFT & 0xFF
        if not 0 <= number < _FINAL << 1 or side > Side.BUY:
            raise SettlementError(f"{number} is no capacity right's id", "copy it from `rights list`")
        return cls(
            str(to_checksum_address((number & (1 << _WINDOW_SHIFT) - 1).to_bytes(20))),
            number >> _WINDOW_SHIFT & 0xFFFFFFFF,
            Side(side),
            number >> _START_SHIFT & (1 << 40) - 1,
            bool(number & _FINAL),
        )

    def settled(self) -> Self:
        """The id of its final settlement token."""
        return replace(self, final=True)
