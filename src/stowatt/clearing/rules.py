"""§3: the parameters of a clearing: price rule, rationing rule and seed."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

from stowatt.errors import RuleError

SEED_BITS: Final = 256


class PriceRule(IntEnum):
    """Which tick of the interval [λ_lo, λ_hi] is the price, numbered as on chain."""

    LOWEST = 0
    MIDPOINT = 1
    SEED = 2

    def pick(self, lowest: int, highest: int, seed: int) -> int:
        """The price. `midpoint` rounds down, in the buyers' favour by half a tick."""
        match self:
            case PriceRule.LOWEST:
                return lowest
            case PriceRule.MIDPOINT:
                return (lowest + highest) // 2
            case PriceRule.SEED:
                return lowest + seed % (highest - lowest + 1)


class Rationing(IntEnum):
    """How a marginal cohort shares what is left for it, numbered as on chain. See `rationing.py`."""

    PRO_RATA = 0
    SEEDED_ORDER = 1


@dataclass(frozen=True, slots=True)
class Rules:
    """What a window fixes before its bids are known, and the seed that its openings yield (§5)."""

    price_rule: PriceRule = PriceRule.LOWEST
    rationing: Rationing = Rationing.PRO_RATA
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)


_Named = TypeVar("_Named", PriceRule, Rationing)


def by_name(kind: type[_Named], name: str) -> _Named:
    """The rule called `name`, as it is written on the command line and in vectors: `lowest`, `pro_rata` …"""
    for rule in kind:
        if rule.name.lower() == name:
            return rule
    raise RuleError(f"{name!r} is no {kind.__name__}", "choose " + " or ".join(rule.name.lower() for rule in kind))


def parse_seed(text: str) -> int:
    """A seed written as 0x-hexadecimal or as a decimal number."""
    try:
        seed = int(text, 16) if text[:2].lower() == "0x" else int(text)
    except ValueError:
        raise RuleError(f"seed {text[:80]!r} is not a number", "write 0x… (hexadecimal) or a whole number") from None
    return check_seed(seed)


def check_seed(seed: int) -> int:
    """§5: a seed is one 256-bit word."""
    if not 0 <= seed < 2**SEED_BITS:
        raise RuleError("a seed outside 0 … 2^256 - 1", "a seed is one 32-byte word (§5)")
    return seed
