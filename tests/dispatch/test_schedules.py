"""From events to schedules, worked by hand: obligations, κ, meters, splits, transfers, and who cannot deliver."""

import pytest

from stowatt.audit.events import DeviceRevoked
from stowatt.curves import Side
from stowatt.dispatch import DispatchError, Limit, Slot, Storage, build, check, cleared_market
from stowatt.dispatch.schedules import DispatchPlan
from stowatt.units import PPM
from tests.dispatch.markets import BUY, ORIGIN, SELL, Log, address, evening, token

W4, W5 = ORIGIN + 4 * 900, ORIGIN + 5 * 900


def plan_of(log: Log, **options: object) -> DispatchPlan:
    return build(cleared_market(log.events), **options)  # type: ignore[arg-type]


class TestObligations:
    def test_while_buyers_can_pay_all_is_due(self) -> None:
        plan = plan_of(evening())
        assert [w.provisional for w in plan.windows] == [True, True]
        first = plan.batteries[0]
        assert [(r.window, r.start, r.end, r.sold_wh, r.due_wh, r.deliver_wh) for r in first.rows] == [
            (4, W4, W4 + 900, 1_000, 1_000, 950),
            (5, W5, W5 + 900, 1_000, 1_000, 950),
        ]
        assert [(r.before_wh, r.after_wh) for r in first.rows] == [(10_000, 9_000), (9_000, 8_000)]
        assert first.rows[0].average_w == 3_800 and first.rows[0].peak_w == 3_804, "317 of 950 Wh in 300 s"
        assert first.verdict == "deliverable" and first.assumed_full

    def test_an_unpaid_buyer_shrinks_it_after_the_deadline(self) -> None:
        """κ = 1200/2000: of 1,000 Wh 600 are left, at the meter 570."""
        plan = plan_of(evening(), at=W5 - 300)
        assert [(w.covered_wh, w.provisional) for w in plan.windows] == [(1_800, False), (1_200, False)]
        assert [(r.sold_wh, r.due_wh, r.deliver_wh) for r in plan.batteries[0].rows][1] == (1_000, 600, 570)
        assert [b.holder for b in plan.buyers] == sorted(address(n) for n in ("b1", "b2", "b3"))
        (b3,) = (b for b in plan.buyers if b.holder == address("b3"))
        assert [r.window for r in b3.rows] == [4], "a right in default entitles to nothing"

    def test_paid_later_counts(self) -> None:
        log = evening()
        log.pay(5, "b3")
        assert plan_of(log, at=W5).windows[1].covered_wh == 2_000

    def test_a_declared_default_is_gone(self) -> None:
        log = evening()
        log.time = W5 - 200
        log.default(5, "b3", 800)
        plan = plan_of(log)
        assert plan.as_of == W5 - 200 and plan.windows[1].covered_wh == 1_200
        assert plan.windows[1].unclaimed_buy_wh == 0

    def test_a_price_of_nothing_is_paid_with_nothing(self) -> None:
        log = Log.start()
        log.device("s1")
        log.commit(4, SELL, "s1")
        log.commit(4, BUY, "b1")
        log.clear(4, 500, tick=0)
        log.claim(4, "s1", 500)
        log.claim(4, "b1", 500, 0)
        assert plan_of(log, at=W4).windows[0].covered_wh == 500

    def test_unclaimed_fills_are_named_and_not_scheduled(self) -> None:
        log = Log.start()
        log.device("s1")
        log.commit(4, SELL, "s1", "s2")
        log.commit(4, BUY, "b1")
        log.clear(4, 900)
        log.claim(4, "s1", 500)
        plan = plan_of(log)
        assert (plan.windows[0].unclaimed_sell_wh, plan.windows[0].unclaimed_buy_wh) == (400, 900)
        assert plan.pairs == () and plan.buyers == ()

    def test_a_settled_right_stays_due(self) -> None:
        log = evening()
        right = token(4, SELL, "s1")
        log.move(right, address("s1"), "0x" + "0" * 40)
        assert plan_of(log) == plan_of(evening())


class TestRights:
    def test_parts_and_holders(self) -> None:
        """s1's right is split and a part sold on: the device delivers all of it. b1's part is another's to take."""
        log = evening()
        log.move(log.split(4, SELL, "s1", 300), address("s1"), address("trader"))
        log.move(log.split(4, BUY, "b1", 400), address("b1"), address("friend"))
        plan = plan_of(log)
        row = plan.batteries[0].rows[0]
        assert row.rights == (token(4, SELL, "s1"), token(4, SELL, "s1", 300))
        assert (row.sold_wh, row.due_wh, row.deliver_wh) == (1_000, 1_000, 950)
        (friend,) = (b for b in plan.buyers if b.holder == address("friend"))
        assert [(r.window, r.wh, r.rights, r.average_w) for r in friend.rows] == [
            (4, 500, (token(4, BUY, "b1", 400),), 2_000)
        ]

    def test_the_parts_of_a_shrunk_bid_add_up(self) -> None:
        log = evening()
        for start in range(0, 900, 90):
            log.split(5, SELL, "s1", 90, start)
        market = cleared_market(log.events)
        window = market.windows[1]
        parts = [window.due(right, W5) for right in window.sells if right.device == 1]
        assert len(parts) == 11 and sum(parts) == 600
        assert build(market, at=W5).batteries[0].rows[1].deliver_wh == 570

    def test_the_device_at_the_commitment_delivers(self) -> None:
        """A device that is registered, or revoked, after the commitment changes nothing."""
        log = Log.start()
        first = log.device("s1")
        log.commit(4, SELL, "s1")
        log.device("s1", usable=1)
        log.add(DeviceRevoked, device=2)
        log.commit(4, BUY, "b1")
        log.clear(4, 500)
        log.claim(4, "s1", 500)
        log.claim(4, "b1", 500, 5)
        assert [battery.device for battery in plan_of(log).batteries] == [first]


