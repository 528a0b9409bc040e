"""§6 (25): the token id of a capacity right says what it is a right to.

    participant: 160 bits | window: 32 | side: 8 | start in the bid's filled Wh: 40 | final: bit 240

`start` is 0 until a right is split: the part that begins later in the bid's fill has a later start. The final
settlement token (27) of a right has the same id with the last bit set.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from eth_utils.address import to_checksum_address

from stowatt.curves import Side
from stowatt.errors import SettlementError
from stowatt.typed_data import checksummed

_WINDOW_SHIFT: Final = 160
_SIDE_SHIFT: Final = 192
_START_SHIFT: Final = 200
_FINAL: Final = 1 << 240
_TEXT: Final = re.compile(r"([0-9]{1,10})/(sell|buy)(?:/(0x[0-9a-fA-F]{40}))?(?:\+([0-9]{1,13}))?(/final)?")
_NUMBER: Final = re.compile(r"0x[0-9a-fA-F]{1,64}|[0-9]{1,78}")


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
            raise SettlementError(f"0x{number:x} is no capacity right's id", "copy it from `rights list`")
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

    def text(self, own: str | None = None) -> str:
        """For people: `7/sell`, `7/sell+300` for a later part, `7/buy/final`; with the address unless it is `own`."""
        owner = "" if own is not None and own.lower() == self.participant.lower() else f"/{self.participant}"
        later = f"+{self.start}" if self.start else ""
        return f"{self.window}/{self.side.word}{owner}{later}{'/final' if self.final else ''}"

    @classmethod
    def parse(cls, text: str, own: str | None = None) -> Self:
        """The right of a text as `text` writes it, or of a number, decimal or 0x."""
        if _NUMBER.fullmatch(text):
            return cls.decode(int(text, 0) if text.startswith("0x") else int(text))
        match = _TEXT.fullmatch(text)
        if match is None or (match[3] is not None and checksummed(match[3]) is None):
            raise SettlementError(
                f"{text[:80]!r} names no capacity right",
                "write window/side such as 7/sell, with /0x… for another participant's, or the id of `rights list`",
            )
        owner = match[3] or own
        if owner is None:
            raise SettlementError(f"{text!r} does not say whose right it is", "add /0x… of the participant, or a key")
        start = int(match[4] or 0)
        if int(match[1]) >= 1 << 32 or start >= 1 << 40:
            raise SettlementError(f"{text!r} names no capacity right", "copy it from `rights list`")
        return cls(str(to_checksum_address(owner)), int(match[1]), Side[match[2].upper()], start, bool(match[5]))
