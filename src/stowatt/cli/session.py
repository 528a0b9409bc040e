"""What every command on a market needs: ledger, market, key and private files; and the options for them."""

import functools
import inspect
import json
import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

import typer
from eth_account.signers.local import LocalAccount
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt.chain.client import Deployment, MarketClient, MarketReader
from stowatt.chain.ledger import Ledger
from stowatt.chain.outbox import Outbox
from stowatt.chain.sender import Sender
from stowatt.cli.keys import ask_password, home, key_store
from stowatt.errors import KeyStoreError, LedgerError
from stowatt.openings import OpeningStore
from stowatt.rights import RightId
from stowatt.typed_data import checksummed


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options that every command on a market has; each field is a parameter of the command."""

    market: Annotated[
        Path, typer.Option("--market", metavar="FILE", envvar="STOWATT_MARKET", help="The market's file.")
    ] = Path("market.json")
    rpc: Annotated[
        str | None, typer.Option("--rpc", metavar="URL", envvar="STOWATT_RPC", help="The chain's JSON-RPC endpoint.")
    ] = None
    ledger: Annotated[
        Path | None,
        typer.Option("--ledger", metavar="DIR", envvar="STOWATT_LEDGER", help="Or an embedded ledger's directory."),
    ] = None
    confirmations: Annotated[
        int,
        typer.Option("--confirmations", min=1, envvar="STOWATT_CONFIRMATIONS", help="Blocks until a result counts."),
    ] = 1
    key: Annotated[
        str | None, typer.Option("--key", metavar="NAME", envvar="STOWATT_KEY", help="The key to use: name or address.")
    ] = None
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="DIR", help="Where the keys are (default: keys in STOWATT_HOME).")
    ] = None
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file",
            metavar="FILE",
            envvar="STOWATT_PASSWORD_FILE",
            help="A file, mode 0600, with the password.",
        ),
    ] = None
    password_env: Annotated[
        str | None, typer.Option("--password-env", metavar="NAME", help="The environment variable with the password.")
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False


@dataclass
class Session:
    """One command's run. Everything is opened when it is first asked for, and closed at the end."""

    options: Options
    _open: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def ledger(self) -> Ledger:
        """The chain."""
        o = self.options
        if (o.rpc is None) == (o.ledger is None):
            named = "no chain is named" if o.rpc is None else "two chains are named"
            raise LedgerError(named, "give --rpc URL or --ledger DIR, not both (or set STOWATT_RPC or STOWATT_LEDGER)")
        if o.rpc is not None:
            from stowatt.chain.rpc import RpcLedger

            return self._open.enter_context(RpcLedger(o.rpc, confirmations=o.confirmations))
        from stowatt.chain.embedded import EmbeddedLedger

        return self._open.enter_context(EmbeddedLedger.open(o.ledger or Path()))

    @cached_property
    def reader(self) -> MarketReader:
        """The market, for looking."""
        deployment = Deployment.read(self.options.market)
        deployment.check(self.ledger)
        return MarketReader(self.ledger, deployment)

    @cached_property
    def account(self) -> LocalAccount:
        """The key, unlocked."""
        o = self.options
        if o.key is None:
            raise KeyStoreError("no key is named", "give --key NAME or set STOWATT_KEY; `keys list` shows them")
        refuse_raw_key(o.key)
        store = key_store(o.keys)
        store.find(o.key)
        return store.unlock(o.key, ask_password(o.password_file, o.password_env))

    @cached_property
    def sender(self) -> Sender:
        """The key, ready to send; what it sends is stored first."""
        outbox = Outbox(home() / "outbox.sqlite")
        self._open.callback(outbox.close)
        return Sender(self.ledger, self.account, outbox)

    @cached_property
    def client(self) -> MarketClient:
        """The market, for acting."""
        return MarketClient(self.ledger, self.reader.deployment, self.sender, self.account)

    @cached_property
    def openings(self) -> OpeningStore:
        """The private file of this user's openings."""
        return self._open.enter_context(OpeningStore(home() / "openings.sqlite"))

    @property
    def own(self) -> str | None:
        """The address of the key, without unlocking it; None if none is named."""
        key = self.options.key
        if key is None:
            return None
        refuse_raw_key(key)
        return key_store(self.options.keys).find(key).address

    def address(self, text: str | None) -> str:
        """The address that a text means: one as it stands, or a key's name; without a text, the key's own."""
        if text is None:
            if self.own is None:
                raise KeyStoreError("no account is named", "give --key NAME, or the account's address")
            return self.own
        spelled = checksummed(text)
        if spelled is not None:
            return spelled
        refuse_raw_key(text)
        if text.startswith("0x"):
            raise KeyStoreError(
                f"{text[:60]!r} is not an address", "give 0x and 40 hexadecimal digits, with a right checksum if mixed"
            )
        return key_store(self.options.keys).find(text).address

    def name(self, address: str) -> str:
        """How people call an account here: `me`, the name of a key on this machine, or the address."""
        names = self._names
        return "me" if names.get(address) == self._own_name else names.get(address, address)

    def right(self, text: str) -> RightId:
        """The right that a text means: as `right_text` writes it, or its number."""
        head, slash, rest = text.partition("/")
        side, slash, who = rest.partition("/")
        named, plus, tail = who.partition("+") if "+" in who else who.partition("/")
        addresses = {name: address for address, name in self._names.items()}
        if slash and named in addresses:
            text = f"{head}/{side}/{addresses[named]}{plus}{tail}"
        return RightId.parse(text, self.own)

    def right_text(self, right: RightId) -> str:
        """A right such as `7/sell`, with the participant unless it is the key's own."""
        text, name = right.text(self.own), self.name(right.participant)
        return text.replace(right.participant, name) if name != "me" else text

    @cached_property
    def _names(self) -> dict[str, str]:
        """The names of this machine's keys, by address."""
        return {key.address: key.name for key in key_store(self.options.keys).list()}

    @property
    def _own_name(self) -> str:
        return self._names.get(self.own or "", "")

    def close(self) -> None:
        """Closes what was opened."""
        self._open.close()

    def show(self, value: Any, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """Prints `value` as JSON with --json, else the rows as a table."""
        if self.options.as_json:
            print(json.dumps(value))
            return
        table = Table(title=title or None)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        Console().print(table)


def refuse_raw_key(text: str) -> None:
    """Refuses what looks like a private key, and does not repeat it."""
    if re.fullmatch(r"(0x)?[0-9a-fA-F]{64}", text):
        raise KeyStoreError(
            "a private key stands on the command line, where other programs can read it",
            "move its funds to a fresh key, and name keys of `keys list`",
        )


def on_market(function: Callable[..., None]) -> Callable[..., None]:
    """Makes a function that takes a session first a command that takes the session's options last."""
    signature = inspect.signature(function, eval_str=True)
    own = list(signature.parameters.values())[1:]
    common = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(Options, eval_str=True).parameters.values()
    ]

    @functools.wraps(function)
    def command(**values: Any) -> None:
        names = {parameter.name for parameter in common}
        session = Session(Options(**{name: value for name, value in values.items() if name in names}))
        try:
            function(session, **{name: value for name, value in values.items() if name not in names})
        finally:
            session.close()

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + common
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def command_group(name: str, text: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(name=name, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=text)
