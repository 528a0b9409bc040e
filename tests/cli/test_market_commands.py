"""Every command on a market, fed bad input: one clear line, a status that is not 0, and nothing changed anywhere."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from stowatt.cli.app import COMMANDS
from tests.chain.backends import ALICE
from tests.cli.conftest import Outcome, Place

ADDRESS = "0x" + "12" * 20
HEADER = "window,participant,side,price,quantity\n"


@pytest.fixture
def market(place: Place, run: Callable[..., Outcome]) -> Place:
    """The market of the module's place, made when it is first needed."""
    if not (place.folder / "market.json").exists():
        for line in (
            "market deploy --open-mode --key seller",
            "vault mint seller 100 --key seller",
            "vault mint buyer 100 --key seller",
            "vault deposit 50 --key seller",
            "vault deposit 50 --key buyer",
            "device register --key seller --serial S1 --usable 5 --export 5",
            "market open 0-2 --key seller",
            "bid commit --key seller --window 0 --side sell --step 0.1:1",
            "market status --key seller",
        ):
            outcome = run(f"{line} --json")
            assert outcome.status == 0, (line, outcome.err)
    return place


BAD = [
    # which market, which chain, which key
    ("market status --market none.json", "the market file none.json cannot be read"),
    ("market status --market password", "is no market file"),
    ("market status --rpc http://127.0.0.1:1", "127.0.0.1:1"),
    ("market status --rpc ftp://x", "not an http(s) one"),
    ("market status --ledger chain", "two chains are named"),
    ("market status --confirmations 0", "Input should be greater than or equal to 1"),
    ("market open 0", "no key is named; give --key NAME"),
    ("market open 0 --key nobody", "there is no key 'nobody'"),
    ("market open 0 --key seller --password-file none", "none cannot be read"),
    ("market open 0 --key seller --password-env NOT_SET", "two places for the password"),
    # market
    ("market deploy --key seller", "market.json exists already"),
    ("market deploy --key seller --market other/m.json", "there is no such folder"),
    ("market deploy --key seller --market m.json --length 15x", "length is '15x'; give a duration such as"),
    ("market deploy --key seller --market m.json --length 0", "length is '0'"),
    ("market deploy --key seller --market m.json --sub-slot 7m", "choose a divisor of length"),
    ("market deploy --key seller --market m.json --reveal-lead 2h", "reveals follow commitments"),
    ("market deploy --key seller --market m.json --tick-size 0.0000001", "finer than the token"),
    ("market deploy --key seller --market m.json --tick-size 0", "tick_size is 0"),
    ("market deploy --key seller --market m.json --ticks 20000", "ticks is 20000"),
    ("market deploy --key seller --market m.json --alpha-seller 1.2", "alpha-seller is '1.2'"),
    ("market deploy --key seller --market m.json --alpha-proven 0.3", "at most alpha_seller, 200000"),
    ("market deploy --key seller --market m.json --alpha-proven 0", "alpha-proven is '0'"),
    ("market deploy --key seller --market m.json --reliability-gain 1.5", "give a share from 0 up to 1"),
    ("market deploy --key seller --market m.json --bond -1", "bond is -1"),
    ("market deploy --key seller --market m.json --bond ten", "'ten' is not a number"),
    ("market deploy --key seller --market m.json --origin tomorrow", "give a time with its zone"),
    ("market deploy --key seller --market m.json --origin 2026-11-22T17:00", "give a time with its zone"),
    (f"market deploy --key seller --market m.json --token {ADDRESS}", "no contract at the token's address"),
    ("market deploy --key seller --market m.json --issuer nobody", "there is no key 'nobody'"),
    ("market deploy --key seller --market m.json --price-rule best", "'best' is not one of"),
    ("market open x --key seller", "'x' is no window; write a number"),
    ("market open 9-4 --key seller", "'9-4' is no range"),
    ("market open -1 --key seller", "No such option"),
    ("market open 4294967296 --key seller", "is no window"),
    ("market open 5000 --key seller", "window 5000 starts more than one ring from now"),
    ("market open 7000000 --key seller", "beyond the calendar"),
    ("market clear 0 --key seller", "window 0 is in phase commit, and clear takes one in phase reveal or clearing"),
    ("market void 0 --key seller", "window 0 is in phase commit, and voidWindow takes one in phase lapsed"),
    ("market wait 0 --until dawn", "'dawn' is not one of"),
    ("market wait 99999999 --until end", "window 99999999 is not on the calendar"),
    ("market status --window y", "'y' is no window"),
    ("market status --account 0x12", "'0x12' is not an address"),
    ("market status --account 0x70997970C51812dc3A010C7d01b50e0d17dc79c8", "with a right checksum"),
    ("market register buyer --key buyer", "is no issuer of this market"),
    ("market register 0x12 --key seller", "is not an address"),
    (["market", "register", "buyer", "--key", "seller", "--did", ""], "did '' has 0 bytes"),
    ("market register buyer --key seller --roles king", "'king' is not one of"),
    ("market register buyer --key seller --expires never", "give a time with its zone"),
    ("market revoke buyer --key seller", "is not registered (§2)"),
    ("market submit none.json --key seller", "none.json cannot be read"),
    ("market submit market.json --key seller", "is no statement"),
    # device
    ("device register --key seller --serial S --usable 0 --export 5", "usable_wh is 0"),
    ("device register --key seller --serial S --usable x --export 5", "'x' is not a number"),
    ("device register --key seller --serial S --usable 5 --export 5.0001", "export is '5.0001'"),
    ("device register --key seller --serial S --usable 5 --export 5 --charge-efficiency 0", "charge-efficiency is '0'"),
    ("device register --key seller --serial S --usable 5 --export 5 --owner buyer", "does not own the device"),
    ("device register --key seller --serial S --usable 5 --export 5 --meter 0x1", "is not an address"),
    ("device meter 99 buyer --key seller", "device 99 is not registered"),
    ("device meter 0 buyer --key seller", "Input should be greater than or equal to 1"),
    ("device revoke 1 --key buyer", "may not change device 1"),
    ("device show buyer", "has no device"),
    ("device show 0", "device 0 is not registered; the market has 1, numbered from 1"),
    ("device show 2", "device 2 is not registered"),
    ("device show 99999999999999999999999999999999", "is not registered"),
    # vault
    ("vault deposit 0 --key buyer", "'0' is not an amount"),
    ("vault deposit 1.0000001 --key buyer", "finer than the token"),
    ("vault deposit abc --key buyer", "'abc' is not a number"),
    ("vault deposit nan --key buyer", "not a finite number"),
    ("vault deposit 1e30 --key buyer", "'1e30' is not an amount"),
    ("vault deposit 1000000 --key buyer", "has 50 CEUR, not 1000000 CEUR"),
    ("vault withdraw 51 --key buyer", "the free balance of"),
    ("vault withdraw 1 --to nobody --key buyer", "there is no key 'nobody'"),
    ("vault withdraw 1 --to 0x0000000000000000000000000000000000000000 --key buyer", "an address is zero"),
    ("vault mint buyer 1 --key buyer", "does not own the token"),
    ("vault balance", "no account is named"),
    # bids
    ("bid commit --key buyer", "the bid is not complete"),
    ("bid commit --key buyer --window 0 --side buy", "the bid is not complete"),
    ("bid commit --key buyer --window 0 --side hold --step 0.1:1", "'hold' is not one of"),
    ("bid commit --key buyer --window 0 --side buy --step 0.1", "step 1, '0.1', has no colon"),
    ("bid commit --key buyer --window 0 --side buy --step 0.1:1 --step x:1", "step 2, 'x:1': 'x' is not a number"),
    ("bid commit --key buyer --window 0 --side buy --step 0.00001:1", "not a whole number of ticks of 0.0001"),
    ("bid commit --key buyer --window 0 --side buy --step 0.5:1", "off the price grid; prices run from 0 to 0.4095"),
    ("bid commit --key buyer --window 0 --side buy --step -0.1:1", "off the price grid"),
    ("bid commit --key buyer --window 0 --side buy --step 0.1:0", "'0' kWh is out of range"),
    ("bid commit --key buyer --window 0 --side buy --step 0.1:-1", "'-1' kWh is out of range"),
    ("bid commit --key buyer --window 0 --side buy --step 0.1:0.0001", "not a whole number of Wh"),
    ("bid commit --key buyer --window 0 --side buy --step 0.1:1000000000", "kWh is out of range"),
    ("bid commit --key buyer --window 0 --side buy --step 0.1:nan", "not a finite number"),
    ("bid commit --key buyer --window 0 --side buy --step 0,1:1", "write the decimal mark as a point"),
    ("bid commit --key buyer --window 0 --side buy" + "".join(f" --step 0.{n}:1" for n in range(100, 117)), "17 segm"),
    ("bid commit --key buyer --window 0 --side sell --step 0.1:1", "has no device to sell from"),
    ("bid commit --key seller --window 1 --side sell --step 0.1:2", "the device's certified limit is 1250 Wh"),
    ("bid commit --key seller --window 1 --side sell --step 0.1:1 --units 9", "9 energy units hold 175 Wh; name 52"),
    ("bid commit --key seller --window 1 --side sell --step 0.1:1 --units 65", "Input should be"),
    ("bid commit --key seller --window 1 --side sell --step 0.1:1 --units 60 --equal-units", "units are given twice"),
    ("bid commit --key buyer --window 1 --side buy --step 0.1:1 --units 6", "only a sale holds energy units"),
    ("bid commit --key buyer --window 1 --side buy --step 0.1:1 --equal-units", "only a sale holds energy units"),
    (
        "bid commit --key buyer --window 50 --side buy --step 0.1:1",
        "window 50 is in phase not open and takes no commitments; open it with `market open 50`",
    ),
    ("bid commit --key buyer --window 0 --bids bids.csv", "either --bids, or --window"),
    ("bid commit --key buyer --bids none.csv", "there is no such file"),
    ("bid commit --key buyer --bids password", "line 1"),
    ("bid withdraw --key buyer", "no window is named"),
    ("bid withdraw --key buyer --window 0", "has no unopened commitment in window 0"),
    ("bid reveal --key buyer --window 0", "has no commitment in window 0"),
    ("bid reveal --key seller --window 0", "window 0 is in phase commit; reveal from"),
    # issue, rights, delivery
    ("claim --key seller --window 0", "window 0 is in phase commit, with nothing to claim"),
    ("pay --key buyer --window 0", "there is no right"),
    ("pay --key buyer --right 0/sell", "is not a buyer's right"),
    ("pay --key buyer --right what", "'what' names no capacity right"),
    ("rights list 0x12", "is not an address"),
    ("rights show 0/sell --key seller", "there is no right"),
    ("rights show 0/sell", "does not say whose right it is"),
    ("rights show 0/hold --key seller", "names no capacity right"),
    (
        "rights show 99999999999999999999999999999999999999999999999999999999999999999999999999999 --key seller",
        "no cap",
    ),
    ("rights transfer 0/sell 0x12 --key seller", "is not an address"),
    ("vault withdraw 1 --to 0x70997970C51812dc3A010C7d01b50e0d17dc79c8 --key buyer", "with a right checksum"),
    ("rights transfer 0/sell buyer --key seller", "there is no right"),
    ("rights split 0/sell x --key seller", "'x' is not a number"),
    ("rights split 0/sell 0.1 --key seller", "there is no right"),
    ("rights draw 0/sell --key seller", "there is no right"),
    ("meter report --key seller", "no readings are given"),
    ("meter report --key seller --reading 0:0", "has 2 parts"),
    ("meter report --key seller --reading 0:x:1", "give whole numbers from 0"),
    ("meter report --key seller --reading 0:0:x", "'x' is not a number"),
    ("meter report --key seller --reading 0:0:-1", "out of range"),
    ("meter report --key seller --reading 0:0:0.1", "window 0, sub-slot 0 is not over"),
    ("meter report --key seller --reading 0:9:0.1", "there is no such sub-slot"),
    ("meter report --key seller --reading 0:0:0.1 --reading 0:0:0.2", "two readings for window 0, sub-slot 0"),
    ("meter report --key seller --device 9 --reading 0:0:0.1", "device 9 is not registered"),
    ("meter report --key buyer --reading 0:0:0.1", "has no device"),
    ("meter report --key seller --readings none.csv", "none.csv cannot be read"),
    ("meter report --key seller --readings password", "column 'window' is missing"),
    ("meter report --key seller --reading 0:0:0.1 --meter-key nobody", "there is no key 'nobody'"),
    ("meter voucher --key seller --device 1 --window 0 --through 3 --energy 1", "Missing option"),
    ("meter voucher --key seller --device 1 --window 0 --through 0 --energy 1 --out v.json", "Input should be"),
    (
        "meter voucher --key seller --device 1 --window 0 --through 70000 --energy 1 --out v.json",
        "voucher's through is",
    ),
    ("meter voucher --key seller --device 1 --window 0-2 --through 3 --energy 1 --out v.json", "is several windows"),
    ("meter voucher --key seller --device 1 --window 0 --through 3 --energy x --out v.json", "'x' is not a number"),
    ("meter voucher --key seller --device 1 --window 0 --through 3 --energy 1 --out market.json", "exists already"),
    ("meter voucher --key seller --device 1 --window 0 --through 3 --energy 1 --out no/v.json", "cannot be written"),
    (
        "meter voucher --key seller --device 1 --window 0 --through 3 --energy 1 --out .",
        "is a folder; name a file in it",
    ),
    ("meter sealed --key seller --device 1 --window 0", "there is nothing to seal or to sign"),
    ("meter sealed --key seller --device 1 --window 0 --energy -1", "out of range"),
    ("meter sealed --key seller --device 1 --window 0 --out s.json", "nothing is sealed in window 0"),
    ("meter redeem none.json --key seller", "none.json cannot be read"),
    ("meter redeem market.json --key seller", "is no voucher"),
    ("settle --key seller --window 0", "window 0 is in phase commit"),
    ("settle --key seller", "Missing option"),
]


