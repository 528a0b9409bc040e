"""The typed client: the whole life of a window on every ledger, and every refusal in words."""

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from eth_abi import encode
from eth_utils.crypto import keccak
from web3 import Web3

from stowatt.audit.events import (
    EVENTS,
    BuyerSettled,
    CalendarValues,
    Claimed,
    Cleared,
    Committed,
    Defaulted,
    Drawn,
    Event,
    MarketDeployed,
    Paid,
    ReadingAccepted,
    Refunded,
    ReliabilityChanged,
    Revealed,
    RightTransfer,
    SealedOpened,
    SellerSettled,
    Split,
    VoucherRedeemed,
    abi_name,
)
from stowatt.calendar import Calendar, Phase, Status
from stowatt.chain.abi import CONTRACTS, contract, errors_by_selector
from stowatt.chain.client import (
    Calls,
    Claim,
    Commitment,
    Deployment,
    MarketClient,
    Refusal,
    Settlement,
    created_address,
    deploy,
    refusal,
)
from stowatt.chain.client.refusals import OPENING_REASONS, TEXTS
from stowatt.chain.errors import ChainRevert, WrongChain
from stowatt.chain.events import decode_log, snake_case
from stowatt.chain.sender import Sender
from stowatt.commitments import NO_TERMS, SlotKind, Terms, committed_word, opened_bid_word
from stowatt.curves import Side
from stowatt.errors import LedgerError, OutputError
from stowatt.metering import Reading, SealedSlots, Voucher, sign_reading, sign_sealed, sign_voucher
from stowatt.rights import RightId
from stowatt.units import Wh
from tests.chain.backends import ALICE, BOB, Backend
from tests.chain.evening import METER, UNIT, Evening, calendar

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def evening(backend: Backend) -> Evening:
    return Evening.begin(backend.ledger, backend.clock, ALICE, BOB)


@pytest.fixture(scope="module")
def openings(evening: Evening) -> dict[str, object]:
    """What the first window's tests hand on to each other."""
    return {}


