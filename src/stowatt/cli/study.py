"""`stowatt study …`: the studies behind the docs: manipulation, reliability, wear."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt.cli.progress import counting
from stowatt.studies.documents import Document, as_text, check_out, load, renew_page, save
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


@study_app.callback()
def study() -> None:
    """Studies on many seeded markets: what the rules do when somebody plays against them."""


@study_app.command()
def manipulation(
    sizes: Annotated[str, typer.Option(help="Market sizes, participants.")] = "4,8,16,32,64,128,256,512,1000",
    books: Annotated[int, typer.Option(help="Books for each size.")] = 100,
    families: Annotated[str, typer.Option(help="Which books: simbench, random, lots.")] = "simbench,random,lots",
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

    if rule not in shown.RULES:
        raise StudyError(f"{rule!r} is no price rule", "choose among " + ", ".join(shown.RULES))
    if bond is None:
        from stowatt.demo.settings import BOND

        bond = BOND
    settings = model.Settings(_numbers(sizes), books, seed, tuple(dict.fromkeys(_words(families))), bond)
    document = _results("manipulation", stored, out, plot, lambda progress: model.run(settings, progress))
    _deliver(document, out, plot, page, shown.plot, shown.markdown)
    if as_json:
        print(as_text(document), end="")
        return
    for family in document["parameters"]["families"]:
        title = f"{shown.NAMES[family]}, price rule {rule}: gains of one participant who deviates"
        _show(title, shown.HEADS, shown.main_rows(document, family, rule))


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
    document = _results("reliability", stored, out, plot, lambda progress: model.run(settings, progress))
    _deliver(document, out, plot, page, shown.plot, shown.markdown)
    if as_json:
        print(as_text(document), end="")
        return
    money = "cents per kWh sold"
    _show(f"A community of sellers, {money}", shown.HEADS, shown.rows(document, "community"))
    _show(f"Each kind of seller, {money}", shown.KIND_HEADS, shown.kind_rows(document))
    _show("How fast trust comes and goes, windows", shown.TIME_HEADS, shown.time_rows(document))


def _results(
    name: str,
    stored: Path | None,
    out: Path | None,
    plot: Path | None,
    run: Callable[[Callable[[int, int], None]], Document],
) -> Document:
    """Stored results, or new ones; what could not be written is refused before the work."""
    if out is not None:
        check_out(out)
    if plot is not None:
        check_plot(plot)
    if stored is not None:
        return load(stored, name)
    with counting(name) as progress:
        return run(progress)


def _deliver(
    document: Document,
    out: Path | None,
    plot: Path | None,
    page: Path | None,
    draw: Callable[[Document, Path], None],
    markdown: Callable[[Document], str],
) -> None:
    try:
        if out is not None:
            save(out, document)
        if plot is not None:
            draw(document, plot)
        if page is not None:
            renew_page(page, document["study"], markdown(document))
    except (KeyError, TypeError) as error:
        raise StudyError(f"the stored results lack {error}", "run the study again with --out") from None


def _show(title: str, heads: Any, rows: list[list[str]]) -> None:
    table = Table(title=title)
    for place, head in enumerate(heads):
        table.add_column(head, justify="left" if place == 0 else "right")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(word) for word in _words(text)))
    except ValueError:
        raise StudyError(f"{text[:80]!r} is no list of numbers", "write it like 4,8,16") from None