class TestFeasibility:
    def test_the_first_window_that_fails_is_named(self) -> None:
        """s2 has 1,900 Wh: 800 go, then 1,000 more; with 1,500 stored, 300 of the second are missing."""
        plan = plan_of(evening(), stored_wh={2: 1_500})
        battery = plan.batteries[1]
        assert not plan.feasible and not battery.feasible and not battery.assumed_full
        (shortfall,) = battery.shortfalls
        assert (shortfall.window, shortfall.limit, shortfall.needed_wh, shortfall.missing_wh) == (5, "energy", 950, 285)
        assert battery.verdict == "window 5 needs 950 Wh, but stored energy reaches for 665 Wh: 285 Wh are missing"
        assert [row.missing_wh for row in battery.rows] == [0, 285]
        assert battery.rows[1].after_wh == 0

    def test_defaults_can_make_it_deliverable(self) -> None:
        battery = plan_of(evening(), at=W5, stored_wh={2: 1_500}).batteries[1]
        assert battery.feasible and battery.before_defaults
        assert battery.verdict.startswith("deliverable because buyers did not pay; else window 5 needs 950 Wh")

    def test_the_own_home_and_a_recharge_count(self) -> None:
        load = {(2, 4): 400, (2, 5): 0}
        assert not plan_of(evening(), net_load_wh=load).feasible
        log = evening()
        log.trade(9, [("s2", 500)], [("b1", 500)])
        assert not plan_of(log).feasible
        plan = plan_of(log, net_load_wh={(2, 7): -600})
        assert plan.feasible
        assert [(r.window, r.after_wh) for r in plan.batteries[1].rows] == [(4, 1_100), (5, 100), (7, 670), (9, 170)]

    def test_power(self) -> None:
        battery = Storage(9_000, 4_000, 0, PPM, PPM, 9_000)
        verdict = check(battery, [Slot(1, 0, 900, 1_000), Slot(2, 900, 900, 1_001), Slot(3, 1_800, 900, 1_200)])
        assert [(s.window, s.limit, s.missing_wh) for s in verdict.shortfalls] == [
            (2, Limit.POWER, 1),
            (3, Limit.POWER, 200),
        ]
        assert str(verdict) == (
            "window 2 needs 1001 Wh, but power lets through 1000 Wh: 1 Wh are missing; 1 later window(s) fail too"
        )
        assert verdict.missing_wh == 201

    def test_windows_in_disorder_are_refused(self) -> None:
        with pytest.raises(DispatchError, match="in order"):
            check(Storage(1, 1, 1, 1, 1, 1), [Slot(1, 900, 900), Slot(0, 0, 901)])

    @pytest.mark.parametrize(
        "values", [(1, 1, 1, 0, 1, 1), (1, 1, 1, 1, PPM + 1, 1), (1, 1, 1, 1, 1, 2), (-1, 1, 1, 1, 1, 0)]
    )
    def test_no_such_battery(self, values: tuple[int, ...]) -> None:
        with pytest.raises(DispatchError, match="battery"):
            Storage(*values)

    def test_no_such_slot(self) -> None:
        for values in ((0, 0, 0), (0, 0, 900, -1), (0, 0, 900, 0, 5, 5)):
            with pytest.raises(DispatchError, match="window 0"):
                Slot(*values)


class TestWhatIsAskedFor:
    def test_some_windows(self) -> None:
        plan = plan_of(evening(), windows=[5])
        assert [w.window for w in plan.windows] == [5] and len(plan.batteries[0].rows) == 1
        with pytest.raises(DispatchError, match="window 6 has no trade"):
            plan_of(evening(), windows=[5, 6])

    def test_unknown_devices(self) -> None:
        with pytest.raises(DispatchError, match="no device 9"):
            plan_of(evening(), stored_wh={9: 1})
        with pytest.raises(DispatchError, match="no device 9"):
            plan_of(evening(), net_load_wh={(9, 4): 1})
        with pytest.raises(DispatchError, match="device 1 has 10001 Wh stored, more than its usable 10000 Wh"):
            plan_of(evening(), stored_wh={1: 10_001})

    def test_no_trade(self) -> None:
        plan = plan_of(Log.start())
        assert plan.windows == plan.batteries == plan.buyers == plan.pairs == () and plan.feasible


class TestBrokenEvents:
    """What an audit would call a mismatch is refused, not scheduled."""

    def test_no_market(self) -> None:
        with pytest.raises(DispatchError, match="no MarketDeployed"):
            cleared_market([])
        with pytest.raises(DispatchError, match="do not begin"):
            cleared_market(evening().events[1:])
        with pytest.raises(DispatchError, match="two markets"):
            cleared_market(evening().events + evening().events)

    def test_a_claim_of_nothing_known(self) -> None:
        for change in (
            lambda log: log.claim(7, "s1", 5),
            lambda log: log.claim(4, "nobody", 5),
            lambda log: log.pay(9, "b1"),
            lambda log: log.split(4, SELL, "s1", 1_000),
            lambda log: log.split(4, SELL, "s9", 1),
            lambda log: log.add(type(log.events[-1]), window=4, participant=address("b1"), quantity=10**6, payment=1),
        ):
            log = evening()
            change(log)
            with pytest.raises(DispatchError, match="audit the events"):
                cleared_market(log.events)

    def test_a_seller_without_a_device(self) -> None:
        log = Log.start()
        log.commit(4, Side.SELL, "s1")
        log.clear(4, 5)
        log.claim(4, "s1", 5)
        with pytest.raises(DispatchError, match="without a registered device"):
            cleared_market(log.events)
