"""`stowatt meter run`: the gateway between a meter and the chain."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from eth_account.signers.local import LocalAccount
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt.calendar import Calendar, deadlines
from stowatt.chain.client import Deployment
from stowatt.chain.errors import ConnectionFailed
from stowatt.cli.keys import ask_password, home, key_store
from stowatt.cli.session import Session, on_market
from stowatt.errors import LedgerError, MeterError
from stowatt.gateway import Gateway, Postman, ReadingPoster, Rules, SlotQueue, Source
from stowatt.gateway.address import Address, parse_address
from stowatt.gateway.errors import QueueError
from stowatt.gateway.sources.sunspec import Measure
from stowatt.keys import read_password
from stowatt.metering import CounterFile
from stowatt.private_files import private_folder


class Evidence(StrEnum):
    """What the energy is posted as."""

    READINGS = "readings"


class Pace(StrEnum):
    """How fast a file is replayed."""

    NONE = "none"
    CHAIN = "chain"


_LAST_ROUND = 15.0
"""Seconds that the posting gets to finish when the gateway is stopped."""


@on_market
def run(
    session: Session,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="modbus://HOST:PORT/UNIT (SunSpec), mqtt://HOST:PORT/TOPIC, mqtts://…, or a CSV or Parquet file.",
        ),
    ],
    device: Annotated[int | None, typer.Option(min=1, help="The device's number (default: the key's own).")] = None,
    meter_key: Annotated[str | None, typer.Option(metavar="NAME", help="The meter's key (default: the key).")] = None,
    meter_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The password of the meter's key (default: as of the key).")
    ] = None,
    post_as: Annotated[Evidence, typer.Option("--as", help="What the energy is posted as.")] = Evidence.READINGS,
    poll: Annotated[float, typer.Option(min=0.1, max=3600, help="Modbus: seconds between two polls.")] = 5.0,
    measure: Annotated[
        Measure, typer.Option(help="Modbus: read the energy counter, the power, or the counter if there is one.")
    ] = Measure.AUTO,
    mqtt_user: Annotated[str | None, typer.Option(metavar="NAME", help="MQTT: the user's name.")] = None,
    mqtt_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="MQTT: a file, mode 0600, with the user's password.")
    ] = None,
    mqtt_ca_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="MQTT: certificates to trust (PEM; default: the system's).")
    ] = None,
    mqtt_session: Annotated[
        str | None, typer.Option(metavar="ID", help="MQTT: the client id of the lasting session.")
    ] = None,
    counter_bits: Annotated[
        int | None, typer.Option(min=8, max=64, help="MQTT: the counter starts from 0 again after 2^BITS Wh.")
    ] = None,
    home_name: Annotated[
        str | None, typer.Option("--home", metavar="NAME", help="Replay: the home in the file.")
    ] = None,
    interval: Annotated[
        int | None,
        typer.Option(min=0, max=86_400, help="Replay: seconds that a power is the mean of; 0: of the instant."),
    ] = None,
    first_window: Annotated[
        int | None, typer.Option(min=0, help="Replay: shift the file so that it begins with this window.")
    ] = None,
    pace: Annotated[Pace, typer.Option(help="Replay: at once, or as the chain's clock passes.")] = Pace.NONE,
    charge_positive: Annotated[
        bool, typer.Option("--charge-positive", help="The meter counts charging as positive power.")
    ] = False,
    max_gap: Annotated[
        int | None, typer.Option(min=1, help="Seconds that a power holds at most (default 60, at most a sub-slot).")
    ] = None,
    tolerance: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="ppm above the certified power that the meter's error may be.")
    ] = 10_000,
    patience: Annotated[
        int | None, typer.Option(min=1, help="Seconds that an ended sub-slot waits for a silent meter (default 30).")
    ] = None,
    skip_zero: Annotated[bool, typer.Option("--skip-zero", help="Post no readings of 0 Wh.")] = False,
    queue_file: Annotated[
        Path | None, typer.Option("--queue", metavar="FILE", help="The queue (default: one for each device, at home).")
    ] = None,
    post_every: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds between two looks for what can be posted.")
    ] = 5.0,
    summary: Annotated[bool, typer.Option("--summary", help="Show all accounts at the end.")] = False,
) -> None:
    """Read a meter, count Wh for each sub-slot, sign the readings and post them, until stopped.

    Positive power is discharge. Every sample ends in one account: used, or refused for a stated cause. What is measured
    is on the disk before it is signed, and signed readings before they are sent: start the command again after a crash.
    """
    address = parse_address(source)
    password = None if mqtt_password_file is None else read_password(mqtt_password_file, None)
    meter = _meter(session, meter_key, meter_password_file)
    with ExitStack() as stack:
        work = _prepare(session, device, meter, queue_file, stack)
        wishes = {"tolerance": tolerance} | ({} if max_gap is None else {"max_gap": max_gap})
        rules = Rules.of(work.calendar, work.export_w, **wishes)
        grace = work.calendar.reading_grace
        if patience is not None and patience >= grace:
            raise MeterError(f"a patience of {patience} s", f"readings close {grace} s after a window: choose less")
        if not work.online:
            _line("the chain is away; measuring with what the queue knows of the market")

        def opened(address: Address) -> Source:
            if address.kind == "modbus":
                from stowatt.gateway.sources.sunspec import SunSpecSource

                return SunSpecSource(
                    address.host,
                    address.port,
                    address.unit,
                    period=poll,
                    measure=measure,
                    charge_positive=charge_positive,
                )
            if address.kind == "file":
                from stowatt.gateway.sources.replay import Replay

                start = None if first_window is None else deadlines(work.calendar, first_window).start
                now = _ChainClock(session, stack) if pace is Pace.CHAIN else None
                return Replay(
                    address.file,
                    home=home_name,
                    interval=interval,
                    start=start,
                    charge_positive=charge_positive,
                    now=now,
                )
            from fractions import Fraction

            from stowatt.gateway.sources.mqtt import MqttSource

            return MqttSource(
                address.host,
                address.port,
                address.path,
                client_id=mqtt_session or f"stowatt-{work.name}"[:60],
                user=mqtt_user,
                password=password,
                tls=address.kind == "mqtts",
                ca_file=mqtt_ca_file,
                wraps_at=None if counter_bits is None else Fraction(2**counter_bits),
                charge_positive=charge_positive,
            )

        reader = opened(address)
        stack.callback(reader.close)
        with _Screen() as screen:
            gateway = Gateway(reader, rules, work.queue, patience=patience or min(30, grace // 2), tell=screen.tell)
            postman = Postman(
                work.queue,
                work.poster,
                work.calendar.sub_slot,
                period=post_every,
                skip_zero=skip_zero,
                tell=screen.tell,
            )
            try:
                _work(gateway, postman, screen)
            finally:
                postman.stop(_LAST_ROUND)
        _report(session, gateway, summary)
        if postman.fatal is not None:
            raise postman.fatal


# ---------------------------------------------------------------------- keys, market, queue


def _meter(session: Session, name: str | None, password_file: Path | None) -> LocalAccount:
    """The meter's key; passwords come from files, the environment or the terminal, never from the command line."""
    if name is None:
        return session.account
    o = session.options
    sender = session.account
    password = ask_password(password_file or o.password_file, None if password_file else o.password_env)
    return sender if o.key == name else key_store(o.keys).unlock(name, password)


