"""Writes tests/vectors/settlement/*.json; SETTLEMENT.md beside this file documents the format.

    python tests/vectors/generate_settlement.py

The same run always writes the same bytes.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from stowatt import settlement
from stowatt.calendar import Calendar, deadlines
from stowatt.clearing import Book, PriceRule, Rationing, Rules, clear_readable
from stowatt.curves import Curve, Side
from stowatt.settlement.ledger import WindowBooks
from stowatt.settlement.records import RightId
from stowatt.settlement.vault import Vault
from stowatt.units import PPM

FOLDER = Path(__file__).parent / "settlement"
Case = dict[str, Any]
WINDOW = 5
LIMIT = 3200
"""Every battery's Q_max and usable energy, Wh."""
TIMELESS = ("split", "transfer", "reading", "raise_to")
"""Steps of the books that no deadline of theirs concerns."""

RULES: dict[Callable[..., int], tuple[str, ...]] = {
    settlement.deposit: ("wh", "tick", "tick_size", "alpha"),
    settlement.part_deposit: ("start", "wh", "tick", "tick_size", "alpha"),
    settlement.bond_share: ("unopened", "bond", "wh", "volume"),
    settlement.payment: ("wh", "tick", "tick_size"),
    settlement.earnings_cap: ("obligation", "tick", "tick_size"),
    settlement.effective_quantity: ("wh", "paid", "volume"),
    settlement.entitlement: ("metered", "obligation", "tick", "tick_size", "efficiency"),
    settlement.part_entitlement: ("whole", "part_wh", "bid_wh"),
    settlement.part_drawn: ("drawn", "part_wh", "right_wh"),
    settlement.fulfilment: ("metered", "obligation", "efficiency"),
    settlement.release_coefficient: ("ratio", "tolerance"),
    settlement.released: ("deposit", "beta"),
    settlement.forfeit_share: ("forfeited", "wh", "volume"),
    settlement.compensation: ("pool", "before", "wh", "paid"),
}
"""Every rule and the names of its inputs."""

HIGHEST = {
    "wh": 2**36, "part_wh": 2**36, "start": 2**36, "obligation": 2**36, "metered": 2**48, "tick": 16_383,
    "tick_size": 2**60, "alpha": PPM, "efficiency": PPM, "ratio": PPM, "tolerance": PPM, "beta": PPM, "unopened": 200,
    "bond": 2**60, "whole": 2**90, "drawn": 2**90, "deposit": 2**90, "forfeited": 2**90, "pool": 2**90, "paid": 2**36,
    "before": 2**36,
}  # fmt: skip
"""The largest value that is drawn for an input."""

AT_LEAST_WH = ("volume", "bid_wh", "right_wh")
"""Inputs that are at least the case's wh, part_wh or paid, and not 0."""


def rules() -> Iterator[Case]:
    """Each rule of settlement on inputs of all sizes."""
    random = Random(63)
    for rule, names in RULES.items():
        for number in range(24):
            inputs = draw_inputs(random, names, largest=number == 0)
            yield {
                "name": f"{rule.__name__} {number}",
                "rule": rule.__name__,
                "inputs": {name: str(value) for name, value in inputs.items()},
                "output": str(rule(**inputs)),
            }


def draw_inputs(random: Random, names: tuple[str, ...], *, largest: bool) -> dict[str, int]:
    inputs: dict[str, int] = {}
    for name in names:
        if name in AT_LEAST_WH:
            parts = [inputs.get(part, 0) for part in ("wh", "part_wh", "paid")]
            inputs[name] = max(1, *parts) + random.choice((0, 1, random.getrandbits(20)))
        else:
            top = HIGHEST[name] if largest else random.randint(1, HIGHEST[name].bit_length())
            lowest = int(name in ("efficiency", "part_wh", "tick_size", "alpha", "wh"))
            inputs[name] = top if largest else max(lowest, min(HIGHEST[name], random.getrandbits(top)))
    if "before" in inputs:  # the paid Wh contain what was settled before and the right itself
        inputs["paid"] += inputs["before"] + inputs["wh"]
    return inputs


def windows() -> Iterator[Case]:
    """Whole windows: every step of the money of one window, what it says, and what everybody has in the end."""
    for number in range(40):
        yield Play(number).case()


