"""`stowatt study …`: the studies behind the docs: manipulation, reliability, wear."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt.cli.progress import counting
from stowatt.studies.documents import Document, Shown, as_text, check_out, check_page, load, renew_page, save
from stowatt.studies.errors import StudyError
from stowatt.studies.plots import check_plot

study_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")]
Out = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write the results: .json (everything) or .parquet (the cells).")
]
Plot = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the figure to an .svg or .png file.")]
Page = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Renew the tables between the markers of a Markdown page.")
]
From = Annotated[
    Path | None, typer.Option("--from", metavar="FILE", help="Show stored results (.json) instead of a new run.")
]
Seed = Annotated[int, typer.Option(min=0, help="Every random choice follows from it.")]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to do with the results."""

    stored: Path | None
    as_json: bool
    out: Path | None
    plot: Path | None
    page: Path | None


@dataclass(frozen=True, slots=True)
class View:
    """How a study is shown."""

    draw: Callable[[Document, Path], None]
    markdown: Callable[[Document], str]
    tables: Callable[[Document], list[Shown]]


@study_app.callback()
def study() -> None:
    """Studies on many seeded markets: what the rules do when somebody plays against them."""


@study_app.command()
def manipulation(
    sizes: Annotated[str, typer.Option(help="Market sizes, participants.")] = "4,8,16,32,64,128,256,512,1000",
    books: Annotated[int, typer.Option(help="Books for each size.")] = 100,
    families: Annotated[
        str, typer.Option(help="Which books: simbench, flat, random, lots.")
    ] = "simbench,flat,random,lots",
    bond: Annotated[int | None, typer.Option(help="Bond to compare with, base units (default: the demo's).")] = None,
    rule: Annotated[str, typer.Option(help="Price rule of the table: lowest, midpoint, seed.")] = "lowest",
    seed: Seed = 1,
    stored: From = None,
    as_json: Json = False,
    out: Out = None,
    plot: Plot = None,
    page: Page = None,
) -> None:
    """The best gain from misreporting and from withholding an opening, against market size (§7).

    The best response is exact over all curves; every book's greatest gain is confirmed by the clearing engine.
    """
    from stowatt.studies import manipulation as model
    from stowatt.studies import manipulation_page as shown
    from stowatt.studies.manipulation_plot import plot as draw

    if rule not in shown.RULES:
        raise StudyError(f"{rule!r} is no price rule", "choose among " + ", ".join(shown.RULES))
    if bond is None:
        from stowatt.demo.settings import BOND

        bond = BOND
    settings = model.Settings(_numbers(sizes), books, seed, tuple(dict.fromkeys(_words(families))), bond)
    view = View(draw, shown.markdown, lambda document: shown.tables(document, rule))
    _study("manipulation", lambda progress: model.run(settings, progress), view, Wish(stored, as_json, out, plot, page))


@study_app.command()
def reliability(
    sellers: Annotated[int, typer.Option(help="Sellers of each kind.")] = 100,
    windows: Annotated[int, typer.Option(help="Windows of each seller.")] = 200,
    seed: Seed = 1,
    stored: From = None,
    as_json: Json = False,
    out: Out = None,
    plot: Plot = None,
    page: Page = None,
) -> None:
    """What dynamic α does to default losses and to locked capital, against a fixed α (§6)."""
    from stowatt.studies import reliability as model
    from stowatt.studies import reliability_page as shown

    settings = model.Settings(sellers, windows, seed)
    view = View(shown.plot, shown.markdown, shown.tables)
    _study("reliability", lambda progress: model.run(settings, progress), view, Wish(stored, as_json, out, plot, page))


@study_app.command()
def wear(
    cells: Annotated[str, typer.Option(help="Chemistries: lfp, nmc.")] = "lfp,nmc",
    temperatures: Annotated[str, typer.Option(help="Cell temperatures, °C.")] = "10,25,40",
    days: Annotated[int, typer.Option(help="Days of the study, two weeks apart.")] = 12,
    seed: Seed = 1,
    stored: From = None,
    as_json: Json = False,
    out: Out = None,
    plot: Plot = None,
    page: Page = None,
) -> None:
    """The same evenings with flat and with wear-aware asks: welfare, price, trade, capacity in ten years."""
    from stowatt.studies import wear as model
    from stowatt.studies import wear_page as shown

    degrees = tuple(float(number) for number in _numbers(temperatures))
    settings = model.Settings(tuple(dict.fromkeys(_words(cells))), degrees, days, seed)
    view = View(shown.plot, shown.markdown, shown.tables)
    _study("wear", lambda progress: model.run(settings, progress), view, Wish(stored, as_json, out, plot, page))


def _study(name: str, run: Callable[[Callable[[int, int], None]], Document], view: View, wish: Wish) -> None:
    """Stored results or new ones, shown and written; what could not be written is refused before the work."""
    if wish.out is not None:
        check_out(wish.out)
    if wish.plot is not None:
        check_plot(wish.plot)
    if wish.page is not None:
        check_page(wish.page, name)
    if wish.stored is not None:
        document = load(wish.stored, name)
    else:
        with counting(name) as progress:
            document = run(progress)
    try:
        tables, text = view.tables(document), view.markdown(document)
        if wish.plot is not None:
            view.draw(document, wish.plot)
    except (KeyError, TypeError, IndexError, StopIteration, ZeroDivisionError) as error:
        raise StudyError(f"the stored results lack {error}", "run the study again with --out") from None
    if wish.out is not None:
        save(wish.out, document)
    if wish.page is not None:
        renew_page(wish.page, name, text)
    if wish.as_json:
        print(as_text(document), end="")
        return
    for table in tables:
        _show(table)


def _show(shown: Shown) -> None:
    table = Table(title=shown.title)
    for place, head in enumerate(shown.heads):
        table.add_column(head, justify="left" if place == 0 else "right")
    for row in shown.rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(word) for word in _words(text)))
    except ValueError:
        raise StudyError(f"{text[:80]!r} is no list of numbers", "write it like 4,8,16") from None