@dataclass
class _Work:
    """What a run needs to know before it can measure."""

    name: str
    queue: SlotQueue
    calendar: Calendar
    export_w: int
    poster: Callable[[], ReadingPoster]
    online: bool


def _prepare(
    session: Session, device: int | None, meter: LocalAccount, queue_file: Path | None, stack: ExitStack
) -> _Work:
    """Opens the queue. A queue that knows the market lets the measurement start while the chain is away."""
    deployment = Deployment.read(session.options.market)
    number = device or 0
    away: ConnectionFailed | None = None
    try:
        client = session.client
        number = device or client.participant(client.address).device
    except ConnectionFailed as error:
        if device is None:
            raise ConnectionFailed(error.what, "give --device to measure while the chain is away") from None
        away = error
    if not number:
        raise MeterError(f"{session.account.address} has no device", "give --device, or register one")
    name = f"{deployment.chain_id}-{deployment.delivery.lower()}-{number}"
    folder = home() / "meters"
    private_folder(folder)
    counter = CounterFile(folder / f"{name}.counter")

    def poster() -> ReadingPoster:
        made = ReadingPoster(session.client, number, meter, counter)
        made.check()
        return made

    if away is None:
        poster()  # refuses before anything is written
    place = queue_file or folder / f"{name}.queue"
    if away is not None and not place.exists():
        raise away  # nothing knows the market, and no empty queue is left behind
    queue = stack.enter_context(SlotQueue(place, name))
    if away is None:
        calendar, export_w = session.client.calendar, session.client.device(number).export_w
        queue.set(market=json.dumps([*calendar.encode(), export_w]))
    else:
        known = queue.setting("market")
        if known is None:
            raise away
        try:
            *values, export_w = json.loads(known)
            calendar = Calendar(*values)
        except (TypeError, ValueError):
            raise QueueError(f"{queue.path} does not know the market", "start once while the chain answers") from None
    return _Work(name, queue, calendar, export_w, poster, away is None)


