"""`stowatt node`: serve a ledger directory as an Ethereum JSON-RPC endpoint."""

import asyncio
import contextlib
import json
import signal
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stowatt.cli.keys import key_store
from stowatt.errors import LedgerError

if TYPE_CHECKING:
    from stowatt.chain.node.server import Node

_WEI = Decimal(10**18)


def node(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The ledger's directory; made if it is new.")],
    chain_id: Annotated[
        int | None, typer.Option(help="Chain id of a new ledger (default 31337); checked if it exists.")
    ] = None,
    fund: Annotated[
        list[str] | None,
        typer.Option(metavar="ACCOUNT[=ETHER]", help="Give an address or a key of a new ledger ether (default 1000)."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")] = 8545,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Another host name that clients may use.")
    ] = None,
    dev_clock: Annotated[
        bool, typer.Option("--dev-clock", help="Let clients move the clock (evm_increaseTime and others).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a chain of one node for any wallet or web3 client; what it acknowledges is on the disk.

    It serves this machine only unless --host says otherwise; whoever can reach it may send transactions.
    """
    from stowatt.chain.embedded import EmbeddedLedger
    from stowatt.chain.embedded.ledger import DATABASE
    from stowatt.chain.node.server import Node

    if (directory / DATABASE).is_file():
        ledger = EmbeddedLedger.open(directory)
    else:
        balances = dict(_funding(text) for text in fund or [])
        ledger = EmbeddedLedger.create(directory, chain_id=chain_id or 31337, balances=balances)
    with ledger:
        if chain_id is not None and ledger.chain_id != chain_id:
            raise LedgerError(f"{directory} is chain {ledger.chain_id}, not {chain_id}", "name another directory")
        server = Node(ledger, host=host, port=port, dev_clock=dev_clock, allowed_hosts=allow_host or ())
        asyncio.run(_serve(server, ledger.chain_id, ledger.head().number, as_json))


async def _serve(server: "Node", chain_id: int, head: int, as_json: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, stopped.set)
    await server.start()
    if as_json:
        typer.echo(json.dumps({"url": server.url, "chain_id": chain_id, "head": head}))
    else:
        typer.echo(f"chain {chain_id} at {server.url}, head {head}; stop with Ctrl-C")
    try:
        await stopped.wait()
    finally:
        await server.stop()


def _funding(text: str) -> tuple[str, int]:
    address, _, ether = text.partition("=")
    try:
        wei = Decimal(ether or "1000") * _WEI
    except InvalidOperation:
        wei = Decimal(-1)
    if not (wei.is_finite() and wei >= 0 and wei == wei.to_integral_value()):
        raise LedgerError(f"{ether!r} is not an amount of ether", "give --fund ACCOUNT=ETHER, such as 0x…=1000")
    return address if address.startswith("0x") else key_store(None).find(address).address, int(wei)
