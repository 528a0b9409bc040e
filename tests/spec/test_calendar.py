"""§5, §6: the calendar and the phase of a window. T9: every deadline is tried at t-1, t and t+1."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stowatt.calendar import Calendar, CalendarError, Phase, Status, deadlines, phase, sub_slot_at, window_at

DAY = Calendar(
    origin=1_700_000_100,
    length=900,
    sub_slot=300,
    commit_lead=1800,
    reveal_lead=1200,
    payment_lead=300,
    reading_grace=600,
    void_delay=600,
    ring=96,
    ticks=4096,
    price_rule=0,
    rationing=0,
    tick_size=100,
    bond=50_000,
    alpha_seller=200_000,
    alpha_buyer=100_000,
    efficiency=950_000,
    tolerance=980_000,
    alpha_proven=100_000,
    reliability_gain=150_000,
)


class TestDeadlines:
    def test_of_window_4_worked_by_hand(self):
        times = deadlines(DAY, 4)
        start = 1_700_000_100 + 3600
        assert (times.start, times.end) == (start, start + 900)
        assert (times.commit, times.reveal, times.payment) == (start - 1800, start - 1200, start - 300)
        assert times.void == start - 600
        assert times.reading == start + 1500
        assert times.opening == start - 86_400 + 1

    def test_a_window_beyond_the_calendar_is_refused(self):
        assert DAY.last_window == 96 * 2**16 - 1
        deadlines(DAY, DAY.last_window)
        for window in (-1, DAY.last_window + 1):
            with pytest.raises(CalendarError, match=f"window {window}"):
                deadlines(DAY, window)

    def test_a_large_ring_is_bounded_by_the_window_number(self):
        assert replace(DAY, ring=2**20).last_window == 2**32 - 1


W = 7
TIMES = deadlines(DAY, W)


class TestT9Phase:
    """One function decides the phase; a deadline itself belongs to the next phase."""

    @pytest.mark.parametrize(
        ("status", "deadline", "before", "after"),
        [
            (Status.OPEN, TIMES.commit, Phase.COMMIT, Phase.REVEAL),
            (Status.OPEN, TIMES.reveal, Phase.REVEAL, Phase.CLEARING),
            (Status.OPEN, TIMES.void, Phase.CLEARING, Phase.LAPSED),
            (Status.OPEN, TIMES.payment, Phase.LAPSED, Phase.LAPSED),
            (Status.TRADED, TIMES.reveal, Phase.PAYMENT, Phase.PAYMENT),
            (Status.TRADED, TIMES.payment, Phase.PAYMENT, Phase.DELIVERY),
            (Status.TRADED, TIMES.start, Phase.DELIVERY, Phase.DELIVERY),
            (Status.TRADED, TIMES.end, Phase.DELIVERY, Phase.DELIVERY),
            (Status.TRADED, TIMES.reading, Phase.DELIVERY, Phase.SETTLEMENT),
        ],
    )
    def test_t9_at_one_second_before_at_and_after_each_deadline(self, status, deadline, before, after):
        assert phase(DAY, W, deadline - 1, status) is before
        assert phase(DAY, W, deadline, status) is after
        assert phase(DAY, W, deadline + 1, status) is after

    @given(st.integers(0, 2**64 - 1))
    def test_without_a_decision_on_chain_time_alone_changes_nothing(self, now):
        assert phase(DAY, W, now, Status.NONE) is Phase.NOT_OPEN
        assert phase(DAY, W, now, Status.NO_TRADE) is Phase.NO_TRADE
        assert phase(DAY, W, now, Status.VOID) is Phase.VOID

    @given(st.integers(0, 2**33), st.integers(0, 2**33), st.sampled_from([Status.OPEN, Status.TRADED]))
    def test_the_phase_never_goes_back(self, one, other, status):
        early, late = sorted((one, other))
        assert phase(DAY, W, early, status) <= phase(DAY, W, late, status)

    @given(st.integers(TIMES.opening, TIMES.reading + 100))
    def test_a_decision_never_moves_the_phase_back(self, now):
        undecided = phase(DAY, W, now, Status.OPEN)
        for status in (Status.TRADED, Status.NO_TRADE, Status.VOID):
            assert phase(DAY, W, now, status) > undecided

    def test_t16_an_uncleared_window_lapses_before_payment_ends(self):
        """So a late clearing cannot put buyers in default before they could pay."""
        assert TIMES.void <= TIMES.payment


class TestWindowAt:
    @given(st.integers(0, DAY.last_window), st.integers(0, 899))
    def test_covers_each_second_of_its_delivery(self, window, second):
        assert window_at(DAY, deadlines(DAY, window).start + second) == window

    def test_at_one_second_before_at_and_after_a_start(self):
        start = deadlines(DAY, 3).start
        assert [window_at(DAY, t) for t in (start - 1, start, start + 1)] == [2, 3, 3]

    def test_sub_slots(self):
        start = deadlines(DAY, 3).start
        assert [sub_slot_at(DAY, start + s) for s in (0, 299, 300, 301, 899, 900)] == [
            (3, 0), (3, 0), (3, 1), (3, 1), (3, 2), (4, 0),
        ]  # fmt: skip

    def test_a_time_outside_the_market_is_refused(self):
        end = deadlines(DAY, DAY.last_window).end
        for time in (DAY.origin - 1, end):
            with pytest.raises(CalendarError, match=f"time {time}.*{DAY.origin} until {end}"):
                window_at(DAY, time)


class TestValidation:
    """Errors name the field, the value and the way out."""

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"origin": -1}, "origin is -1; choose a whole number from 0"),
            ({"origin": 1800}, "commit_lead is 1800; choose less than origin, 1800"),
            ({"length": 0}, "length is 0; choose"),
            ({"length": 900.0}, "length is 900.0; choose a whole number"),
            ({"sub_slot": 0}, "sub_slot is 0; choose"),
            ({"sub_slot": 7}, "sub_slot is 7; choose a divisor of length, 900"),
            ({"sub_slot": 9}, "sub_slot is 9, a 100th of length; choose at most 96 a window"),
            ({"commit_lead": 1200}, "reveal_lead is 1200; .* less than commit_lead, 1200"),
            ({"payment_lead": 1200}, "payment_lead is 1200; .* less than reveal_lead, 1200"),
            ({"payment_lead": -1}, "payment_lead is -1; choose"),
            ({"void_delay": 901}, "void_delay is 901; .* at most reveal_lead - payment_lead, 900"),
            ({"void_delay": 0}, "void_delay is 0; choose"),
            ({"ring": 0}, "ring is 0; choose"),
            ({"ring": 2}, "ring is 2, 1800 seconds; .* more than 2"),
            ({"ticks": 1}, "ticks is 1; choose"),
            ({"ticks": 16_385}, "ticks is 16385; choose"),
            ({"ticks": 8193, "price_rule": 1}, "ticks is 8193; choose at most 8192"),
            ({"ticks": 8193, "price_rule": 2}, "ticks is 8193; choose at most 8192"),
            ({"price_rule": 3}, "price_rule is 3; choose"),
            ({"rationing": 2}, "rationing is 2; choose"),
            ({"tick_size": 0}, "tick_size is 0; choose"),
            ({"tick_size": 2**96}, "tick_size is 79228162514264337593543950336; choose"),
            ({"bond": -5}, "bond is -5; choose"),
            ({"alpha_seller": 0}, "alpha_seller is 0; choose"),
            ({"alpha_buyer": 1_000_001}, "alpha_buyer is 1000001; choose"),
            ({"efficiency": 0}, "efficiency is 0; choose"),
            ({"tolerance": 0}, "tolerance is 0; choose"),
            ({"alpha_proven": 0}, "alpha_proven is 0; choose"),
            ({"alpha_proven": 200_001}, "alpha_proven is 200001; .* at most alpha_seller, 200000"),
            ({"reliability_gain": -1}, "reliability_gain is -1; choose"),
            ({"reliability_gain": 1_000_001}, "reliability_gain is 1000001; choose a whole number from 0 to 1000000"),
        ],
    )
    def test_a_bad_field_is_named(self, change, error):
        with pytest.raises(CalendarError, match=error):
            replace(DAY, **change)

    def test_the_extremes_are_allowed(self):
        replace(DAY, ticks=16_384, void_delay=900, reading_grace=0, bond=0)
        replace(DAY, ticks=8192, price_rule=2, payment_lead=0)
        replace(DAY, ring=3)
        replace(DAY, alpha_proven=200_000, reliability_gain=0)
        replace(DAY, alpha_proven=1, reliability_gain=1_000_000)

    @given(st.integers(1, 50), st.integers(1, 2000), st.integers(1, 10_000))
    def test_every_window_of_a_valid_calendar_can_be_opened_in_time(self, ring, length, commit_lead):
        try:
            calendar = replace(
                DAY, ring=ring, length=length, sub_slot=length, commit_lead=commit_lead, reveal_lead=1, void_delay=1,
                payment_lead=0,
            )  # fmt: skip
        except CalendarError:
            return
        times = deadlines(calendar, ring)
        assert times.opening < times.commit < times.reveal < times.void <= times.payment <= times.start < times.end

    def test_encode_has_the_order_of_the_contract_s_struct(self):
        assert DAY.encode() == (
            1_700_000_100, 900, 300, 1800, 1200, 300, 600, 600, 96, 4096, 0, 0, 100, 50_000, 200_000, 100_000, 950_000,
            980_000, 100_000, 150_000,
        )  # fmt: skip
