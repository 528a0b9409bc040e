"""§6: the windows of tests/vectors/settlement/windows.json through the real contracts, in step with the books."""

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from stowatt.calendar import Calendar
from stowatt.clearing import Book, PriceRule, Rationing, Rules, clear_readable
from stowatt.commitments import accumulate, final_seed
from stowatt.curves import Curve, Side
from stowatt.metering import Reading, Voucher
from stowatt.settlement.records import RightId
from stowatt.units import Wh
from tests.chain.backends import Backend
from tests.differential.ledgers import LEDGERS, START, Trace
from tests.stateful.community import WIDEST, Person, drawn_blinder, found, fund
from tests.stateful.world import World
from tests.vectors.generate_settlement import LIMIT, plain

FILE = Path(__file__).parents[1] / "vectors" / "settlement" / "windows.json"
CASES = json.loads(FILE.read_text(encoding="utf-8"))["cases"]
NAMES = ("gran", *(f"a{number}" for number in range(8)))
PEOPLE = [Person.named(name) for name in NAMES]
SUB_SLOT = 10
"""The vectors read a meter more often than their calendar's sub-slots allow; money does not depend on them."""
GROUPS = 4


@pytest.mark.anvil
@pytest.mark.parametrize("group", range(GROUPS))
def test_the_vectors_windows(group: int) -> None:
    """All forty on both ledgers, which must agree in gas and every log."""
    traces: dict[str, list[Trace]] = {}
    for name, opened in LEDGERS.items():
        with opened() as backend:
            fund(backend.ledger, PEOPLE)
            traces[name] = [trace for case in CASES[group::GROUPS] for trace in Play(backend, case).run()]
    assert traces["embedded"] == traces["anvil"]


