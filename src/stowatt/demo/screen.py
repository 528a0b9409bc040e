"""What one sees while the day runs: a line for each thing that happened, and a bar with the ledger's clock below.

Not on a terminal the same lines come plainly, without bar and colours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from stowatt.curves import Side
from stowatt.data.homes import WINDOW
from stowatt.demo.evidence import metered_by_device
from stowatt.demo.settings import CURRENCY, WINDOW_S
from stowatt.demo.source import Source
from stowatt.demo.stories import Story
from stowatt.demo.window import WindowRun
from stowatt.report import text

HEADINGS: Final = ("window", f"λ {CURRENCY.name}/kWh", "kWh", "opened", "paid", "delivered", "gas", "engine")
WIDTHS: Final = (7, 11, 9, 10, 8, 12, 9, 9)
INDENT: Final = 8


class Screen:
    """The demo's output for people."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            TextColumn("[bold]{task.fields[clock]}[/]"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    @contextmanager
    def live(self, steps: int) -> Iterator[None]:
        """The bar at the bottom, while the block runs."""
        with self._progress:
            self._task = self._progress.add_task("", total=steps, clock="     ")
            yield

    def step(self, clock: datetime, words: str) -> None:
        """Something begins, at that time of the ledger."""
        if self._task is not None:
            self._progress.update(self._task, advance=1, description=escape(words), clock=f"{clock:%H:%M}")
            self._progress.refresh()

    def title(self, source: Source) -> None:
        """Who trades, and when."""
        evening = source.evening
        first, last, count = evening.windows[0].start, evening.windows[-1].start + WINDOW, len(evening.windows)
        day = f"{source.day:%A} {source.day.day} {source.day:%B %Y}, {first:%H:%M}\u2013{last:%H:%M}"
        sellers, buyers = len(evening.sellers), len(evening.buyers)
        self._print(Text.assemble(("Stowatt", "bold"), f"  {source.community}, {day}"))
        self._print(
            Text(
                f"{sellers} {'batteries sell' if sellers > 1 else 'battery sells'}, "
                f"{buyers} {'homes buy' if buyers > 1 else 'home buys'}, "
                f"{count} window{'s' * (count > 1)} of {WINDOW_S // 60} minutes"
            )
        )
        self._print(Text(f"Profiles: {source.credit}", style="dim"))
        self.console.print()

    def told(self, clock: datetime, words: str) -> None:
        """A line about what was done."""
        self._row(Text(f"{clock:%H:%M}", style="dim"), Text(words))

    def table_head(self) -> None:
        """The headings of the windows' lines."""
        self.console.print()
        self._cells(HEADINGS, "bold")

    def window(self, window: WindowRun, owed: int, gas: int, agrees: bool) -> None:
        """A window's line, when it is settled."""
        paid = sum(window.fills(Side.BUY).values())
        metered = metered_by_device(window.events).total()
        price = "no trade" if window.price is None else text.price(window.price, CURRENCY)
        cells = (
            f"{window.start:%H:%M}",
            price,
            text.kwh(window.volume),
            f"{len(window.sides) - window.unopened}/{len(window.sides)}",
            text.share(paid, window.volume),
            text.share(min(metered, owed), owed),
            f"{gas / 1e6:.1f} M",
            "agrees" if agrees else "DIFFERS",
        )
        self._cells(cells, "" if agrees else "red")

    def trouble(self, story: Story) -> None:
        """A trouble, below its window's line."""
        self._row(
            Text("    !", style="yellow"),
            Text.assemble((story.trouble.kind.value, "bold yellow"), ": ", story.sentence),
        )

    def _print(self, words: Text) -> None:
        self.console.print(words, soft_wrap=not self.console.is_terminal)

    def _cells(self, cells: tuple[str, ...], style: str) -> None:
        first, *others = (cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))
        line = cells[0].ljust(len(first)) + "".join(others)
        self.console.print(Text(line, style=style), soft_wrap=True)

    def _row(self, left: Text, right: Text) -> None:
        """Text with a hanging indent; not on a terminal one line, however long."""
        room = max(20, self.console.width - INDENT) if self.console.is_terminal else 10**6
        for place, line in enumerate(right.wrap(self.console, room)):
            line.rstrip()
            head = left if not place else Text()
            head.pad_right(INDENT - head.cell_len)
            self.console.print(head + line, soft_wrap=True)
