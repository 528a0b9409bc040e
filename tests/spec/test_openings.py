"""§5, attack T27: openings are on the disk before their commitments are sent, survive a kill, and show nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stowatt.commitments import BidContext
from stowatt.curves import Curve, Side
from stowatt.errors import CommitmentError, KeyStoreError
from stowatt.openings import Opening, OpeningStore

MARKET, ME, OTHER = "0x" + "aa" * 20, "0x" + "11" * 20, "0x" + "22" * 20
CURVE = Curve.of(Side.SELL, [(120, 5_000), (150, 2_500)])


def context(window: int = 7, participant: str = ME, side: Side = Side.SELL) -> BidContext:
    seller = side is Side.SELL
    return BidContext(
        31337, MARKET, window, participant, side, 4 if seller else 0, b"\x09" * 32 if seller else bytes(32)
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "openings.sqlite"


def test_sealed_bids_are_read_back(path: Path) -> None:
    with OpeningStore(path) as store:
        first, second = store.seal(context(), CURVE), store.seal(context(), CURVE)
        other = store.seal(context(participant=OTHER, side=Side.BUY), Curve.of(Side.BUY, [(90, 10)]))
        store.seal(context(window=8), CURVE)
    with OpeningStore(path) as store:
        assert store.of_window(31337, MARKET, 7, ME) == [first, second]
        assert store.of_window(31337, MARKET.upper().replace("X", "x"), 7) == [first, second, other]
        assert store.of_commitment(second.commitment) == second
        assert second.context.verify(second.commitment, second.curve.encode(), second.blinder)
        assert first.blinder != second.blinder
        assert store.of_window(1, MARKET, 7) == [] == store.of_window(31337, OTHER, 7)
        assert store.of_commitment(5) is None
        store.keep(first)
        assert len(store.of_window(31337, MARKET, 7, ME)) == 2
        store.forget(first.commitment)
        assert store.of_window(31337, MARKET, 7, ME) == [second]


def test_an_opening_that_does_not_open_is_refused(path: Path) -> None:
    with OpeningStore(path) as store:
        good = store.seal(context(), CURVE)
        for wrong in (
            Opening(context(window=8), good.commitment, good.curve, good.blinder),
            Opening(good.context, good.commitment + 1, good.curve, good.blinder),
            Opening(good.context, good.commitment, good.curve, good.blinder ^ 1),
            Opening(good.context, good.commitment, Curve.of(Side.BUY, [(1, 1)]), good.blinder),
        ):
            with pytest.raises(CommitmentError, match="does not open its commitment") as caught:
                store.keep(wrong)
            assert str(wrong.blinder) not in str(caught.value)


def test_the_repr_shows_neither_curve_nor_blinder(path: Path) -> None:
    with OpeningStore(path) as store:
        opening = store.seal(context(), CURVE)
    shown = repr(opening) + str(opening)
    assert str(opening.blinder) not in shown and hex(opening.blinder) not in shown
    assert "Curve" not in shown and "120" not in shown


def test_only_the_owner_may_read(path: Path) -> None:
    old = os.umask(0)
    try:
        with OpeningStore(path) as store:
            store.seal(context(), CURVE)
            for file in path.parent.iterdir():
                assert file.stat().st_mode & 0o077 == 0, file
    finally:
        os.umask(old)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o640)
    with pytest.raises(KeyStoreError, match=r"open to other users \(mode 0640\); run chmod 600"):
        OpeningStore(path)


def test_a_file_that_holds_something_else(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"something else" * 100)
    path.chmod(0o600)
    with pytest.raises(CommitmentError, match="holds no openings"):
        OpeningStore(path)


SEAL_AND_DIE = """
import os, signal, sys
from pathlib import Path
from stowatt.commitments import BidContext
from stowatt.curves import Curve, Side
from stowatt.openings import OpeningStore
store = OpeningStore(Path(sys.argv[1]))
for window in range(5):
    context = BidContext(1, "0x" + "aa" * 20, window, "0x" + "11" * 20, Side.BUY)
    print(store.seal(context, Curve.of(Side.BUY, [(3, 4)])).commitment, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_sealed_survives_a_kill(path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", SEAL_AND_DIE, str(path)], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == -signal.SIGKILL
    commitments = [int(line) for line in done.stdout.split()]
    assert len(commitments) == 5
    with OpeningStore(path) as store:
        for window, commitment in enumerate(commitments):
            opening = store.of_commitment(commitment)
            assert opening is not None and opening.context.window == window
