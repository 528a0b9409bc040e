"""The outbox and the JSON-RPC ledger when things go wrong."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.errors import ChainRevert, ConnectionFailed, ReceiptTimeout, TransactionRefused, WrongChain
from stowatt.chain.jsonrpc import RemoteError
from stowatt.chain.node.server import BackgroundNode, Node
from stowatt.chain.outbox import Outbox
from stowatt.chain.rpc import RpcLedger
from stowatt.chain.sender import Sender
from stowatt.errors import KeyStoreError, StowattError
from tests.chain.backends import ALICE, BOB, CHAIN_ID, FUNDS, Contract, call_data


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EmbeddedLedger]:
    with EmbeddedLedger.create(tmp_path / "c", chain_id=CHAIN_ID, balances=FUNDS) as opened:
        yield opened


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / "private" / "outbox.sqlite")
    yield opened
    opened.close()


class Unplugged:
    """A ledger whose answer to a transaction is lost, before or after it took effect."""

    def __init__(self, ledger: EmbeddedLedger, *, arrives: bool) -> None:
        self._ledger, self.arrives, self.broken = ledger, arrives, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def send_raw(self, raw: bytes) -> bytes:
        if self.broken:
            if self.arrives:
                self._ledger.send_raw(raw)
            raise ConnectionFailed("no answer")
        return self._ledger.send_raw(raw)


@pytest.mark.parametrize("arrives", [False, True])
def test_a_lost_answer_costs_nothing(ledger: EmbeddedLedger, outbox: Outbox, arrives: bool) -> None:
    line = Unplugged(ledger, arrives=arrives)
    sender = Sender(line, ALICE, outbox)
    before = ledger.balance(BOB.address)
    with pytest.raises(ConnectionFailed):
        sender.send(BOB.address, value=5, gas=21_000, purpose="pay Bob")
    line.broken = False
    again = Sender(line, ALICE, outbox)  # the program was started anew
    again.transact(BOB.address, value=5, gas=21_000, purpose="pay Bob")
    again.transact(BOB.address, value=5, gas=21_000, purpose="pay Bob")
    assert ledger.balance(BOB.address) == before + 5
    again.transact(BOB.address, value=7, gas=21_000)
    assert ledger.balance(BOB.address) == before + 12


def test_stored_transactions_go_out_before_new_ones(ledger: EmbeddedLedger, outbox: Outbox) -> None:
    line = Unplugged(ledger, arrives=False)
    with pytest.raises(ConnectionFailed):
        Sender(line, ALICE, outbox).send(BOB.address, value=5, gas=21_000)
    line.broken = False
    before = ledger.balance(BOB.address)
    Sender(line, ALICE, outbox).transact(BOB.address, value=1, gas=21_000)
    assert ledger.balance(BOB.address) == before + 6
    assert Sender(line, ALICE, outbox).resume() == []


def test_a_stored_transaction_whose_nonce_is_gone_is_dropped(ledger: EmbeddedLedger, outbox: Outbox) -> None:
    line = Unplugged(ledger, arrives=False)
    with pytest.raises(ConnectionFailed):
        Sender(line, ALICE, outbox).send(BOB.address, value=5, gas=21_000)
    line.broken = False
    Sender(ledger, ALICE).transact(BOB.address, value=1, gas=21_000)  # another program used the nonce
    before = ledger.balance(BOB.address)
    assert Sender(line, ALICE, outbox).resume() == []
    Sender(line, ALICE, outbox).transact(BOB.address, value=2, gas=21_000)
    assert ledger.balance(BOB.address) == before + 2


def test_a_failed_purpose_may_be_tried_again(ledger: EmbeddedLedger, outbox: Outbox) -> None:
    sender = Sender(ledger, ALICE, outbox)
    contract = Contract.deploy(sender)
    with pytest.raises(ChainRevert):
        contract.transact("atLeast(uint256)", 5, gas=100_000, purpose="at least")
    contract.transact("atLeast(uint256)", 500, gas=100_000, purpose="at least")
    assert contract.call("counter()") == 1
    data = call_data("atLeast(uint256)", 500)
    assert sender.transact(contract.address, data, purpose="at least").status == 1
    assert contract.call("counter()") == 1


def test_a_chain_that_was_set_up_anew_is_another_chain(ledger: EmbeddedLedger, outbox: Outbox, tmp_path: Path) -> None:
    Sender(ledger, ALICE, outbox).transact(BOB.address, value=5, gas=21_000, purpose="pay")
    with EmbeddedLedger.create(tmp_path / "d", chain_id=CHAIN_ID, balances=FUNDS, timestamp=5) as other:
        Sender(other, ALICE, outbox).transact(BOB.address, value=5, gas=21_000, purpose="pay")
        assert other.nonce(ALICE.address) == 1


def test_the_outbox_is_private(outbox: Outbox, tmp_path: Path) -> None:
    path = tmp_path / "private" / "outbox.sqlite"
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    assert path.parent.stat().st_mode & 0o077 == 0
    os.chmod(path, 0o644)
    with pytest.raises(KeyStoreError, match="open to other users"):
        Outbox(path)


def test_secrets_stay_out_of_the_repr(ledger: EmbeddedLedger) -> None:
    assert ALICE.key.hex() not in repr(Sender(ledger, ALICE)) + repr(vars(Sender(ledger, ALICE)))


# ---------------------------------------------------------------------- endpoints that misbehave


@contextmanager
def endpoint(answers: dict[str, Any], status: int = 200, body: bytes | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = answers.get(request["method"], {"error": {"code": -32601, "message": "no such method"}})
            data = body if body is not None else json.dumps({"jsonrpc": "2.0", "id": 1, **answer}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/?key=TOPSECRET"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stowatt.chain.jsonrpc._PAUSES", (0.01,))


CHAIN = {"eth_chainId": {"result": hex(CHAIN_ID)}}


def test_another_chain() -> None:
    with (
        endpoint({"eth_chainId": {"result": "0x1"}}) as url,
        pytest.raises(WrongChain, match=f"is chain 1, not {CHAIN_ID}"),
    ):
        RpcLedger(url, chain_id=CHAIN_ID)


@pytest.mark.parametrize(
    ("answers", "status", "body"),
    [
        ({}, 200, b"<html>not a node</html>"),
        ({}, 404, b"not found"),
        ({}, 503, b"busy"),
        ({"eth_chainId": {"result": "five"}}, 200, None),
        ({"eth_chainId": {"result": None}}, 200, None),
        ({}, 200, b"[]"),
    ],
)
def test_endpoints_that_are_no_nodes(answers: dict[str, Any], status: int, body: bytes | None) -> None:
    with endpoint(answers, status, body) as url, pytest.raises(StowattError) as caught:
        RpcLedger(url)
    assert isinstance(caught.value, ConnectionFailed)
    assert "TOPSECRET" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://x", "localhost:8545", "", "http://", "http://127.0.0.1:1/?key=TOPSECRET"])
def test_urls_that_lead_nowhere(url: str) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        RpcLedger(url)
    assert "TOPSECRET" not in str(caught.value)


def test_an_endpoint_that_lies_about_the_hash(ledger: EmbeddedLedger) -> None:
    raw = Sender(ledger, ALICE).sign(BOB.address, gas=21_000)
    answers = {**CHAIN, "eth_sendRawTransaction": {"result": "0x" + "00" * 32}}
    with endpoint(answers) as url, pytest.raises(ConnectionFailed, match="do not trust"):
        RpcLedger(url).send_raw(raw)


def test_a_refusal_names_the_reason(ledger: EmbeddedLedger) -> None:
    raw = Sender(ledger, ALICE).sign(BOB.address, gas=21_000)
    answers = {
        **CHAIN,
        "eth_sendRawTransaction": {"error": {"code": -32000, "message": "txpool is full"}},
        "eth_getTransactionByHash": {"result": None},
    }
    with endpoint(answers) as url, pytest.raises(TransactionRefused, match="txpool is full"):
        RpcLedger(url).send_raw(raw)


@pytest.mark.parametrize(
    ("error", "data"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0x1234"}, b"\x12\x34"),
        ({"code": -32000, "message": "execution reverted"}, b""),
        ({"code": -32000, "message": "VM error", "data": {"data": "0xaabb"}}, b"\xaa\xbb"),
        ({"code": -32005, "message": "rate limit"}, None),
    ],
)
def test_reverts_in_the_dialects_of_nodes(error: dict[str, Any], data: bytes | None) -> None:
    from stowatt.chain.ledger import Call

    with endpoint({**CHAIN, "eth_call": {"error": error}}) as url:
        ledger = RpcLedger(url)
        if data is None:
            with pytest.raises(RemoteError, match="rate limit"):
                ledger.call(Call(BOB.address))
        else:
            with pytest.raises(ChainRevert) as caught:
                ledger.call(Call(BOB.address))
            assert caught.value.data == data


def test_confirmations(ledger: EmbeddedLedger) -> None:
    with BackgroundNode(Node(ledger, port=0)) as node:
        remote = RpcLedger(node.url, confirmations=3, poll=0.01)
        sent = remote.send_raw(Sender(remote, ALICE).sign(BOB.address, gas=21_000))
        with pytest.raises(ReceiptTimeout, match="fewer than 3 confirmations"):
            remote.wait(sent, timeout=0.05)
        ledger.mine()
        ledger.mine()
        assert remote.wait(sent, timeout=60).status == 1


def test_long_ranges_of_logs_are_asked_for_in_pieces(ledger: EmbeddedLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = Contract.deploy(Sender(ledger, ALICE))
    for amount in range(12):
        contract.transact("transfer(address,uint256)", BOB.address, amount)
    monkeypatch.setattr("stowatt.chain.node.methods.MAX_LOGS", 2)
    monkeypatch.setattr("stowatt.chain.rpc._LOG_BLOCKS", 5)
    with BackgroundNode(Node(ledger, port=0)) as node:
        assert RpcLedger(node.url).logs(0) == ledger.logs(0)
