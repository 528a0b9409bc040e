"""`stowatt wear`: what using a battery costs it, and the asks that follow (28)-(29)."""

import typer

from stowatt.cli.wear_curve import curve
from stowatt.cli.wear_fit import fit

wear_app = typer.Typer(
    name="wear",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="What using a battery costs it: marginal wear, ask curves, calibration.",
)


@wear_app.callback()
def wear() -> None:
    """What using a battery costs it: marginal wear, ask curves, calibration."""


wear_app.command("fit")(fit)
wear_app.command("curve")(curve)
