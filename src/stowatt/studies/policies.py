"""Policies for α_S that the study of dynamic α compares."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Policy:
    """α_S of a newcomer and of a proven device, and the weight γ of one whole sale; all ppm. A fixed α has no span."""

    new: int
    proven: int
    gain: int = 0

    @property
    def name(self) -> str:
        """`20 %`, or `40 → 10 %, γ 10 %`."""
        if self.new == self.proven:
            return f"{self.new / 10_000:g} %"
        return f"{self.new / 10_000:g} → {self.proven / 10_000:g} %, γ {self.gain / 10_000:g} %"


FIXED: Final = tuple(Policy(alpha, alpha) for alpha in (50_000, 100_000, 200_000, 300_000, 400_000, 600_000))
DYNAMIC: Final = tuple(
    Policy(new, proven, gain)
    for new in (200_000, 400_000, 600_000)
    for proven in (50_000, 100_000, 200_000)
    for gain in (50_000, 100_000, 200_000)
    if proven < new
)
RECOMMENDED: Final = Policy(600_000, 100_000, 100_000)
"""Of all these, the one with the least uncovered loss that locks no more capital than a fixed 20 % (docs, test)."""
SHOWN: Final = (Policy(100_000, 100_000), Policy(200_000, 200_000), Policy(400_000, 400_000), RECOMMENDED)
"""The policies that the table of kinds compares."""