class Play:
    """One window of the file."""

    def __init__(self, backend: Backend, case: dict[str, Any]) -> None:
        self.case, self.window, self.steps = case, int(case["window"]), case["steps"]
        self.random = Random(case["name"])
        now = backend.ledger.time()
        shift = now - case["calendar"]["origin"] + 10 * case["calendar"]["length"]
        self.shift = max(0, shift)
        calendar = Calendar(
            **{**case["calendar"], "origin": case["calendar"]["origin"] + self.shift, "sub_slot": SUB_SLOT}
        )
        names = {step[word] for step in self.steps for word in ("account", "payer", "to") if word in step}
        people = [person for person in PEOPLE if person.name in names | {"gran"}]
        market = found(backend, calendar, people, {p.name: (LIMIT, WIDEST) for p in people if p.name != "gran"})
        every = (
            1 if backend.name == "embedded" else 25
        )  # the same logs cannot leave other figures; views are slow there
        self.world = World(backend, market, people, max(now, START), every=every)
        self.addresses = {person.name: person.address for person in PEOPLE}
        self.addresses["treasury"] = market.treasury
        self.readings: Counter[int] = Counter()

    def run(self) -> list[Trace]:
        world = self.world
        world.move(self.world.calendar.origin + (self.window - 3) * world.calendar.length)
        assert world.open(self.window)
        self.curves = self._curves()
        self.blinders = self._blinders()
        for step in self.steps:
            if int(step["now"]):
                world.move(int(step["now"]) + self.shift)
            result = getattr(self, "_" + step["step"])(step)
            if "result" in step:
                assert self._named(plain(result)) == step["result"], step
        balances = {name: world.reader.balance(self.addresses[name]) for name in self.case["balances"]}
        assert {name: str(amount) for name, amount in balances.items()} == self.case["balances"]
        known = {name: world.reader.admission(self.addresses[name]) for name in self.case["batteries"]}
        assert {name: [a.reliability, a.promised] for name, a in known.items()} == self.case["batteries"]
        assert world.books[self.window].held() == 0
        world.check(whole=True)
        return world.traces

    def _curves(self) -> dict[str, Curve]:
        """By account: its curve; one that is never opened is not in the vectors."""
        curves = {}
        for step in self.steps:
            if step["step"] in ("commit", "reveal"):
                side = Side.SELL if self._units(step["account"]) else Side.BUY
                pairs = [(int(t), int(w)) for t, w in step["curve"]] if "curve" in step else [(1, 1)]
                curves[step["account"]] = Curve.of(side, pairs)
        return curves

    def _units(self, account: str) -> int:
        return next(int(s["units"]) for s in self.steps if s["step"] == "commit" and s["account"] == account)

    def _blinders(self) -> dict[str, int]:
        """Blinders whose seed gives the vector's fills: the last one is searched."""
        opened = [step["account"] for step in self.steps if step["step"] == "reveal"]
        wanted = {step["account"]: int(step["fill"]) for step in self.steps if step["step"] == "claim"}
        blinders = {account: drawn_blinder(self.random) for account in self.curves}
        if not opened:
            return blinders
        book = Book.of((account, self.curves[account]) for account in opened)
        before = 0
        for account in opened[:-1]:
            before = accumulate(before, blinders[account])
        for _ in range(20_000):
            seed = final_seed(self.window, accumulate(before, blinders[opened[-1]]))
            result = clear_readable(book, Rules(PriceRule.LOWEST, Rationing.PRO_RATA, seed))
            if {fill.participant: fill.quantity for fill in result.fills} == wanted:
                return blinders
            blinders[opened[-1]] = drawn_blinder(self.random)
        raise AssertionError("no seed gives the vector's fills")

    def _named(self, result: Any) -> Any:
        """Addresses back to names."""
        if isinstance(result, str):
            for name, address in self.addresses.items():
                result = result.replace(address, name)
        return result

    def _key(self, text: str) -> RightId:
        name, start = text.split("/")
        return RightId(self.addresses[name], int(start))

    # ---------------------------------------------------------------- steps

    def _deposit(self, step: dict[str, Any]) -> None:
        assert self.world.deposit(self.addresses[step["account"]], int(step["amount"]))

    def _withdraw(self, step: dict[str, Any]) -> None:
        assert self.world.withdraw(self.addresses[step["account"]], int(step["amount"]))

    def _commit(self, step: dict[str, Any]) -> None:
        name = step["account"]
        curve, units = self.curves[name], int(step["units"])
        more = units - self.world.units(self.addresses[name], curve)
        assert self.world.commit(self.addresses[name], (self.window, curve, self.blinders[name]), more=more)

    def _reveal(self, step: dict[str, Any]) -> int:
        address = self.addresses[step["account"]]
        assert self.world.reveal(self.world.seals[self.window, address].opening)
        return self.world.books[self.window].bids[address].locked

    def _clear(self, step: dict[str, Any]) -> None:
        assert self.world.clear(self.window)
        result = self.world.results[self.window]
        assert (plain(result.price), plain(result.volume)) == (step["price"], step["volume"])

    def _claim(self, step: dict[str, Any]) -> Any:
        address = self.addresses[step["account"]]
        assert self.world.fill(address, self.window) == int(step["fill"])
        return self._done(self.world.claim(self.world.claim_of(address, self.window)))

    def _pay(self, step: dict[str, Any]) -> Any:
        return self._done(self.world.pay(self.window, self._key(step["key"]), self.addresses[step["payer"]]))

    def _declare_default(self, step: dict[str, Any]) -> Any:
        return self._done(self.world.declare_default(self.window, self._key(step["key"])))

    def _split(self, step: dict[str, Any]) -> Any:
        return self._done(self.world.split(self.window, self._key(step["key"]), int(step["wh"])))

    def _transfer(self, step: dict[str, Any]) -> None:
        assert self.world.transfer(self.window, self._key(step["key"]), self.addresses[step["to"]])

    def _reading(self, step: dict[str, Any]) -> None:
        device = int(step["device"])
        self.readings[device] += 1
        energy = Wh(int(step["energy"]))
        reading = Reading(device, self.window, int(step["sub_slot"]), energy, self.readings[device])
        assert self.world.reading(self.world.sign(reading))

    def _raise_to(self, step: dict[str, Any]) -> None:
        voucher = Voucher(int(step["device"]), self.window, int(step["through"]), Wh(int(step["energy"])))
        assert self.world.redeem(self.world.sign_voucher(voucher))

    def _sync(self, step: dict[str, Any]) -> None:
        """The devices are registered from the beginning, in the order of the accounts."""
        assert self.world.devices[self.addresses[step["account"]]].number == int(step["device"])

    def _draw(self, step: dict[str, Any]) -> Any:
        return self._done(self.world.draw(self.window, self._key(step["key"])))

    def _settle_seller(self, step: dict[str, Any]) -> Any:
        return self._done(self.world.settle(self.window, self._key(step["key"])))

    def _settle_buyer(self, step: dict[str, Any]) -> Any:
        return self._done(self.world.settle(self.window, self._key(step["key"])))

    def _done(self, answer: tuple[bool, Any]) -> Any:
        accepted, result = answer
        assert accepted
        return result
