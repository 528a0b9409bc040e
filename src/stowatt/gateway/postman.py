"""The thread that posts, so that a chain that is away or slow never stops the measurement."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from stowatt.chain.errors import BrokenLedger, ReceiptTimeout, WrongChain
from stowatt.errors import LedgerError, StowattError
from stowatt.gateway.posting import BATCH, Poster, post_due
from stowatt.gateway.queue import SlotQueue

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
"""Seconds between two attempts while the chain is away: doubled from the first to the longest."""


class Postman:
    """Posts what the queue holds, again and again, until it is stopped."""

    def __init__(
        self,
        queue: SlotQueue,
        connect: Callable[[], Poster],
        sub_slot: int,
        *,
        period: float = 5.0,
        skip_zero: bool = False,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`connect` gives the poster, and may fail for as long as the chain is away; `sub_slot` in seconds."""
        self._queue, self._connect, self._sub_slot = queue, connect, sub_slot
        self._period, self._skip_zero, self._tell = period, skip_zero, tell
        self._poster: Poster | None = None
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="postman", daemon=True)
        self.fatal: StowattError | None = None
        """Why posting ended for good."""
        self.away = ""
        """Why the chain does not answer; "" while it does."""
        self.chain_lag: int | None = None
        """The gateway's clock minus the chain's at the last round, seconds."""
        self._problem = ""

    def start(self) -> None:
        """Begins to post."""
        self._thread.start()

    def wake(self) -> None:
        """There is something new."""
        self._wake.set()

    def stop(self, patience: float) -> None:
        """Ends after the running round, if that does not last longer than so many seconds."""
        self._stop.set()
        self._wake.set()
        self._thread.join(patience)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            self._wake.clear()
            try:
                more = self._round()
            except (WrongChain, BrokenLedger) as error:
                self.fatal = error
                return
            except LedgerError as error:
                self._lost(
                    f"not posted: {error}" if isinstance(error, ReceiptTimeout) else f"the chain is away: {error}"
                )
                self._wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            except StowattError as error:
                self.fatal = error
                return
            except Exception as error:  # whatever it is, the measurement goes on, and posting is tried again
                if self._stop.is_set():
                    return
                self._lost(f"not posted: {type(error).__name__}: {error}")
                self._wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            if self.away:
                self._tell("the chain answers again")
            self.away, pause = "", FIRST_PAUSE
            if not more:
                self._wake.wait(self._period)

    def _round(self) -> bool:
        """Posts once; whether there may be more to do at once."""
        if self._poster is None:
            self._poster = self._connect()
        self.chain_lag = int(time.time()) - self._poster.time()
        posted = post_due(self._queue, self._poster, self._sub_slot, skip_zero=self._skip_zero)
        if posted.problem and posted.problem != self._problem:
            self._tell(f"refused: {posted.problem}")
        self._problem = posted.problem
        if posted.expired:
            self._tell(f"{posted.expired} sub-slots came too late for the chain")
        return posted.accepted + posted.expired + posted.superseded >= BATCH

    def _lost(self, text: str) -> None:
        """Posting did not work: told once."""
        if not self.away:
            self._tell(text)
        self.away = text

    def _wait(self, seconds: float) -> None:
        """Waits, but not past the end; what wakes the postman does not shorten a pause for a chain that is away."""
        self._stop.wait(seconds)
