"""The gateway: samples in, sealed sub-slots on the disk, and from there to the chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stowatt.gateway.accounts import wh_text
from stowatt.gateway.clock import ClockWatch
from stowatt.gateway.errors import QueueError
from stowatt.gateway.normaliser import Normaliser
from stowatt.gateway.queue import SlotQueue
from stowatt.gateway.rules import Rules
from stowatt.gateway.samples import MICROSECONDS
from stowatt.gateway.sources import Source


@dataclass(frozen=True, slots=True)
class Taken:
    """What one step did."""

    samples: int
    sealed: int


class Gateway:
    """One source, one device, one queue. What a step has taken is on the disk when it returns."""

    def __init__(
        self,
        source: Source,
        rules: Rules,
        queue: SlotQueue,
        *,
        patience: int = 30,
        clock: ClockWatch | None = None,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`patience`: how long after its end a sub-slot waits for a silent meter, seconds."""
        self.source, self.rules, self.queue = source, rules, queue
        self._patience = max(patience, rules.max_gap) * MICROSECONDS
        self._clock, self._tell = clock or ClockWatch(), tell
        self._heard = self._clock.now()
        state = queue.setting("state")
        self.normaliser = Normaliser(rules) if state is None else Normaliser.restore(rules, state)
        cursor = queue.setting("cursor")
        if cursor:
            source.resume(cursor)
        elif state is not None and not source.live:
            raise QueueError("the queue belongs to a live meter", "name another --queue for a replay")

    def step(self, wait: float = 1.0) -> Taken:
        """Takes what the source has within `wait` seconds, and stores it."""
        samples = self.source.poll(wait)
        changed = bool(samples)
        if self.source.live and self._clock.jumped():
            self._tell(f"the gateway's clock was set by {self._clock.last_jump:+.1f} s")
            self.normaliser.clock_was_set()
            self._heard = self._clock.now()
            changed = True
        newest = self.normaliser.newest
        records = [record for sample in samples for record in self.normaliser.feed(sample)]
        now = self._clock.now()
        if self.normaliser.newest != newest:
            self._heard = now
        elif self.source.live and now - self._heard >= self._patience:
            records += self.normaliser.close(now - self._patience)
        if changed or records:
            self.queue.commit(records, state=self.normaliser.encode(), cursor=self.source.cursor())
            self.source.acknowledge()
        return Taken(len(samples), len(records))

    def finish(self) -> int:
        """Seals what is open at the end of a replay; gives the number of sub-slots."""
        records = self.normaliser.finish()
        self.queue.commit(records, state=self.normaliser.encode(), cursor=self.source.cursor())
        return len(records)

    def summary(self) -> dict[str, Any]:
        """All accounts."""
        figures = self.normaliser.accounts.summary()
        figures["pending_wh"] = wh_text(self.normaliser.slots.pending)
        figures["balanced"] = self.normaliser.balanced
        figures["queue"] = self.queue.counts()
        return figures
