"""The vectors of §5 and §6 are what their generators write, and their JSON alone is enough to redo every figure."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak
from py_ecc.optimized_bn128 import add, multiply
from py_ecc.optimized_bn128.optimized_curve import FQ, normalize

from stowatt import settlement
from stowatt.calendar import Calendar
from stowatt.commitments import verify
from stowatt.curves import Curve, Side
from stowatt.settlement.ledger import WindowBooks
from stowatt.settlement.records import RightId
from stowatt.settlement.vault import Vault

VECTORS = Path(__file__).parents[1] / "vectors"
N = 21888242871839275222246405745257275088548364400416034343698204186575808495617


def load(path: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / path).read_text(encoding="utf-8"))["cases"]


def names(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("part", ["commitments", "settlement"])
def test_the_committed_files_are_what_the_generator_writes(part):
    spec = importlib.util.spec_from_file_location(part, VECTORS / f"generate_{part}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = module.files()
    assert {path.name for path in written} == {path.name for path in (VECTORS / part).iterdir()}
    for path, text in written.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: run generate_{part}.py"


class TestCommitments:
    """Redone with an independent curve and the bytes of the JSON alone."""

    def independent(self, m: int, r: int) -> tuple[int, int]:
        h = load("commitments/generator.json")[0]
        g_point = (FQ(1), FQ(2), FQ(1))
        h_point = (FQ(int(h["x"], 16)), FQ(int(h["y"], 16)), FQ(1))
        x, y = normalize(add(multiply(g_point, m), multiply(h_point, r)))
        return int(x), int(y)

    @pytest.mark.parametrize("case", load("commitments/points.json"), ids=names)
    def test_points(self, case):
        x, y = self.independent(int(case["m"], 16), int(case["r"], 16))
        assert (x, y) == (int(case["x"], 16), int(case["y"], 16))
        assert x | (y & 1) << 255 == int(case["commitment"], 16)

    @pytest.mark.parametrize("case", load("commitments/bids.json"), ids=names)
    def test_bids(self, case):
        data = {key: bytes.fromhex(case[key][2:]) for key in ("curve", "preimage", "fingerprint")}
        side = Side[case["side"].upper()]
        assert data["curve"] == b"".join(t.to_bytes(2) + w.to_bytes(4) for t, w in case["segments"])
        words = [int(case["chain_id"]), int(case["market"], 16), case["window"], int(case["participant"], 16), side]
        context = b"".join(word.to_bytes(32) for word in [*words, case["device"]]) + data["fingerprint"]
        assert data["preimage"] == keccak(b"Stowatt/bid/1") + context + data["curve"]
        m = int.from_bytes(keccak(data["preimage"])) % N
        assert m == int(case["m"], 16)
        x, y = self.independent(m, int(case["r"], 16))
        assert x | (y & 1) << 255 == int(case["commitment"], 16)
        window = case["window"].to_bytes(32)
        terms = case["units"] << 88 | case["alpha"] << 64 | case["limit_wh"] << 32 | (0 if side else case["device"])
        assert terms == int(case["terms"], 16)
        committed = bytes.fromhex(case["commitment"][2:]) + terms.to_bytes(32) + data["fingerprint"]
        opened = window + terms.to_bytes(32) + keccak(data["curve"] + b"".join(o.to_bytes(6) for o in case["offsets"]))
        tag = case["window"] // case["ring"] << 240
        kept = 1 << 237 if side else case["units"] - 1 << 231
        for name, kind, low in [
            ("committed_slot", 1, int.from_bytes(keccak(window + committed))),
            ("opened_slot", 2, int.from_bytes(keccak(opened))),
        ]:
            assert int(case[name], 16) == tag | kind << 238 | kept | low % 2**231
        assert int(case["resolved_slot"], 16) == tag | 3 << 238 | 1

    @pytest.mark.parametrize("case", load("commitments/refused_openings.json"), ids=names)
    def test_t4_refused_openings(self, case):
        assert not verify(*(int(case[key], 16) for key in ("commitment", "m", "r")))

    @pytest.mark.parametrize("case", load("commitments/seeds.json"), ids=names)
    def test_seeds(self, case):
        hashes = [int.from_bytes(keccak(bytes.fromhex(blinder[2:]))) for blinder in case["blinders"]]
        accumulator = (sum(hashes) % 2**256).to_bytes(32)
        assert accumulator.hex() == case["accumulator"][2:]
        assert keccak(case["window"].to_bytes(32) + accumulator).hex() == case["seed"][2:]


def test_settlement_rules():
    for case in load("settlement/rules.json"):
        inputs = {name: int(value) for name, value in case["inputs"].items()}
        assert getattr(settlement, case["rule"])(**inputs) == int(case["output"]), case["name"]


def replay(case: dict[str, Any]) -> WindowBooks:
    """Takes the steps of a case from its JSON alone and compares each result."""
    books = WindowBooks(Vault(), Calendar(**case["calendar"]), case["window"], "treasury")
    books.open()
    for entry in case["steps"]:
        step = dict(entry)
        name, now, expected = step.pop("step"), step.pop("now"), step.pop("result", None)
        inputs: dict[str, Any] = {}
        for key, value in step.items():
            if key == "key":
                account, start = value.split("/")
                inputs[key] = RightId(account, int(start))
            elif key == "curve":
                inputs[key] = Curve.of(books.bids[step["account"]].side, map(tuple, value))
            elif key in ("account", "payer", "to") or value is None:
                inputs[key] = value
            else:
                inputs[key] = int(value)
        if name in ("deposit", "withdraw", "sync"):
            result = getattr(books.vault, name)(**inputs)
        elif name == "commit":
            alphas = books.calendar.alpha_seller, books.calendar.alpha_proven
            terms = books.vault.terms(inputs["account"], inputs["units"], *alphas)
            result = books.commit(inputs["account"], terms, now)
        else:
            timed = {} if name in ("split", "transfer", "reading", "raise_to") else {"now": now}
            result = getattr(books, name)(**inputs, **timed)
        assert as_text(result) == expected, (case["name"], entry)
        assert books.vault.imbalance() == 0
    return books


def as_text(result: Any) -> Any:
    if isinstance(result, RightId):
        return f"{result.participant}/{result.start}"
    if isinstance(result, tuple):
        return {key: value if isinstance(value, bool) else str(value) for key, value in result._asdict().items()}
    return None if result is None else str(result)


@pytest.mark.parametrize("case", load("settlement/windows.json"), ids=names)
def test_settlement_windows(case):
    books = replay(case)
    assert books.held() == 0
    assert {account: str(amount) for account, amount in books.vault.free.items()} == case["balances"]
    batteries = {account: [b.reliability, b.promised] for account, b in books.vault.batteries.items() if b.device}
    assert batteries == case["batteries"]
