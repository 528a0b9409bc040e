"""A market with admission by credential, its troubles, and its ways out, by commands alone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stowatt.chain.client import Deployment
from tests.chain.backends import ALICE, BOB
from tests.cli.conftest import Outcome, Place

Run = Callable[..., Outcome]


@pytest.fixture
def gated(place: Place, run: Run) -> Place:
    """A market whose issuer is the key `seller`."""
    if not (place.folder / "market.json").exists():
        for line in (
            "market deploy --key seller --token-symbol EUR",
            "vault mint seller 100 --key seller",
            "vault mint buyer 100 --key seller",
            "vault deposit 50 --key seller",
            "vault deposit 50 --key buyer",
            "market open 0-3 --key seller",
        ):
            assert run(f"{line} --json").status == 0
    return place


def steps(run: Run, line: str) -> list[dict]:
    return run(f"{line} --json").json()["steps"]


def test_nobody_bids_without_a_credential(gated: Place, run: Run) -> None:
    outcome = run("bid commit --key buyer --window 0 --side buy --step 0.2:1")
    assert outcome.status == 1 and f"{BOB.address} is not admitted to buy (§2)" in outcome.err


def test_the_issuer_admits_and_repeats_itself_without_harm(gated: Place, run: Run) -> None:
    (step,) = steps(run, "market register buyer --roles buy --key seller")
    assert step["done"] and step["participant"] == BOB.address
    head = gated.ledger.head().number
    (step,) = steps(run, "market register buyer --roles buy --key seller")
    assert not step["done"] and gated.ledger.head().number == head
    assert steps(run, "bid commit --key buyer --window 0 --side buy --step 0.2:1")[0]["done"]
    outcome = run("bid commit --key buyer --window 1 --side sell --step 0.2:1")
    assert outcome.status == 1 and "has no device" in outcome.err


def test_a_signed_statement_travels_as_a_file(gated: Place, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "seller.json"
    assert run(f"market register seller --did did:example:ann --out {path} --key seller").status == 0
    assert "exists already" in run(f"market register seller --out {path} --key seller").err
    written = json.loads(path.read_text())
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(written | {"statement": written["statement"] | {"roles": 1}}))
    assert "no issuer of this market" in run(f"market submit {forged} --key buyer").err
    forged.write_text(json.dumps(written | {"chain_id": 5}))
    assert "is a statement for another market" in run(f"market submit {forged} --key buyer").err
    forged.write_text(json.dumps(written | {"signature": "xyz"}))
    assert "is damaged" in run(f"market submit {forged} --key buyer").err
    assert steps(run, f"market submit {path} --key buyer")[0]["done"], "anybody may submit it"
    assert not steps(run, f"market submit {path} --key buyer")[0]["done"]


def test_an_issuer_certifies_a_device_for_its_owner(gated: Place, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    line = "device register --serial S7 --usable 4 --export 2 --owner seller --meter buyer"
    assert "is no issuer" in run(f"{line} --key buyer").err
    assert run(f"{line} --out {path} --key seller").status == 0
    (step,) = steps(run, f"market submit {path} --key buyer")
    assert step["done"] and step["detail"] == "device 1, at most 500 Wh in a window"
    assert not steps(run, f"market submit {path} --key buyer")[0]["done"]
    assert run("device show seller --json").json()["limit_wh"] == 500
    assert steps(run, "device meter 1 seller --valid-to 2026-11-22T00:00:00Z --key seller")[0]["done"]
    assert steps(run, "bid commit --key seller --window 0 --side sell --step 0.1:0.5")[0]["done"]


def test_a_revoked_participant_keeps_what_it_has_and_starts_nothing(gated: Place, run: Run) -> None:
    assert steps(run, "market revoke buyer --key seller")[0]["done"]
    assert not steps(run, "market revoke buyer --key seller")[0]["done"]
    outcome = run("bid commit --key buyer --window 1 --side buy --step 0.2:1")
    assert "is not admitted to buy" in outcome.err
    assert run("market wait 0 --until reveal --move-clock").status == 0
    assert {s["what"] for s in steps(run, "bid reveal --all --key seller")} == {"revealed"}


def test_a_window_that_nobody_clears_gives_everything_back(gated: Place, run: Run) -> None:
    assert "phase reveal" in run("market void 0 --key buyer").err
    assert run("market wait 0 --until lapsed --move-clock --json").json()["phase"] == "lapsed"
    assert "takes one in phase reveal or clearing" in run("market clear 0 --key buyer").err
    assert steps(run, "market void 0 --key buyer")[0]["done"]
    assert not steps(run, "market void 0 --key buyer")[0]["done"]
    assert {s["what"] for s in steps(run, "claim --all --window 0 --key buyer")} == {"refunded"}
    for name in ("seller", "buyer"):
        assert run(f"vault balance {name} --json").json()["free"] == "50"
    (position,) = run("market status --key buyer --json").json()["positions"]
    assert (position["state"], position["phase"]) == ("refunded", "void")


def test_a_device_taken_from_its_owner_sells_no_more(gated: Place, run: Run) -> None:
    assert steps(run, "device revoke 1 --key seller")[0]["done"]
    assert not steps(run, "device revoke 1 --key seller")[0]["done"]
    value = run("device show 1 --json").json()
    assert (value["owner"], value["limit_wh"], value["in_use"]) == (ALICE.address, 500, False)
    assert "reliability" not in value and "not in use" in run("device show 1").out
    window = run("market status --json").json()["windows"][-1]["window"] + 4
    assert steps(run, f"market open {window} --key seller")[0]["done"]
    assert (
        "has no device to sell from" in run(f"bid commit --key seller --window {window} --side sell --step 0.1:1").err
    )


def test_the_embedded_ledger_is_used_without_a_node(gated: Place, run: Run, tmp_path: Path, monkeypatch) -> None:
    from stowatt.chain.embedded import EmbeddedLedger

    monkeypatch.delenv("STOWATT_RPC")
    EmbeddedLedger.create(tmp_path / "own", chain_id=7, balances={ALICE.address: 10**20}).close()
    market = tmp_path / "own.json"
    common = f"--ledger {tmp_path / 'own'} --market {market} --key seller --json"
    assert run(f"market deploy --open-mode {common}").json()["chain_id"] == 7
    assert Deployment.read(market).block == 1
    assert steps(run, f"market open 0 {common.removesuffix(' --json')}")[0]["done"]
    assert run(f"market wait 0 --until reveal --move-clock {common}").json()["phase"] == "reveal"
    assert "holds no ledger" in run(f"market status --ledger {tmp_path} --market {market}").err