@pytest.mark.parametrize(("line", "expected"), BAD, ids=lambda v: v if isinstance(v, str) and len(v) < 80 else "")
def test_bad_input_is_one_clear_error_and_changes_nothing(market: Place, run, line, expected: str) -> None:
    before = market.state()
    outcome = run(line)
    assert outcome.status in (1, 2)
    assert outcome.err.startswith("error: ") and outcome.err.count("\n") == 1, outcome.err
    assert expected in outcome.err
    assert "Traceback" not in outcome.err and not outcome.out
    assert market.state() == before


ROWS = [
    ("0,buyer,buy,0.1\n", "line 2: the row has 4 cells"),
    ("0,buyer,buy,cheap,1\n", "line 2, column price: 'cheap' is not a number"),
    ("0,buyer,buy,0.1,1\n0,buyer,buy,-0.1,1\n", "line 3, column price: '-0.1' is negative"),
    ("0,buyer,buy,0.1,NaN\n", "line 2, column quantity: 'NaN' is not a finite number"),
    ("0,buyer,buy,0.00001,1\n", "line 2, column price: '0.00001' is not a whole number of ticks"),
    ("0,buyer,buy,0.1,1000000000\n", "line 2, column quantity"),
    ("0,buyer,buy,0.9,1\n", "window 0: tick 9000 is above the price grid"),
    ("evening,buyer,buy,0.1,1\n", "window 'evening' is no number"),
    ("0,seller,buy,0.1,1\n", "window 0 has a bid of 'seller'"),
    ("0,buyer,sell,0.1,1\n", "has no device to sell from"),
    ("0,buyer,buy,0.1,1\n50,buyer,buy,0.1,1\n", "window 50 is in phase not open"),
    ("", "has no bids"),
]