class Play:
    """A random window, its steps recorded as they are taken."""

    def __init__(self, number: int) -> None:
        self.name = f"window {number}"
        self.random = Random(6400 + number)
        self.calendar = self._calendar()
        self.times = deadlines(self.calendar, WINDOW)
        self.vault = Vault()
        self.books = WindowBooks(self.vault, self.calendar, WINDOW, "treasury")
        self.steps: list[Case] = []
        self.accounts = [f"a{i}" for i in range(self.random.randint(2, 8))]

    def case(self) -> Case:
        self.books.open()
        curves = self._bids()
        drawn_rules = Rules(PriceRule.LOWEST, Rationing.PRO_RATA, self.random.getrandbits(256))
        result = clear_readable(Book.of(curves), drawn_rules)
        self._step("clear", self.times.reveal, price=result.price, volume=result.volume)
        self._claims({fill.participant: fill.quantity for fill in result.fills})
        if result.price is not None:
            self._delivery()
            self._settlement()
        assert self.books.held() == 0 == self.vault.imbalance()
        return {
            "name": self.name,
            "calendar": asdict(self.calendar),
            "window": WINDOW,
            "steps": self.steps,
            "balances": {account: str(amount) for account, amount in sorted(self.vault.free.items())},
            "batteries": {a: [b.reliability, b.promised] for a, b in sorted(self.vault.batteries.items()) if b.device},
        }

    def _calendar(self) -> Calendar:
        random = self.random
        alphas = [random.choice((1, 50_000, random.randint(1, PPM))) for _ in Side]
        return Calendar(
            origin=1_700_000_100, length=900, sub_slot=300, commit_lead=1800, reveal_lead=1200, payment_lead=300,
            reading_grace=600, void_delay=600, ring=96, ticks=random.choice((2, 12, 40)), price_rule=0, rationing=0,
            tick_size=random.choice((1, 7, 1000, 10**12)), bond=random.choice((0, 1, 999, 50_000)),
            alpha_seller=alphas[Side.SELL], alpha_buyer=alphas[Side.BUY],
            efficiency=random.choice((1, 333_333, 950_000, PPM)), tolerance=random.choice((1, 950_000, PPM)),
            alpha_proven=max(1, alphas[Side.SELL] // 2), reliability_gain=random.choice((0, 100_000, PPM)),
        )  # fmt: skip

    def _bids(self) -> list[tuple[str, Curve]]:
        opened = []
        for account in self.accounts:
            self._step("deposit", 0, account=account, amount=10**18)
            side = Side(self.random.randrange(2))
            if side is Side.SELL:
                number = 1 + self.accounts.index(account)
                self._step("sync", 0, account=account, device=number, usable_wh=LIMIT, limit_wh=LIMIT)
            units = self.random.randint(16, 64) if side is Side.SELL else 0
            self._step("commit", self.times.commit - 1, account=account, units=units)
            if self.random.randrange(5):
                ticks = self.random.sample(range(self.calendar.ticks), self.random.randint(1, 2))
                opened.append((account, Curve.of(side, [(tick, self.random.randint(1, 400)) for tick in ticks])))
        for account, curve in opened:
            self._step("reveal", self.times.commit, account=account, curve=curve)
        return opened

    def _claims(self, fills: dict[str, int]) -> None:
        self.random.shuffle(order := list(fills))
        late = [account for account in order if not self.random.randrange(5)]
        for account in order:
            if account not in late:
                if self.random.randrange(2):
                    self._step("withdraw", 0, account=account, amount=self.vault.balance(account))
                self._step("claim", self.times.reveal + 1, account=account, fill=fills[account])
        self._step("deposit", 0, account="gran", amount=10**18)
        for key in self._unpaid():
            if self.random.randrange(2):
                self._step("pay", self.times.payment - 1, key=key, payer="gran")
        for account in late:
            self._step("claim", self.times.payment, account=account, fill=fills[account])
        for key in self._unpaid():
            self._step("declare_default", self.times.payment, key=key)

    def _delivery(self) -> None:
        for _ in range(8):
            key = self.random.choice(sorted(self.books.rights))
            right = self.books.rights[key]
            choice = self.random.randrange(4)
            if choice == 0 and right.wh > 1:
                self._step("split", self.times.payment, key=key, wh=self.random.randint(1, right.wh - 1))
            elif choice == 1:
                self._step("transfer", self.times.payment, key=key, to=self.random.choice(["gran", *self.accounts]))
            elif right.side is Side.SELL:
                self._evidence(right.device)
                self._step("draw", self.times.end, key=key)

    def _evidence(self, device: int) -> None:
        """A reading of the next sub-slot, or a voucher of all up to some later one: they count the same."""
        counted, energy = self.books.counted.get(device, 0), self.random.randrange(300)
        if self.random.randrange(3):
            self._step("reading", self.times.end, device=device, sub_slot=counted, energy=energy)
        else:
            through, energy = counted + self.random.randint(1, 3), energy + self.books.metered.get(device, 0)
            self._step("raise_to", self.times.end, device=device, through=through, energy=energy)

    def _settlement(self) -> None:
        self.random.shuffle(order := sorted(self.books.rights))
        for key in sorted(order, key=lambda key: self.books.rights[key].side):
            seller = self.books.rights[key].side is Side.SELL
            self._step("settle_seller" if seller else "settle_buyer", self.times.reading, key=key)

    def _unpaid(self) -> list[RightId]:
        return [key for key, right in self.books.rights.items() if not right.paid]

    def _step(self, name: str, now: int, **inputs: Any) -> None:
        """Takes the step and records it."""
        if name in ("deposit", "withdraw", "sync"):
            result = getattr(self.vault, name)(**inputs)
        elif name == "commit":
            alphas = self.calendar.alpha_seller, self.calendar.alpha_proven
            result = self.books.commit(inputs["account"], self.vault.terms(*inputs.values(), *alphas), now)
        elif name in TIMELESS:
            result = getattr(self.books, name)(**inputs)
        else:
            result = getattr(self.books, name)(now=now, **inputs)
        step = {"step": name, "now": now, **{key: plain(value) for key, value in inputs.items()}}
        self.steps.append(step if result is None else {**step, "result": plain(result)})


def plain(value: Any) -> Any:
    """A value as JSON: amounts that may pass 2^53 as decimal strings, rights as `account/start`."""
    match value:
        case Side():
            return value.word
        case Curve():
            return [list(segment) for segment in value.segments]
        case RightId():
            return f"{value.participant}/{value.start}"
        case tuple():
            return {name: plain(part) for name, part in value._asdict().items()}
        case int() if not isinstance(value, bool):
            return str(value)
    return value


def files() -> dict[Path, str]:
    """Every vector file and its text, one case a line."""
    texts = {}
    for theme in (rules, windows):
        head = json.dumps({"format": "stowatt-settlement/1", "theme": theme.__name__, "about": theme.__doc__})
        cases = ",\n".join(json.dumps(case) for case in theme())
        texts[FOLDER / f"{theme.__name__}.json"] = f'{head[:-1]}, "cases": [\n{cases}\n]}}\n'
    return texts


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{path.name}: {len(json.loads(text)['cases'])} cases")


if __name__ == "__main__":
    main()
