"""Random batteries and windows for the tests of dispatch, and a battery in exact fractions to judge them by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from stowatt.dispatch import Slot, Storage
from stowatt.simulation.portfolio import slots_of
from stowatt.units import PPM

LENGTH = 900
START = 1_800_000_000

sizes = st.one_of(st.integers(0, 50), st.integers(0, 20_000))
powers = st.one_of(st.integers(0, 200), st.integers(0, 12_000))
"""Tiny batteries are those in which a rounding shows."""

storages = st.builds(
    lambda usable, export, charge, eta_c, eta_d, share: Storage(
        usable, export, charge, eta_c, eta_d, usable * share // 100
    ),
    sizes,
    powers,
    powers,
    st.integers(600_000, PPM),
    st.integers(600_000, PPM),
    st.integers(0, 100),
)


@st.composite
def evenings(draw: st.DrawFn, longest: int = 10) -> list[Slot]:
    """Consecutive quarters of an hour with load, surplus, charging from the grid, and earlier sales in some."""
    count = draw(st.integers(1, longest))
    most = draw(st.sampled_from([0, 9, 1_500]))
    net = draw(st.lists(st.integers(-most, most), min_size=count, max_size=count))
    grid = draw(st.lists(st.sampled_from([0, 0, 0, 900]), min_size=count, max_size=count))
    sold = draw(st.lists(st.sampled_from([0, 0, 0, 0, 1, 70]), min_size=count, max_size=count))
    return slots_of(7, START, LENGTH, net, grid, sold)


@dataclass
class ExactBattery:
    """What really happens: no rounding anywhere. It shares no code with the model."""

    storage: Storage
    stored: Fraction

    def run(self, slots: Iterable[Slot], sales: Sequence[int]) -> Fraction:
        """Delivers all sales or fails the test; what the own home did not get, Wh."""
        unserved = Fraction(0)
        out, into = Fraction(self.storage.eta_d_ppm, PPM), Fraction(self.storage.eta_c_ppm, PPM)
        for slot, sale in zip(slots, sales, strict=True):
            cap = Fraction(self.storage.export_w * slot.length_s, 3600)
            assert sale <= cap, "power"
            self.stored -= sale / out
            assert self.stored >= 0, "energy"
            served = min(Fraction(slot.own_wh), cap - sale, self.stored * out)
            unserved += slot.own_wh - served
            self.stored -= served / out
            if sale == 0:
                taken = min(Fraction(slot.charge_wh), Fraction(self.storage.charge_w * slot.length_s, 3600)) * into
                self.stored = min(Fraction(self.storage.usable_wh), self.stored + taken)
            assert 0 <= self.stored <= self.storage.usable_wh
        return unserved