class _ChainClock:
    """The chain's time for a paced replay, asked for a few times a second at most; while it is away it stands still."""

    def __init__(self, session: Session, stack: ExitStack) -> None:
        # a connection is for one thread; an embedded ledger is for all, and can be open only once
        self._session = session if session.options.ledger is not None else Session(session.options)
        stack.callback(self._session.close)
        self._known, self._asked = 0, 0.0

    def __call__(self) -> int:
        if time.monotonic() - self._asked >= 0.2:
            self._asked = time.monotonic()
            with suppress(LedgerError):
                self._known = self._session.ledger.time()
        return self._known


# ---------------------------------------------------------------------- the run


def _work(gateway: Gateway, postman: Postman, screen: "_Screen") -> None:
    """Measures until the source ends or a signal comes; then posts what is left."""
    with _signals() as stopped:
        postman.start()
        up = True
        while not stopped() and postman.fatal is None:
            if gateway.source.ended:
                gateway.finish()
                break
            if gateway.step().sealed:
                postman.wake()
            now_up = gateway.source.state.startswith("connected")
            if gateway.source.live and now_up != up:
                screen.tell(f"meter: {gateway.source.state}")
                up = now_up
            screen.show(lambda: _status(gateway, postman))
        postman.wake()
        while gateway.source.ended and not stopped() and postman.fatal is None and gateway.queue.waiting:
            screen.show(lambda: _status(gateway, postman))
            time.sleep(0.1)


def _status(gateway: Gateway, postman: Postman) -> str:
    """The line that a person watches."""
    a, counts = gateway.normaliser.accounts, gateway.queue.counts()
    refused = a.received - a.samples["used"]
    chain = "away" if postman.away else "not reached yet" if postman.chain_lag is None else "ok"
    apart = postman.chain_lag if gateway.source.live else None
    lag = f", its clock and this one differ by {abs(apart)} s" if apart is not None and abs(apart) > 60 else ""
    waiting = counts.get("sealed", 0) + counts.get("signed", 0)
    return (
        f"{gateway.source.state} · {a.samples['used']} samples used, {refused} refused · {a.recorded} Wh recorded · "
        f"{counts.get('accepted', 0)} on the chain, {waiting} waiting · chain {chain}{lag}"
    )


def _report(session: Session, gateway: Gateway, full: bool) -> None:
    """The accounts at the end."""
    figures = gateway.summary()
    if session.options.as_json:
        print(json.dumps(figures))
        return
    if full:
        table = Table("account", "", title="Samples and energy")
        for name, value in _lines(figures):
            table.add_row(name, Text(value))
        Console().print(table)
        return
    counts = figures["queue"]
    typer.echo(
        f"{figures['recorded_wh']} Wh in {sum(counts.values())} sub-slots; {counts.get('accepted', 0)} on the chain, "
        f"{counts.get('sealed', 0) + counts.get('signed', 0)} waiting; {figures['received']} samples"
    )


def _lines(figures: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The figures, one in a line."""
    for name, value in figures.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{above}{name}: ")
        else:
            text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
            yield above + name.replace("_", " "), text


@contextmanager
def _signals() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM or SIGINT came; a second one ends the program at once."""
    seen: list[int] = []

    def note(number: int, frame: object) -> None:
        seen.append(number)
        if len(seen) > 1:
            raise KeyboardInterrupt

    old = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


class _Screen:
    """stderr: a live line for people, and what happened, one line each."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._live = self._console.status("starting") if self._console.is_terminal else None

    def __enter__(self) -> "_Screen":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, line: Callable[[], str]) -> None:
        """Renews the live line."""
        if self._live is not None:
            self._live.update(Text(line()))

    def tell(self, text: str) -> None:
        """Something happened."""
        self._console.print(Text(f"{datetime.now(UTC):%H:%M:%S} {' '.join(text.split())}"), soft_wrap=True)


def _line(text: str) -> None:
    """One line on stderr."""
    typer.echo(text, err=True)