class TestLifeOfAWindow:
    """One after the other on one market; window 0 trades, 1 is voided, 2 sees a default."""

    def test_deployment_describes_itself(self, evening: Evening) -> None:
        market, d = evening.seller, evening.deployment
        (event,) = market.events(MarketDeployed)
        assert isinstance(event, MarketDeployed)
        assert event.calendar == CalendarValues(*market.calendar.encode())
        assert (event.wiring.token, event.wiring.rights, event.address) == (d.token, d.rights, d.market)
        assert market.open_mode and event.open_mode and market.treasury == event.wiring.treasury == ALICE.address
        assert (d.token_symbol, d.token_decimals) == ("CEUR", 6)
        d.check(evening.ledger)

    def test_deposit_takes_a_permit(self, evening: Evening) -> None:
        done = evening.buyer.deposit(UNIT)
        assert evening.buyer.allowance(BOB.address) == 0
        assert [type(event).__name__ for event in done.events] == ["TokenTransfer", "Deposited"]
        evening.buyer.execute(evening.buyer.calls.withdraw(BOB.address, UNIT))
        assert evening.buyer.token_balance(BOB.address) == 500 * UNIT

    def test_deposit_approves_where_the_token_takes_no_permit(
        self, evening: Evening, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(self: MarketClient) -> None:
            raise Refusal("", {}, "the token has no such function", "")

        monkeypatch.setattr(MarketClient, "permit_domain", missing)
        before = evening.buyer.balance(BOB.address)
        evening.buyer.deposit(UNIT)
        assert evening.buyer.balance(BOB.address) == before + UNIT and evening.buyer.allowance(BOB.address) == 0
        evening.buyer.execute(evening.buyer.calls.withdraw(BOB.address, UNIT))

    def test_commit(self, evening: Evening, openings: dict[str, object]) -> None:
        seller, buyer = evening.seller, evening.buyer
        assert seller.phase(0) is Phase.NOT_OPEN
        seller.execute(seller.calls.open_windows(0, 3))
        assert (seller.phase(0), seller.state(0).status) == (Phase.COMMIT, Status.OPEN)
        sale = evening.commit(seller, 0, Side.SELL, (1200, 500), (1800, 500))
        openings["sale"] = sale
        openings["purchase"] = evening.commit(buyer, 0, Side.BUY, (2500, 800))
        assert (seller.state(0).sellers, seller.state(0).buyers) == (1, 1)
        slot = seller.slot(0, seller.address)
        assert slot is not None and (slot.kind, slot.side) == (SlotKind.COMMITTED, Side.SELL)
        known = seller.admission(seller.address)
        point = sale.context.commit(sale.curve.encode(), sale.blinder)
        word = committed_word(96, 0, point, sale.terms, known.fingerprint)
        assert word == seller.slot_word(0, seller.address), "the contract's slot word is the library's"
        assert sale.terms == Terms(evening.device, 1250, 200_000, 52) == seller.terms(0, seller.address)
        assert buyer.terms(0, buyer.address) == NO_TERMS
        assert (slot.units, known.capacity, known.promised, known.free) == (52, 256, 52, 204)
        assert (known.energy(known.capacity), known.reliability) == (5000, 0)
        assert seller.message(sale) == sale.context.message(sale.curve.encode())
        assert [type(e) for e in seller.events(Committed, window=0, participant=buyer.address)] == [Committed]

    def test_reveal_and_clear(self, evening: Evening, openings: dict[str, object]) -> None:
        seller = evening.seller
        evening.go_to(0, "commit")
        done = seller.execute(seller.calls.reveal_many([openings["sale"], openings["purchase"]]))  # type: ignore[list-item]
        revealed = {event.participant: event for event in done.of(Revealed)}
        assert revealed.keys() == {seller.address, evening.buyer.address}
        word = opened_bid_word(96, 0, revealed[seller.address].bid, seller.terms(0, seller.address))
        assert word == seller.slot_word(0, seller.address)
        outcome = seller.execute(seller.calls.clear(0)).only(Cleared).outcome
        assert (outcome.tick, outcome.volume) == (1800, 800)
        result = seller.result(0)
        assert (result.tick, result.volume, result.residual, result.total) == (1800, 800, 300, 500)
        assert result.rationed is Side.SELL
        openings["bids"] = {who: event.bid for who, event in revealed.items()}

    def test_claim_splits_and_transfers(self, evening: Evening, openings: dict[str, object]) -> None:
        seller, buyer = evening.seller, evening.buyer
        bids: dict[str, bytes] = openings["bids"]  # type: ignore[assignment]
        claims = [Claim(0, c.address, seller.terms(0, c.address), bids[c.address]) for c in (seller, buyer)]
        done = seller.execute(seller.calls.claim_many(claims))
        assert [event.quantity for event in done.of(Claimed)] == [800, 800]
        sale, purchase = (RightId(c.address, 0, s).encode() for c, s in ((seller, Side.SELL), (buyer, Side.BUY)))
        right = seller.right(sale)
        assert (right.quantity, right.whole, right.device, right.paid) == (800, 800, evening.device, True)
        assert (right.alpha, right.units, seller.admission(seller.address).promised) == (200_000, 41, 41)
        assert seller.holder(purchase) == buyer.address
        assert seller.money(0).paid == 800
        split = buyer.execute(buyer.calls.split(purchase, 300)).only(Split)
        assert split.new_right_id == RightId(buyer.address, 0, Side.BUY, 300).encode()
        buyer.execute(buyer.calls.transfer(buyer.address, seller.address, split.new_right_id))
        assert [e.to for e in seller.transfers(from_=buyer.address) if isinstance(e, RightTransfer)] == [seller.address]
        assert seller.token_uri(sale).startswith("data:application/json;base64,")

    def test_delivery_and_settlement(self, evening: Evening) -> None:
        seller, buyer, device = evening.seller, evening.buyer, evening.device
        evening.go_to(0, "end")
        domain = seller.readings_domain
        energies = (300, 300, 100)
        signed = [
            sign_reading(domain, Reading(device, 0, slot, Wh(energy), slot + 1), METER)
            for slot, energy in enumerate(energies)
        ]
        seller.execute(seller.calls.submit(signed[0]))
        done = seller.execute(seller.calls.submit_many([*signed[1:], signed[0]]))
        assert len(list(done.of(ReadingAccepted))) == 2, "the replayed one is skipped"
        assert (seller.delivered(0, device), seller.meter_progress(device).counter) == (700, 3)
        assert seller.through(0, device) == 3
        sale = RightId(seller.address, 0, Side.SELL)
        assert seller.fulfilment(sale.encode()) == 700 * 10**6 * 10**6 // (950_000 * 800)
        earned = seller.entitlement(sale.encode())
        assert seller.execute(seller.calls.draw(sale.encode())).only(Drawn).amount == earned
        evening.go_to(0, "reading")
        parts = [RightId(buyer.address, 0, Side.BUY, start).encode() for start in (0, 300)]
        done = seller.execute(seller.calls.settle_many([sale.encode(), *parts]))
        assert len(list(done.of(SellerSettled))) == 1 and len(list(done.of(BuyerSettled))) == 2
        fulfilled, weight = done.only(SellerSettled).fulfilment, 100_000 * 800 // 1250
        record = done.only(ReliabilityChanged)
        assert (record.device, record.reliability) == (device, fulfilled * weight // 10**6)
        known = seller.admission(seller.address)
        assert (known.reliability, known.promised) == (record.reliability, 0)
        assert seller.next_terms(seller.address).alpha == 200_000 - 100_000 * record.reliability // 10**6
        record = seller.settlement(sale.settled().encode())
        assert (record.quantity, record.amount) == (800, earned) and isinstance(record, Settlement)
        assert evening.money_is_conserved([seller.address, buyer.address], [0])

    def test_vouchers_and_sealed_sums_count_as_readings_do(self, evening: Evening) -> None:
        seller, device, domain = evening.seller, evening.device, evening.seller.readings_domain
        evening.go_to(1, "end")
        first, later = (sign_voucher(domain, Voucher(device, 1, n, Wh(100 * n)), METER) for n in (1, 3))
        seller.execute(seller.calls.redeem(first))
        done = seller.execute(seller.calls.redeem_many([first, later, first]))
        assert [(e.through, e.energy) for e in done.of(VoucherRedeemed)] == [(3, 300)], "the highest wins"
        assert (seller.delivered(1, device), seller.through(1, device)) == (300, 3)
        for spoilt, words in (
            (first, "as many sub-slots with as much energy were counted already"),
            (sign_voucher(domain, Voucher(device, 1, 2, Wh(10**6)), METER), "more energy than"),
            (sign_voucher(domain, Voucher(device, 1, 3, Wh(1)), ALICE), "no valid key"),
        ):
            with pytest.raises(Refusal, match=f"the voucher of device {device} for window 1, . sub-slots, .*{words}"):
                seller.execute(seller.calls.redeem(spoilt))
        evening.go_to(2, "end")
        slots, kept = SealedSlots(device, 2), []
        for energy in (1, 22, 333):
            slots.seal(Wh(energy), kept.append)
        signed = sign_sealed(domain, slots.voucher(3), METER)
        wrong = replace(signed, sealed=replace(signed.sealed, energy=Wh(357)))
        with pytest.raises(Refusal, match="the opened sum is not what the sealed sub-slots commit to"):
            seller.execute(seller.calls.open_sealed(wrong))
        event = seller.execute(seller.calls.open_sealed(signed)).only(SealedOpened)
        assert (event.energy, event.points, seller.delivered(2, device)) == (356, slots.points(3), 356)

    def test_no_battery_is_sold_beyond_its_energy(self, evening: Evening) -> None:
        seller = evening.seller
        first = (evening.ledger.time() - seller.calendar.origin) // 900 + 40
        seller.execute(seller.calls.open_windows(first, 5))
        for window in range(first, first + 4):
            seller.execute(seller.calls.commit(Commitment(window, 64, 1)))
        for units, words in (
            (1, r"would promise 257 energy units of its battery's 256 \(§2\)"),
            (65, "65 energy units do not exist"),
        ):
            with pytest.raises(Refusal, match=words):
                seller.execute(seller.calls.commit(Commitment(first + 4, units, 1)))
        for window in range(first, first + 4):
            seller.execute(seller.calls.withdraw_commitment(window))
        assert seller.admission(seller.address).promised == 0

    def test_a_void_window_gives_everything_back(self, evening: Evening) -> None:
        seller, ledger = evening.seller, evening.ledger
        window = (ledger.time() - seller.calendar.origin) // 900 + 8
        seller.execute(seller.calls.open_windows(window))
        before = seller.balance(seller.address)
        evening.commit(seller, window, Side.SELL, (1, 1))
        assert seller.balance(seller.address) == before - seller.calendar.bond
        evening.go_to(window, "void")
        seller.execute(seller.calls.void(window))
        done = seller.execute(seller.calls.refund(window, seller.address))
        assert done.only(Refunded).amount == seller.calendar.bond
        assert (seller.balance(seller.address), seller.phase(window)) == (before, Phase.VOID)

    def test_a_late_payment_and_a_default(self, evening: Evening) -> None:
        seller, buyer = evening.seller, evening.buyer
        window = (evening.ledger.time() - seller.calendar.origin) // 900 + 8
        seller.execute(seller.calls.open_windows(window, 2))
        openings = [
            evening.commit(client, at, side, (4000, 1000))
            for at in (window, window + 1)
            for client, side in ((seller, Side.SELL), (buyer, Side.BUY))
        ]
        evening.go_to(window + 1, "commit")
        assert seller.phase(window) is Phase.REVEAL
        done = seller.execute(seller.calls.reveal_many(openings))
        claims = [
            Claim(e.window, e.participant, NO_TERMS, e.bid) for e in done.of(Revealed) if e.participant == buyer.address
        ]
        buyer.execute(buyer.calls.withdraw(buyer.address, buyer.balance(buyer.address)))
        for at in (window, window + 1):
            seller.execute(seller.calls.clear(at))
        seller.execute(seller.calls.claim_many(claims))
        late, never = (RightId(buyer.address, at, Side.BUY).encode() for at in (window, window + 1))
        assert not seller.right(late).paid
        paid = seller.execute(seller.calls.pay(late)).only(Paid)
        assert (paid.payer, paid.payment, seller.right(late).paid) == (seller.address, 400_000, True)
        evening.go_to(window + 1, "payment")
        done = seller.execute(seller.calls.declare_default(never))
        assert done.only(Defaulted).deposit == 80_000
        with pytest.raises(Refusal, match="there is no right"):
            seller.right(never)

    def test_events_are_decoded_as_web3_decodes_them(self, evening: Evening) -> None:
        ledger, d = evening.ledger, evening.deployment
        web3 = Web3()
        places = {"registry": "Registry", "market": "Market", "delivery": "Delivery", "rights": "CapacityRights"}
        checked = set()
        for place, name in (places | {"token": "CommunityToken"}).items():
            there = web3.eth.contract(abi=contract(name).abi)
            for log in ledger.logs(d.block, None, [getattr(d, place)]):
                event = decode_log(log, 7)
                known = {there.events[abi_name(kind)]().topic: kind for kind in EVENTS[place]}
                kind = known.get("0x" + log.topics[0].hex())
                assert (kind is None) == (event is None)
                if kind is None or event is None:
                    continue
                raw = {
                    "address": log.address, "topics": list(log.topics), "data": log.data, "blockNumber": 1,
                    "blockHash": log.block_hash, "transactionHash": log.transaction_hash, "transactionIndex": 0,
                    "logIndex": log.log_index, "removed": False,
                }  # fmt: skip
                args = there.events[abi_name(kind)]().process_log(raw)["args"]
                assert type(event) is kind and (event.block, event.index) == (log.block_number, log.log_index)
                for name_there, value in args.items():
                    assert plain(getattr(event, snake_case(name_there))) == plain(value), (kind, name_there)
                checked.add(kind)
        assert len(checked) >= 20, sorted(kind.__name__ for kind in checked)


def plain(value: object) -> object:
    """Nested records and web3's attribute dictionaries as tuples."""
    if isinstance(value, Event):
        raise TypeError
    if hasattr(value, "__dataclass_fields__"):
        return tuple(getattr(value, field.name) for field in fields(value))  # type: ignore[arg-type]
    if hasattr(value, "values") and not isinstance(value, bytes):
        return tuple(value.values())
    return bytes(value) if isinstance(value, bytes) else value


class TestRefusals:
    """Nothing is sent: the call is tried first."""

    def test_each_names_the_rule_the_values_and_the_way_out(self, evening: Evening) -> None:
        client, calls = evening.seller, evening.seller.calls
        head = evening.ledger.head().number
        far = 10**6
        for call, expected in (
            (calls.open_windows(far), f"window {far} starts more than one ring from now (§5); open it when"),
            (
                calls.clear(far),
                f"window {far} is in phase not open, and clear takes one in phase reveal or clearing (§5)",
            ),
            (calls.withdraw(client.address, 10**14), "CEUR are needed (§6); deposit more"),
            (calls.pay(RightId(client.address, far, Side.BUY).encode()), "is in phase not open, and pay takes one"),
            (calls.revoke(BOB.address), f"{BOB.address} is not registered (§2); register it first"),
            (calls.split(5, 1), "there is no right 0x5 (§6)"),
            (calls.set_meter_key(99, BOB.address, 0, 1), "device 99 is not registered"),
        ):
            with pytest.raises(Refusal) as caught:
                client.execute(call)
            assert expected in str(caught.value) and "\n" not in str(caught.value)
        assert evening.ledger.head().number == head

    def test_another_account_may_not(self, evening: Evening) -> None:
        for call, expected in (
            (evening.buyer.calls.mint(BOB.address, 1), f"{BOB.address} does not own the token"),
            (
                evening.buyer.calls.revoke_device(evening.device),
                f"{BOB.address} may not change device {evening.device}",
            ),
            (evening.buyer.calls.revoke(ALICE.address), f"{BOB.address} lacks the role for this"),
        ):
            with pytest.raises(Refusal, match=re.escape(expected)):
                evening.buyer.execute(call)

    def test_an_argument_that_does_not_fit_is_refused_before_the_chain(self, evening: Evening) -> None:
        for make in (
            lambda: evening.seller.calls.deposit(-1),
            lambda: evening.seller.calls.deposit(2**256),
            lambda: evening.seller.calls.clear("7"),  # type: ignore[arg-type]
            lambda: evening.seller.calls.transfer("nobody", BOB.address, 1),
        ):
            with pytest.raises(LedgerError, match="it takes"):
                make()


class TestErrorTexts:
    DECLARED = re.findall(r"error (\w+)\(([^)]*)\);", (ROOT / "contracts/src/lib/Errors.sol").read_text())

    def test_every_declared_error_has_a_text(self) -> None:
        assert len(self.DECLARED) > 40
        assert {name for name, _ in self.DECLARED} <= TEXTS.keys()

    def test_every_text_belongs_to_an_error(self) -> None:
        known = {signature.name for signature in errors_by_selector().values()}
        assert TEXTS.keys() - known <= {"BadSplit", "LaneFull"} | {name for name, _ in self.DECLARED}

    @pytest.mark.parametrize("signature", errors_by_selector().values(), ids=lambda s: s.name)
    def test_every_error_becomes_one_line(self, signature) -> None:
        samples = {"address": ALICE.address, "bytes4": b"\1\2\3\4", "bytes32": bytes(32), "string": "x", "uint8": 1}
        values = [samples.get(kind, 3) for kind in signature.types]
        data = signature.topic[:4] + encode(signature.types, values)
        error = refusal(ChainRevert(data), (Phase.COMMIT,), call="commit")
        assert error.error == signature.name
        assert error.values.keys() == set(signature.names)
        text = str(error)
        assert text and "\n" not in text and "{" not in text

    def test_every_reason_of_an_opening_is_in_words(self) -> None:
        (refused,) = (s for s in errors_by_selector().values() if s.name == "OpeningRefused")
        reasons = {
            "WrongPhase": "(uint256,uint8)",
            "NoCommitment": "(uint256,address)",
            "BadCurve": "()",
            "BeyondDevice": "()",
            "BadBlinder": "()",
            "OpeningMismatch": "()",
            "InsufficientBalance": "(address,uint256,uint256)",
        }
        assert reasons.keys() == OPENING_REASONS.keys()
        for name, arguments in reasons.items():
            selector = keccak(f"{name}{arguments}".encode())[:4]
            error = refusal(ChainRevert(refused.topic[:4] + encode(refused.types, (7, BOB.address, selector))))
            words, way_out = OPENING_REASONS[name]
            assert words in error.what and "window 7" in error.what and error.way_out == way_out

    def test_reverts_without_a_custom_error_are_said_plainly(self) -> None:
        assert "no data" in str(refusal(ChainRevert(b""), call="clear"))
        assert "0xdeadbeef" in str(refusal(ChainRevert(bytes.fromhex("deadbeef"))))


class TestCalls:
    INTERNAL = frozenset(
        {"sync", "payStream", "settleSeller", "settleBuyer", "recordDrawn", "markPaid", "burn"}
        | {"renounceRole", "renounceOwnership"}
    )
    """By other contracts only, or of no use to a market."""
    ELSEWHERE = frozenset({"permit", "transferFrom", "transfer", "safeTransferFrom", "transferOwnership"})
    """Of the standards: wallets have them."""

    def test_every_function_that_changes_something_has_a_call(self) -> None:
        market = Deployment(1, 1, *[created_address(ALICE.address, n) for n in range(6)], "X", 6, "0x")
        calls = Calls(market)
        sent = set()
        for name in vars(Calls):
            if not name.startswith("_") and name != "deployment":
                sent |= set(re.findall(r'"(\w+)"', inspect.getsource(getattr(calls, name))))
        for name in CONTRACTS:
            for entry in contract(name).abi:
                if entry["type"] == "function" and entry["stateMutability"] == "nonpayable":
                    function = entry["name"]
                    if function in self.INTERNAL | self.ELSEWHERE:
                        continue
                    assert function in sent, f"{name}.{function}"


class TestDeployment:
    @pytest.fixture
    def path(self, evening: Evening, tmp_path: Path) -> Iterator[Path]:
        path = tmp_path / "market.json"
        evening.deployment.save(path)
        yield path

    def test_comes_back_from_its_file(self, evening: Evening, path: Path) -> None:
        assert Deployment.load(path, evening.ledger) == evening.deployment
        with pytest.raises(OutputError, match="exists already"):
            evening.deployment.save(path)

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"chain_id": 5}, "the market is on chain 5"),
            ({"market": "0x" + "11" * 20}, "the contract code"),
            ({"code": "0x00"}, "the contract code"),
            ({"market": "0x12"}, "market is '0x12'"),
            ({"block": "1"}, "block is '1'"),
            ({"block": True}, "block is True"),
            ({"format": "other"}, "is no market file"),
            ({"extra": 1}, "unknown field 'extra'"),
        ],
    )
    def test_a_file_that_was_changed_is_refused(self, evening, path: Path, change, named: str) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        with pytest.raises(LedgerError, match=named):
            Deployment.load(path, evening.ledger)

    @pytest.mark.parametrize("text", ["", "{", "[]", "null", "\0"])
    def test_what_is_no_market_file_is_refused(self, evening, path: Path, text: str) -> None:
        path.write_text(text)
        with pytest.raises(LedgerError, match="is no market file"):
            Deployment.load(path, evening.ledger)
        with pytest.raises(LedgerError, match="cannot be read"):
            Deployment.load(path.parent / "none.json", evening.ledger)

    def test_another_markets_code_is_refused(self, evening: Evening) -> None:
        with pytest.raises(WrongChain):
            replace(evening.deployment, registry=evening.deployment.token).check(evening.ledger)

    def test_a_calendar_that_the_contract_refuses_says_so(self, evening: Evening) -> None:
        sender = Sender(evening.ledger, ALICE)
        bad = calendar(evening.ledger)
        object.__setattr__(bad, "ring", 0)
        with pytest.raises(ChainRevert) as caught:
            deploy(sender, bad, token=evening.deployment.token)
        assert "the calendar's ring is out of range" in str(refusal(caught.value))
        with pytest.raises(LedgerError, match="no contract at the token"):
            deploy(sender, calendar(evening.ledger), token=BOB.address)


def test_the_records_of_calendars_agree() -> None:
    assert [f.name for f in fields(CalendarValues)] == [f.name for f in fields(Calendar)]
