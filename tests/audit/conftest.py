from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from stowatt.audit import AuditReport, Subject
from stowatt.audit.events import Event
from stowatt.audit.replay import audit
from stowatt.chain.client import Deployment
from tests.audit.day import CHAIN_ID, Day, play


@dataclass(frozen=True)
class Log:
    """The day's events, as an auditor has them."""

    events: list[Event]
    deployment: Deployment
    subject: Subject
    clean: AuditReport

    def audit(self, events: list[Event]) -> AuditReport:
        """The report on other events of the same market."""
        return audit(events, self.subject)


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """The day that was."""
    played = play(tmp_path_factory.mktemp("day") / "ledger")
    yield played
    played.ledger.close()


@pytest.fixture(scope="session")
def log(day: Day) -> Log:
    """Its log. The auditor knows nothing but chain and market."""
    events, subject = day.events(), Subject(CHAIN_ID, day.deployment.market)
    return Log(events, day.deployment, subject, audit(events, subject))
