"""`stowatt book`: look at a book file before it is cleared, or make one."""

import typer

from stowatt.cli.book_plot import plot
from stowatt.cli.book_sample import sample
from stowatt.cli.book_stats import stats
from stowatt.cli.book_validate import validate

book_app = typer.Typer(
    name="book",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Book files: every problem, what is in them, pictures, samples.",
)


@book_app.callback()
def book() -> None:
    """Book files: every problem, what is in them, pictures, samples."""


book_app.command("validate")(validate)
book_app.command("stats")(stats)
book_app.command("plot")(plot)
book_app.command("sample")(sample)
