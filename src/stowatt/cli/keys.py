"""`stowatt keys`: make and list keys."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from stowatt.errors import KeyStoreError
from stowatt.keys import KeyFile, KeyStore, read_password

keys_app = typer.Typer(
    name="keys", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Make and list keys."
)

Folder = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="Where the keys are (default: keys in STOWATT_HOME).")
]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", metavar="FILE", help="A file, mode 0600, with the password.")
]
PasswordVariable = Annotated[
    str | None, typer.Option("--password-env", metavar="NAME", help="The environment variable with the password.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def home() -> Path:
    """The user's folder for keys, openings and the outbox: STOWATT_HOME, or .stowatt in the home folder."""
    named = os.environ.get("STOWATT_HOME")
    return Path(named) if named else Path.home() / ".stowatt"


def key_store(folder: Path | None) -> KeyStore:
    """The key store that the options mean."""
    return KeyStore(folder if folder is not None else home() / "keys")


def ask_password(file: Path | None, variable: str | None, *, twice: bool = False) -> str:
    """The password from where the options say, else from the terminal."""
    password = read_password(file, variable)
    if password is not None:
        return password
    return str(typer.prompt("password", hide_input=True, confirmation_prompt=twice, err=True))


@keys_app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="What to call the key.")],
    folder: Folder = None,
    password_file: PasswordFile = None,
    password_env: PasswordVariable = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and write its keystore file (version 3, mode 0600)."""
    store = key_store(folder)
    if any(key.name == name for key in store.list()):
        raise KeyStoreError(f"there is a key {name!r} already", "choose another name; nothing is overwritten")
    _print([store.new(name, ask_password(password_file, password_env, twice=True))], as_json)


@keys_app.command("list")
def list_keys(folder: Folder = None, as_json: AsJson = False) -> None:
    """List the keys; no password is needed."""
    store = key_store(folder)
    keys = store.list()
    if not keys and not as_json:
        typer.echo(f"no keys in {store.folder}; make one with: stowatt keys new NAME")
        return
    _print(keys, as_json)


def _print(keys: list[KeyFile], as_json: bool) -> None:
    if as_json:
        rows = [{"name": key.name, "address": key.address, "file": str(key.path)} for key in keys]
        print(json.dumps({"keys": rows}))
        return
    table = Table("name", "address", "file")
    for key in keys:
        table.add_row(key.name, key.address, str(key.path))
    Console().print(table)
