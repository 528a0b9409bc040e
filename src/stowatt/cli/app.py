"""The command `stowatt`: the list of commands, and one-line errors."""

import os
import sys
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

from stowatt import __version__
from stowatt.errors import StowattError

COMMANDS: Final = {
    "clear": "stowatt.cli.clear:clear",
    "book": "stowatt.cli.book:book_app",
    "keys": "stowatt.cli.keys:keys_app",
    "node": "stowatt.cli.node:node",
    "market": "stowatt.cli.market:market_app",
    "device": "stowatt.cli.admission:device_app",
    "vault": "stowatt.cli.vault:vault_app",
    "bid": "stowatt.cli.bids:bid_app",
    "claim": "stowatt.cli.issue:claim",
    "pay": "stowatt.cli.issue:pay",
    "rights": "stowatt.cli.rights:rights_app",
    "meter": "stowatt.cli.meter:meter_app",
    "settle": "stowatt.cli.issue:settle",
    "dispatch": "stowatt.cli.dispatch:dispatch",
    "demo": "stowatt.cli.demo:demo",
    "audit": "stowatt.cli.audit:audit",
    "wear": "stowatt.cli.wear:wear_app",
    "study": "stowatt.cli.study:study_app",
    "simulate": "stowatt.cli.simulate:simulate",
}
"""Each command and where it is: a function, or a `typer.Typer` with commands of its own. Imported when it is used."""


class LazyGroup(TyperGroup):
    """Imports the module of a command when that command, or the list of all, is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        target = getattr(import_module(module), attribute)
        if not isinstance(target, typer.Typer):
            single = _typer()
            single.command(cmd_name)(target)
            target = single
        command = typer.main.get_command(target)
        command.name = cmd_name
        return command


def _typer(**settings: Any) -> typer.Typer:
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, **settings)


app = _typer(cls=LazyGroup, invoke_without_command=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stowatt {__version__}")
        raise typer.Exit


@app.callback()
def stowatt(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """A sealed-bid market for shared battery storage, settled on any EVM chain."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


UsageError: Final[type[Any]] = typer.BadParameter.__bases__[0]
"""What typer raises for a wrong command line; it does not export the class under a name of its own."""


def main() -> None:
    """Run the command line. An error is one line on stderr: status 2 for a wrong command line, else 1."""
    try:
        status = app(prog_name="stowatt", standalone_mode=False)
        sys.stdout.flush()
    except StowattError as error:
        status = _fail(str(error), 1)
    except UsageError as error:
        status = _fail_usage(error)
    except (typer.Abort, KeyboardInterrupt):
        status = _fail("stopped", 130)
    except BrokenPipeError:
        # The reader of our output, such as `head`, has left. Point stdout elsewhere, or Python's exit complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status if isinstance(status, int) else 0)


def _fail(message: str, status: int) -> int:
    print("error: " + " ".join(message.split()), file=sys.stderr)
    return status


def _fail_usage(error: Any) -> int:
    """One line for a wrong command line; nothing for a group without a command, whose help is already printed."""
    message = error.format_message().rstrip(".")
    return _fail(f"{message}; see {error.ctx.command_path if error.ctx else 'stowatt'} --help", 2) if message else 2
