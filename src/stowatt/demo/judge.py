"""The auditor's part: the events as a file, read again and audited, with nothing else at hand."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass

from stowatt.audit import AuditReport, Subject
from stowatt.audit import Verdict as Finding
from stowatt.audit.events import Event
from stowatt.audit.records import read_events, write_events
from stowatt.audit.replay import audit
from stowatt.chain.client import MarketReader
from stowatt.demo.output import OutputFolder
from stowatt.report import Verdict
from stowatt.rights import RightId

_PLACE = len(fields(Event))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the audit says, and how much it looked at."""

    audit: AuditReport
    events: int
    values: Counter[int | None]
    """Values in the events, by window; None: those of no window, such as deposits and credentials."""

    @property
    def good(self) -> bool:
        """Whether every figure is proved and every window over."""
        return self.audit.verdict is Finding.PROVED

    def of_window(self, window: int) -> Verdict:
        """The verdict of one window for the report."""
        wrong = [str(mismatch) for mismatch in self.audit.of_window(window)]
        missing = [text for report in self.audit.windows if report.window == window for text in report.missing]
        return Verdict(self.values[window], (*wrong, *(f"still to come: {text}" for text in missing)))

    def of_day(self) -> Verdict:
        """The verdict of the day for the report."""
        wrong = [str(mismatch) for mismatch in self.audit.mismatches]
        missing = [
            f"window {report.window}: still to come: {text}" for report in self.audit.windows for text in report.missing
        ]
        return Verdict(self.values.total(), (*wrong, *missing))


def judge(reader: MarketReader, folder: OutputFolder) -> Judgement:
    """Writes the events, reads the file again, and audits it."""
    write_events(folder.events, reader.events())
    events = list(read_events(folder.events))
    subject = Subject(reader.deployment.chain_id, reader.deployment.market)
    return Judgement(audit(events, subject), len(events), _count(events))


def _count(events: Iterable[Event]) -> Counter[int | None]:
    values: Counter[int | None] = Counter()
    for event in events:
        values[_window_of(event)] += _values(event) - _PLACE
    return values


def _window_of(event: Event) -> int | None:
    """The window that an event belongs to, by its number or its right's."""
    window = getattr(event, "window", None)
    right = getattr(event, "right_id", getattr(event, "token_id", None))
    if window is None and right is not None:
        window = RightId.decode(right).window
    return window


def _values(record: object) -> int:
    """Values in a record; a struct in it counts each of its own."""
    if not is_dataclass(record):
        return 1
    return sum(_values(getattr(record, field.name)) for field in fields(record))
