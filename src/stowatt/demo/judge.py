"""The auditor's part: the events as a file, read again and audited; besides, only the agreed terms are known."""

from dataclasses import dataclass

from stowatt.audit import AuditReport, Subject
from stowatt.audit import Verdict as Finding
from stowatt.audit.records import read_events, write_events
from stowatt.audit.replay import audit
from stowatt.calendar import Calendar
from stowatt.chain.client import MarketReader
from stowatt.demo.output import OutputFolder
from stowatt.report import Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the audit says."""

    audit: AuditReport

    @property
    def good(self) -> bool:
        """Whether every figure is proved and every window over."""
        return self.audit.verdict is Finding.PROVED

    def of_window(self, window: int) -> Verdict:
        """The verdict of one window for the report."""
        wrong = [str(mismatch) for mismatch in self.audit.of_window(window)]
        found = [report for report in self.audit.windows if report.window == window]
        missing = [f"still to come: {text}" for report in found for text in report.missing]
        return Verdict(sum(report.checks for report in found), (*wrong, *missing))

    def of_day(self) -> Verdict:
        """The verdict of the day for the report."""
        wrong = [str(mismatch) for mismatch in self.audit.mismatches]
        missing = [
            f"window {report.window}: still to come: {text}" for report in self.audit.windows for text in report.missing
        ]
        return Verdict(self.audit.totals.checks, (*wrong, *missing))


def judge(reader: MarketReader, calendar: Calendar, folder: OutputFolder) -> Judgement:
    """Writes the events, reads the file again, and audits it."""
    write_events(folder.events, reader.events())
    d = reader.deployment
    subject = Subject(d.chain_id, d.market, calendar, d.token, d.registry, d.rights, d.delivery)
    return Judgement(audit(read_events(folder.events), subject))
