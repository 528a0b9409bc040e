"""§1 Units: everything that is settled is an integer.

| name    | unit                                | used for                                        |
|---------|-------------------------------------|-------------------------------------------------|
| `Wh`    | watt-hour                           | capacity rights, segment widths, delivered energy |
| `Tick`  | tick; price = tick × tick size      | prices                                          |
| `Money` | base units of the settlement token  | deposits, payments, bonds                       |
| `Ppm`   | parts per million                   | α, β, ρ, κ, efficiencies                        |

The tick size is in base units per kWh on chain, and in money per kWh (a decimal) in book files.
"""

from typing import Final, NewType

from stowatt.errors import UnitError

Wh = NewType("Wh", int)
Tick = NewType("Tick", int)
Money = NewType("Money", int)
Ppm = NewType("Ppm", int)

PPM: Final = 1_000_000
WH_PER_KWH: Final = 1000
SECONDS_PER_HOUR: Final = 3600

MAX_WIDTH_WH: Final = 2**32 - 1
"""The widest segment: 4 294 967.295 kWh. A wider one is a slip of the unit and is refused."""
MAX_SEGMENTS: Final = 16
"""The most segments of one curve, after segments at one tick are merged."""
MAX_TICK: Final = 2**32 - 1
"""The highest tick off chain."""
GRID_MAX_TICKS: Final = 16_384
"""The most ticks of a window on chain: ticks 0 … 16 383."""
MAX_SIDE_WH: Final = 2**56 - 1
"""The most that one side of a book may add up to off chain: 16 777 216 of the widest segments."""
MAX_SIDE_WH_ON_CHAIN: Final = 2**48 - 1
"""The same on chain: the width of a lane of the price book."""


def ceil_div(numerator: int, denominator: int) -> int:
    """⌈numerator / denominator⌉ for a positive denominator."""
    return -(-numerator // denominator)


def money(wh: int, tick: int, tick_size: int, *, up: bool) -> Money:
    """What `wh` cost at `tick`, in base units; `tick_size` is in base units per kWh.

    Round up what is paid in and down what is paid out: rounding is against whoever receives, so that an escrow is
    never short.
    """
    if wh < 0 or tick < 0 or tick_size < 0:
        raise UnitError(f"a value of {wh} Wh at tick {tick} × {tick_size} is negative", "use numbers from 0")
    product = wh * tick * tick_size
    return Money(ceil_div(product, WH_PER_KWH) if up else product // WH_PER_KWH)
