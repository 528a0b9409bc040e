"""The demo from beginning to end."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from stowatt.calendar import Calendar, deadlines
from stowatt.cli.progress import counting
from stowatt.demo.bidding import commit_bids, seal_bids
from stowatt.demo.community import Community, Founding
from stowatt.demo.day import Day
from stowatt.demo.delivery import Deliveries, choose_evidence
from stowatt.demo.dispatch import Dispatch, Order
from stowatt.demo.document import day_document, write_document
from stowatt.demo.features import features
from stowatt.demo.judge import judge
from stowatt.demo.meters import install_meters
from stowatt.demo.output import OutputFolder, choose_folder
from stowatt.demo.screen import Screen
from stowatt.demo.settings import BIDS_BEFORE_S, CURRENCY, ROUND, DemoSettings, DemoStopped, market_calendar
from stowatt.demo.source import Source, read_source
from stowatt.demo.stories import Story, stories_of
from stowatt.demo.summary import conservation, day_report
from stowatt.demo.tables import print_summary
from stowatt.demo.troubles import Kind, Trouble, plan_troubles
from stowatt.demo.window import WindowRun
from stowatt.openings import OpeningStore
from stowatt.report import text, write


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a demo ended."""

    document: dict[str, Any]
    good: bool
    """Whether audit, engine and books agree on everything."""


def run_demo(settings: DemoSettings, screen: Screen) -> Outcome:
    """Reads the homes, founds the market, runs the day, audits it, writes the files."""
    source = read_source(settings)
    folder = choose_folder(settings.out, source.day)
    with stopping(folder):
        return Demo(source, folder, screen).run()


@contextmanager
def stopping(folder: OutputFolder) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the demo with one line that says where its files are."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise DemoStopped(
            f"stopped; {folder.path} holds what was done so far", "start again: a new run needs a new folder"
        ) from None
    finally:
        signal.signal(signal.SIGTERM, before)


