"""The JSON-RPC node as other programs see it: unmodified web3.py, and plain HTTP with its guards."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from eth_account import Account
from web3 import Web3
from web3.exceptions import ContractCustomError, ContractLogicError, Web3RPCError
from web3.middleware import SignAndSendRawMiddlewareBuilder

from stowatt.chain.embedded import EmbeddedLedger
from stowatt.chain.node import methods
from stowatt.chain.node.server import MAX_BATCH, BackgroundNode, Node
from stowatt.errors import LedgerError
from tests.chain.backends import ALICE, BOB, CHAIN_ID, EXERCISER, FUNDS


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedLedger]:
    with EmbeddedLedger.create(tmp_path_factory.mktemp("node") / "c", chain_id=CHAIN_ID, balances=FUNDS) as opened:
        yield opened


@pytest.fixture(scope="module")
def node(ledger: EmbeddedLedger) -> Iterator[Node]:
    with BackgroundNode(Node(ledger, port=0)) as running:
        yield running


@pytest.fixture(scope="module")
def web3(node: Node) -> Web3:
    w3 = Web3(Web3.HTTPProvider(node.url))
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(ALICE), layer=0)
    w3.eth.default_account = ALICE.address
    return w3


@pytest.fixture(scope="module")
def exerciser(web3: Web3) -> Any:
    factory = web3.eth.contract(abi=EXERCISER["abi"], bytecode=EXERCISER["bytecode"])
    receipt = web3.eth.wait_for_transaction_receipt(factory.constructor().transact())
    return web3.eth.contract(address=receipt["contractAddress"], abi=EXERCISER["abi"])


def ask(node: Node, method: Any, *params: Any, **fields: Any) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)} | fields
    answer: dict[str, Any] = requests.post(node.url, json=body, timeout=60).json()
    return answer


class TestWeb3:
    def test_basics(self, web3: Web3, ledger: EmbeddedLedger) -> None:
        assert web3.is_connected()
        assert web3.eth.chain_id == CHAIN_ID == int(web3.net.version)
        assert web3.client_version.startswith("stowatt/")
        assert web3.eth.syncing is False
        assert web3.eth.accounts == () or list(web3.eth.accounts) == []
        assert web3.eth.gas_price == ledger.fees().max_fee
        assert web3.eth.max_priority_fee == 0
        assert web3.eth.block_number == ledger.head().number
        for tag in ("latest", "earliest", "pending", "safe", "finalized", 0):
            assert web3.eth.get_block(tag)["timestamp"] > 0
        history = web3.eth.fee_history(4, "latest", [10, 50])
        assert len(history["baseFeePerGas"]) == len(history["gasUsedRatio"]) + 1

    def test_contract(self, web3: Web3, exerciser: Any) -> None:
        before = exerciser.functions.counter().call()
        sent = exerciser.functions.increment().transact()
        receipt = web3.eth.wait_for_transaction_receipt(sent)
        assert receipt["status"] == 1
        assert exerciser.functions.counter().call() == before + 1
        transaction = web3.eth.get_transaction(sent)
        assert transaction["from"] == ALICE.address and transaction["blockNumber"] == receipt["blockNumber"]
        block = web3.eth.get_block(receipt["blockNumber"], full_transactions=True)
        assert block["transactions"][0]["hash"] == sent
        assert web3.eth.get_block(block["hash"])["number"] == block["number"]
        assert int.from_bytes(web3.eth.get_storage_at(exerciser.address, 4), "big") == before + 1
        assert web3.eth.get_code(exerciser.address)
        assert web3.eth.get_transaction_count(ALICE.address, "pending") == transaction["nonce"] + 1

    def test_events(self, web3: Web3, exerciser: Any) -> None:
        first = web3.eth.block_number + 1
        for amount in (3, 4):
            web3.eth.wait_for_transaction_receipt(exerciser.functions.transfer(BOB.address, amount).transact())
        events = exerciser.events.Transfer().get_logs(from_block=first, argument_filters={"to": BOB.address})
        assert [event["args"]["amount"] for event in events] == [3, 4]
        block = web3.eth.get_block(first)
        assert len(web3.eth.get_logs({"blockHash": block["hash"]})) == 1

    def test_reverts_are_decoded(self, exerciser: Any) -> None:
        with pytest.raises(ContractCustomError) as caught:
            exerciser.functions.atLeast(5).call()
        assert str(caught.value.data).startswith("0x")
        with pytest.raises(ContractLogicError, match="not 101"):
            exerciser.functions.atLeast(101).estimate_gas()

    def test_old_transaction_types(self, web3: Web3) -> None:
        for extra in ({}, {"type": 1, "accessList": []}):
            fields = {
                "chainId": CHAIN_ID, "nonce": web3.eth.get_transaction_count(BOB.address), "gas": 25_000,
                "gasPrice": web3.eth.gas_price, "to": ALICE.address, "value": 1, "data": b"", **extra,
            }  # fmt: skip
            sent = web3.eth.send_raw_transaction(BOB.sign_transaction(fields).raw_transaction)
            assert web3.eth.wait_for_transaction_receipt(sent)["type"] == extra.get("type", 0)
            assert web3.eth.get_transaction(sent)["type"] == extra.get("type", 0)

    def test_refusals(self, web3: Web3) -> None:
        with pytest.raises(Web3RPCError, match="insufficient funds"):
            fields = {"chainId": CHAIN_ID, "nonce": 0, "gas": 21_000, "gasPrice": 10**9, "to": BOB.address, "value": 1}
            web3.eth.send_raw_transaction(Account.create().sign_transaction(fields).raw_transaction)
        with pytest.raises(Web3RPCError, match="state of block 0 is not kept"):
            web3.eth.get_balance(ALICE.address, 0)


class TestHttp:
    def test_a_foreign_host_name_is_turned_away(self, node: Node) -> None:
        body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        for name in ("evil.example", f"evil.example:{node.port}", "", "127.0.0.1.evil.example"):
            answer = requests.post(node.url, json=body, headers={"Host": name}, timeout=60)
            assert answer.status_code in (400, 403), name
        for name in (f"localhost:{node.port}", "LOCALHOST", "127.0.0.1", f"[::1]:{node.port}"):
            assert requests.post(node.url, json=body, headers={"Host": name}, timeout=60).status_code == 200, name

    def test_what_a_web_page_could_send_unasked_is_refused(self, node: Node) -> None:
        body = '{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}'
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            assert requests.post(node.url, data=body, headers={"Content-Type": kind}, timeout=60).status_code == 415
        preflight = requests.options(node.url, headers={"Origin": "https://evil.example"}, timeout=60)
        assert preflight.status_code == 405
        assert "Access-Control-Allow-Origin" not in preflight.headers

    def test_large_bodies_and_batches(self, node: Node) -> None:
        headers = {"Content-Type": "application/json"}
        assert requests.post(node.url, data="[" + "1," * 600_000, headers=headers, timeout=60).status_code == 413
        batch = [{"jsonrpc": "2.0", "id": i, "method": "eth_chainId", "params": []} for i in range(MAX_BATCH + 1)]
        assert requests.post(node.url, json=batch, timeout=60).json()["error"]["code"] == -32600
        answers = requests.post(node.url, json=batch[:-1], timeout=60).json()
        assert [answer["id"] for answer in answers] == list(range(MAX_BATCH))

    def test_batches_answer_item_by_item(self, node: Node) -> None:
        batch = [
            {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"},
            {"jsonrpc": "2.0", "method": "eth_chainId"},
            {"jsonrpc": "2.0", "id": "x", "method": "nonsense", "params": []},
            5,
        ]
        answers = requests.post(node.url, json=batch, timeout=60).json()
        assert [answer["id"] for answer in answers] == [1, "x", None]
        assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32601, -32600]

    @pytest.mark.parametrize("body", ["", "{", "nonsense", "[" * 100_000, '"\\ud800"'])
    def test_bodies_that_are_not_requests(self, node: Node, body: str) -> None:
        answer = requests.post(node.url, data=body, headers={"Content-Type": "application/json"}, timeout=60).json()
        assert answer["error"]["code"] in (-32700, -32600)

    def test_a_notification_has_no_answer(self, node: Node) -> None:
        body = {"jsonrpc": "2.0", "method": "eth_chainId", "params": []}
        assert requests.post(node.url, json=body, timeout=60).status_code == 204

    @pytest.mark.parametrize(
        ("method", "params"),
        [
            ("eth_getBalance", []),
            ("eth_getBalance", ["0x12"]),
            ("eth_getBalance", [5]),
            ("eth_getBalance", [ALICE.address, "newest"]),
            ("eth_chainId", [1]),
            ("eth_getStorageAt", [ALICE.address, "0x1" + "0" * 64]),
            ("eth_call", ["0x"]),
            ("eth_call", [{"to": "0x1"}]),
            ("eth_call", [{"to": ALICE.address, "data": "0xzz"}]),
            ("eth_call", [{"to": ALICE.address}, "latest", {"x": 1}]),
            ("eth_getLogs", [5]),
            ("eth_getLogs", [{"topics": ["0x12"]}]),
            ("eth_getLogs", [{"topics": [None] * 5}]),
            ("eth_getTransactionReceipt", ["0x12"]),
            ("eth_sendRawTransaction", ["hello"]),
            ("eth_getBlockByNumber", ["0x", False]),
            ("eth_getBlockByNumber", ["-0x1", False]),
        ],
    )
    def test_wrong_parameters(self, node: Node, method: str, params: list[Any]) -> None:
        error = ask(node, method, *params)["error"]
        assert error["code"] == -32602, error
        assert "\n" not in error["message"]

    def test_params_must_be_a_list(self, node: Node) -> None:
        assert ask(node, "eth_chainId", params={"a": 1})["error"]["code"] == -32602

    @pytest.mark.parametrize(
        "method", ["evm_mine", "evm_increaseTime", "eth_sendTransaction", "debug_x", 5, None, ["a"]]
    )
    def test_methods_that_do_not_exist(self, node: Node, method: Any) -> None:
        assert ask(node, method, 1)["error"]["code"] == -32601

    def test_unknown_things_are_null(self, node: Node) -> None:
        nothing = "0x" + "12" * 32
        for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
            assert ask(node, method, nothing)["result"] is None
        assert ask(node, "eth_getBlockByHash", nothing, False)["result"] is None
        assert ask(node, "eth_getBlockByNumber", "0xffffff", False)["result"] is None

    def test_limits_on_logs_and_transactions(self, node: Node, monkeypatch: pytest.MonkeyPatch, exerciser: Any) -> None:
        exerciser.functions.transfer(BOB.address, 1).transact()
        exerciser.functions.transfer(BOB.address, 1).transact()
        assert ask(node, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x100000"})["error"]["code"] == -32005
        monkeypatch.setattr(methods, "MAX_LOGS", 1)
        assert ask(node, "eth_getLogs", {"fromBlock": "0x0"})["error"]["code"] == -32005
        assert "limit" in ask(node, "eth_sendRawTransaction", "0x" + "02" * 140_000)["error"]["message"]

    def test_a_port_in_use(self, node: Node, ledger: EmbeddedLedger) -> None:
        with pytest.raises(LedgerError, match="cannot listen"), BackgroundNode(Node(ledger, port=node.port)):
            pass


def test_the_clock_methods_need_their_option(tmp_path: Path) -> None:
    with (
        EmbeddedLedger.create(tmp_path / "c", chain_id=1, timestamp=1_000, fixed_clock=True) as ledger,
        BackgroundNode(Node(ledger, port=0, dev_clock=True)) as node,
    ):
        assert ask(node, "evm_increaseTime", 50)["result"] == hex(1_050)
        assert ask(node, "evm_mine")["result"] == "0x0"
        assert ask(node, "evm_setNextBlockTimestamp", 2_000)["result"] is None
        assert ask(node, "evm_setNextBlockTimestamp", 1)["error"]["code"] == -32000
        assert ask(node, "evm_mine", "0xbb8")["result"] == "0x0"
        assert ledger.head().timestamp == 3_000
