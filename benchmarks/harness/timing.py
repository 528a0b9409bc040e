"""Timing: wall-clock, medians with quartiles, peers in turns so that a busy spell of the machine meets all of them."""

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds a call."""

    median: float
    lower: float
    """First quartile."""
    upper: float
    """Third quartile."""
    least: float
    count: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def spread(samples: Iterable[float]) -> Spread:
    """Median and quartiles."""
    listed = sorted(samples)
    if len(listed) == 1:
        return Spread(listed[0], listed[0], listed[0], listed[0], 1)
    lower, median, upper = statistics.quantiles(listed, n=4, method="inclusive")
    return Spread(median, lower, upper, listed[0], len(listed))


def timed(call: Callable[[], _T]) -> tuple[float, _T]:
    """Seconds and result of one call, with garbage collected before it and not during it."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        begun = time.perf_counter()
        result = call()
        return time.perf_counter() - begun, result
    finally:
        if was_on:
            gc.enable()


def rounds(
    calls: Mapping[str, Callable[[], Any]], *, budget: float, fewest: int = 3, most: int = 31
) -> dict[str, Spread]:
    """Times all calls in turns. One leaves after `most` samples, or when `budget` seconds and `fewest` samples are up.

    Each call is made once before, unmeasured, unless it takes longer than half a second.
    """
    samples: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.freeze()  # the inputs are not searched before every sample
    for name, call in calls.items():
        seconds, _ = timed(call)
        if seconds > 0.5:
            samples[name].append(seconds)
    active = set(calls)
    while active:
        for name, call in calls.items():
            taken = samples[name]
            if name in active and (len(taken) >= most or (len(taken) >= fewest and sum(taken) >= budget)):
                active.remove(name)
            if name in active:
                taken.append(timed(call)[0])
    gc.unfreeze()
    return {name: spread(taken) for name, taken in samples.items()}


def human(seconds: float) -> str:
    """Seconds with three figures and a fitting unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            value = seconds / size
            digits = 0 if value >= 100 else 1 if value >= 10 else 2
            return f"{value:.{digits}f} {unit}"
    raise AssertionError("unreachable")


def human_bytes(count: float) -> str:
    """Bytes with three figures and a fitting unit, powers of ten as in GB/s."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size or unit == "kB":
            value = count / size
            return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"
    raise AssertionError("unreachable")