class Demo:
    """One run."""

    def __init__(self, source: Source, folder: OutputFolder, screen: Screen) -> None:
        self.source, self.folder, self.screen = source, folder, screen
        self.calendar: Calendar = market_calendar(int(source.evening.windows[0].start.timestamp()))
        self.zone = ZoneInfo(source.evening.parameters.zone)
        self.stories: list[Story] = []
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def run(self) -> Outcome:
        """All of it."""
        self.screen.title(self.source)
        troubles = plan_troubles(self.source.evening, self.calendar)
        founding = Founding(self.folder, self.source.evening, self.calendar)
        with founding.ledger:
            community = self._found(founding)
            with OpeningStore(self.folder.openings) as store:
                windows = self._bid(founding, community, store, troubles)
                day = self._trade(founding, community, store, windows)
            self._withdraw(founding, community)
            return self._conclude(founding.dispatch, community, windows, day)

    # ------------------------------------------------------------------ before the evening

    def _found(self, founding: Founding) -> Community:
        deployment = founding.deploy()
        self._tell(founding, f"market deployed: six contracts on an EVM of its own, chain {deployment.chain_id}")
        community = founding.admit(deployment)
        sellers = len(self.source.evening.sellers)
        self._tell(
            founding,
            f"{len(community.members)} homes admitted by the issuer's signature, {sellers} batteries certified",
        )
        with counting("homes deposit") as progress:
            founding.fund(community, progress)
        total = sum(community.deposits.values())
        self._tell(founding, f"{text.money(total, CURRENCY, 2)} {CURRENCY.name} deposited, with permits (EIP-2612)")
        self._lap("founding")
        return community

    def _bid(
        self, founding: Founding, community: Community, store: OpeningStore, troubles: tuple[Trouble, ...]
    ) -> list[WindowRun]:
        windows = [
            WindowRun(
                planned,
                deadlines(self.calendar, planned.number),
                tuple(trouble for trouble in troubles if trouble.window == planned.number),
            )
            for planned in self.source.evening.windows
        ]
        choose_evidence(windows)
        founding.ledger.set_time(self.calendar.origin - BIDS_BEFORE_S)
        operator = community.operator
        founding.dispatch.send(
            [Order(operator, operator.calls.open_windows(0, len(windows)), "open windows", len(windows))]
        )
        with counting("bids are sealed and stored") as progress:
            commitments = seal_bids(community, windows[:ROUND], store, progress)
        commit_bids(community, windows[:ROUND], commitments, founding.dispatch)
        bids = sum(len(mine) for mine in commitments.values())
        self._tell(
            founding,
            f"{text.grouped(bids)} bids of the first hour sealed (Pedersen commitments on BN254), their openings on "
            f"the disk first; each home commits to an hour in one transaction, the next hour's bids follow",
        )
        self._lap("sealing")
        return windows

    # ------------------------------------------------------------------ the evening

    def _trade(self, founding: Founding, community: Community, store: OpeningStore, windows: list[WindowRun]) -> Day:
        meters = install_meters(list(community), self.source.evening.stored_wh, self.folder.meters)
        for window in windows:
            trouble = window.trouble(Kind.WEAK)
            if trouble:
                meters[community.members[trouble.home].address].trips[window.number] = 1
        deliveries = Deliveries(community, founding.dispatch, self.calendar, meters, self.folder.meters)
        day = Day(community, founding.dispatch, self.calendar, windows, store, deliveries)
        steps = day.steps()
        self.screen.table_head()
        with self.screen.live(len(steps)):
            for step in steps:
                founding.ledger.set_time(step.at)
                self.screen.step(self._clock(step.at), f"{step.window.start:%H:%M} window: {step.name}")
                step.act(step.window)
                if step.last:
                    self._settled(step.window, day)
        self._lap("evening")
        return day

    def _settled(self, window: WindowRun, day: Day) -> None:
        agrees = not day.faults_of(window)
        self.screen.window(window, day.deliveries.owed(window), day.dispatch.gas_of(window.number), agrees)
        for story in stories_of(window, day.incidents, self.calendar):
            self.stories.append(story)
            self.screen.trouble(story)

    def _withdraw(self, founding: Founding, community: Community) -> None:
        """Everybody takes everything out: nothing may stay behind."""
        founding.ledger.advance(60)
        clients = [*(member.client for member in community), community.treasury]
        orders = []
        for client in clients:
            free = client.balance(client.address)
            if free:
                orders.append(Order(client, client.calls.withdraw(client.address, free), "withdraw"))
        founding.dispatch.send(orders)
        left = community.operator.token_balance(community.deployment.market)
        self.screen.console.print()
        self._tell(
            founding,
            f"all {len(orders)} accounts withdraw what they have; {text.money(left, CURRENCY, 6)} {CURRENCY.name} stay "
            f"in the market",
        )
        self._lap("withdrawals")

    # ------------------------------------------------------------------ the end

    def _conclude(self, dispatch: Dispatch, community: Community, windows: list[WindowRun], day: Day) -> Outcome:
        judgement = judge(community.operator, self.calendar, self.folder)
        money = conservation(judgement, community)
        gas = dispatch.totals()
        physics = features(community, windows, day.deliveries, self.calendar)
        report = day_report(self.source, community, self.calendar, windows, self.stories, judgement, gas, physics)
        self._lap("audit")
        write(report, self.folder.report)
        self._lap("report")
        document = day_document(
            self.source, community, self.calendar, windows, self.stories, judgement, report, money, dispatch,
            day.faults, {name: round(value, 2) for name, value in self.seconds.items()}, self.folder,
        )  # fmt: skip
        write_document(document, self.folder)
        print_summary(self.screen.console, report, dispatch, judgement, money, self.folder)
        good = judgement.good and money.good and not day.faults and report.balance == 0
        return Outcome(document, good)

    # ------------------------------------------------------------------ helpers

    def _clock(self, timestamp: int) -> datetime:
        return datetime.fromtimestamp(timestamp, self.zone)

    def _tell(self, founding: Founding, words: str) -> None:
        self.screen.told(self._clock(founding.ledger.time()), words)

    def _lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._since
        self._since = now