@pytest.mark.parametrize(("rows", "expected"), ROWS)
def test_a_bad_row_commits_nothing(market: Place, run, rows: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "bids.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + rows).replace("\n", "\r\n").encode())
    before = market.state()
    outcome = run(["bid", "commit", "--key", "buyer", "--bids", str(path)])
    assert outcome.status == 1 and expected in outcome.err and outcome.err.count("\n") == 1
    after = market.state()
    assert after[:2] == before[:2], "nothing was sent or is waiting to be"


def test_a_file_of_bids_goes_in_one_transaction(market: Place, run, tmp_path: Path) -> None:
    path = tmp_path / "bids.csv"
    path.write_text(HEADER + "1,buyer,buy,0.2,0.5\n1,buyer,buy,0.1,0.5\n2,buyer,buy,0.15,1\n")
    head = market.ledger.head().number
    steps = run(["bid", "commit", "--key", "buyer", "--bids", str(path), "--json"]).json()["steps"]
    assert [(step["window"], step["done"]) for step in steps] == [(1, True), (2, True)]
    assert market.ledger.head().number == head + 1
    assert not any(
        s["done"] for s in run(["bid", "commit", "--key", "buyer", "--bids", str(path), "--json"]).json()["steps"]
    )
    steps = run("bid withdraw --key buyer --window 1-2 --json").json()["steps"]
    assert all(step["done"] for step in steps)


def test_a_seller_sees_record_deposit_and_energy(market: Place, run) -> None:
    value = run("device show seller --json").json()
    assert (value["reliability"], value["next_alpha"]) == ("0", "0.2")
    assert (value["capacity_units"], value["promised_units"], value["free_units"]) == (256, 52, 204)
    assert (value["capacity_wh"], value["promised_wh"], value["free_wh"]) == (5000, 1015, 3984)
    assert run("device show 1 --json").json() == value and value["in_use"]
    listed = run("rights list seller --json").json()
    assert listed["seller"]["free_units"] == 204 and run("rights list buyer --json").json()["seller"] is None
    assert "1.015 kWh promised, 3.984 kWh free" in run("rights list seller").out


def test_more_than_the_battery_has_is_refused_in_kwh(market: Place, run) -> None:
    run("market open 3-4 --key seller")
    line = "bid commit --key seller --window 1-4 --side sell --step 0.1:1 --equal-units"
    before = market.state()
    outcome = run(line)
    assert outcome.status == 1 and "260 would be promised, 5078 Wh, and the device has 256, 5000 Wh" in outcome.err
    assert market.state() == before
    steps = run("bid commit --key seller --window 1-3 --side sell --step 0.1:1 --units 60 --json").json()["steps"]
    assert all("60 of 256 energy units now" in step["detail"] for step in steps)
    assert run("device show seller --json").json()["promised_units"] == 52 + 180
    run("bid withdraw --key seller --window 1-3 --json")


def test_vouchers_are_signed_without_a_chain_and_redeemed_with_one(market: Place, run) -> None:
    offline = {"STOWATT_RPC": "http://127.0.0.1:1"}
    head = market.ledger.head().number
    for through, kwh in ((1, "0.1"), (3, "0.3")):
        line = (
            f"meter voucher --key seller --device 1 --window 0 --through {through} --energy {kwh} --out v{through}.json"
        )
        assert run(f"{line} --json", **offline).json()["energy_wh"] == float(kwh) * 1000
    line = "meter sealed --key seller --device 1 --window 1"
    assert run(f"{line} --energy 0.05 --energy 0 --json", **offline).json()["sealed"] == 2
    assert run(f"{line} --energy 0.2 --out s.json --json", **offline).json() == {
        "file": "s.json", "device": 1, "window": 1, "through": 3, "energy_wh": 250,
    }  # fmt: skip
    assert market.ledger.head().number == head
    online = {"STOWATT_RPC": market.url}
    outcome = run("meter redeem v1.json v3.json --key buyer", **online)
    assert outcome.status == 1 and "the sub-slot is not over" in outcome.err
    run("market wait 0 --until end --move-clock")
    steps = run("meter redeem v1.json v3.json --key buyer --json").json()["steps"]
    assert [(step["what"], step["done"]) for step in steps] == [("superseded", False), ("redeemed", True)]
    run("market wait 1 --until end --move-clock")
    steps = run("meter redeem s.json --key buyer --json").json()["steps"]
    assert [(step["what"], step["done"]) for step in steps] == [("opened", True)]
    steps = run("meter redeem s.json --key buyer --json").json()["steps"]
    assert [step["done"] for step in steps] == [False]


def test_a_wrong_password_opens_nothing(market: Place, run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.touch(0o600)
    wrong.write_text("other\n")
    before = market.state()
    outcome = run(["vault", "deposit", "1", "--key", "buyer", "--password-file", str(wrong)])
    assert outcome.status == 1 and "the password does not open the key buyer" in outcome.err
    wrong.chmod(0o644)
    outcome = run(["vault", "deposit", "1", "--key", "buyer", "--password-file", str(wrong)])
    assert "open to other users" in outcome.err and market.state() == before


def test_a_market_of_another_chain_is_refused(market: Place, run, tmp_path: Path) -> None:
    content = json.loads((market.folder / "market.json").read_text())
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content | {"chain_id": 1}))
    assert "the market is on chain 1, the ledger is chain 31337" in run(f"market status --market {other}").err
    other.write_text(json.dumps(content | {"delivery": content["token"]}))
    assert "is not this market's" in run(f"market status --market {other}").err


def test_a_second_account_cannot_open_a_foreign_right(market: Place, run) -> None:
    outcome = run("market status --account buyer --json")
    assert outcome.status == 0 and "positions" in outcome.json()


def test_no_command_takes_a_raw_key(market: Place, run) -> None:
    secret = ALICE.key.hex()
    for line in (
        f"vault deposit 1 --key 0x{secret}",
        f"vault balance {secret}",
        f"vault withdraw 1 --key buyer --to 0x{secret}",
        f"market status --account 0x{secret}",
        f"keys new x --private-key 0x{secret}",
    ):
        outcome = run(line)
        assert outcome.status in (1, 2) and secret not in outcome.out + outcome.err


def test_every_command_on_a_market_is_listed() -> None:
    assert {"market", "device", "vault", "bid", "claim", "pay", "rights", "meter", "settle"} <= COMMANDS.keys()
