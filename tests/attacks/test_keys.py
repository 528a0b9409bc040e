"""T27: a stolen keystore, a leaked blinder, a world-readable file: each attack is carried out (docs/threats.md)."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import stat
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from eth_account import Account
from typer.testing import CliRunner

from stowatt.chain.outbox import Outbox
from stowatt.cli.app import app
from stowatt.commitments import BidContext
from stowatt.curves import Curve, Side
from stowatt.errors import CommitmentError, KeyStoreError
from stowatt.keys import SCRYPT_WORK, KeyStore, read_password
from stowatt.openings import OpeningStore

SECRET = bytes(range(1, 33))
PASSWORD = "correct horse"
FAST = 2
"""scrypt's n in tests that do not measure it."""


def bid() -> tuple[BidContext, Curve]:
    context = BidContext(31337, "0x" + "11" * 20, 7, "0x" + "22" * 20, Side.BUY)
    return context, Curve.of(Side.BUY, [(1234, 987_654_321)])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


@pytest.fixture(autouse=True)
def careless_umask() -> Iterator[None]:
    """Files are private by what the program does, not by luck: the user's umask lets everybody read."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_t27_a_stolen_keystore_gives_no_key(store: KeyStore) -> None:
    """A thief has the file and guesses: the file holds neither key nor password, and each guess costs a scrypt."""
    file = store.add("anna", SECRET, PASSWORD, work=FAST)
    text = file.path.read_text()
    assert SECRET.hex() not in text
    assert PASSWORD not in text
    for guess in ("hunter2", PASSWORD + " ", PASSWORD.upper()):
        with pytest.raises(KeyStoreError) as refused:
            store.unlock("anna", guess)
        assert guess == "" or guess not in str(refused.value)
    assert store.unlock("anna", PASSWORD).key == SECRET


def test_t27_new_keys_make_guessing_dear(store: KeyStore) -> None:
    """The work factor of a new key is the full one, and each file has its own salt."""
    first, second = (json.loads(store.new(name, PASSWORD).path.read_text()) for name in ("a", "b"))
    for fields in (first, second):
        crypto = fields["crypto"]
        assert (crypto["kdf"], crypto["kdfparams"]["n"]) == ("scrypt", SCRYPT_WORK)
    assert first["crypto"]["kdfparams"]["salt"] != second["crypto"]["kdfparams"]["salt"]


def test_t27_a_key_file_of_another_address_is_not_used(store: KeyStore) -> None:
    """A file is swapped for one whose address is right and whose key is not."""
    path = store.add("anna", SECRET, PASSWORD, work=FAST).path
    fields = json.loads(path.read_text())
    fields["address"] = Account.create().address
    path.write_text(json.dumps(fields))
    with pytest.raises(KeyStoreError, match="another key"):
        store.unlock("anna", PASSWORD)


def test_t27_all_secrets_are_files_of_their_owner_alone(tmp_path: Path, store: KeyStore) -> None:
    """Everything secret that is written has mode 0600 in a folder of mode 0700, SQLite's side files too."""
    key = store.add("anna", SECRET, PASSWORD, work=FAST)
    openings = tmp_path / "openings" / "openings.sqlite"
    with OpeningStore(openings) as opened:
        opened.seal(*bid())
        found = [key.path, *openings.parent.iterdir()]
        assert len(found) >= 3, "the log file of the database is there while it is open"
        for path in found:
            assert mode(path) == 0o600, path
    outbox = Outbox(tmp_path / "outbox" / "outbox.sqlite")
    outbox.close()
    for path in (tmp_path / "outbox").iterdir():
        assert mode(path) == 0o600, path
    for folder in (key.path.parent, openings.parent, tmp_path / "outbox"):
        assert mode(folder) == 0o700, folder


@pytest.mark.parametrize("opened_to", [0o640, 0o604, 0o660, 0o602])
def test_t27_secrets_that_others_can_read_are_refused(tmp_path: Path, store: KeyStore, opened_to: int) -> None:
    """A backup or a careless chmod opened a file: it is not used until its owner has looked."""
    key = store.add("anna", SECRET, PASSWORD, work=FAST)
    key.path.chmod(opened_to)
    with pytest.raises(KeyStoreError, match="open to other users"):
        store.unlock("anna", PASSWORD)
    openings = tmp_path / "openings" / "openings.sqlite"
    OpeningStore(openings).close()
    openings.chmod(opened_to)
    with pytest.raises(KeyStoreError, match="open to other users"):
        OpeningStore(openings)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(opened_to)
    with pytest.raises(KeyStoreError, match="open to other users"):
        read_password(password)


def test_t27_a_folder_that_others_can_enter_is_refused(store: KeyStore) -> None:
    """Whoever can write to the folder can replace a key."""
    store.add("anna", SECRET, PASSWORD, work=FAST)
    store.folder.chmod(0o770)
    with pytest.raises(KeyStoreError, match="open to other users"):
        store.unlock("anna", PASSWORD)


def test_t27_a_name_cannot_leave_the_folder(store: KeyStore) -> None:
    for name in ("../anna", "/tmp/anna", "a/b", ".anna", "a\x00b", "a" * 65):
        with pytest.raises(KeyStoreError, match="not a key's name"):
            store.add(name, SECRET, PASSWORD, work=FAST)
    assert not store.folder.exists()


def test_t27_blinder_and_curve_are_in_no_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is logged, printed or raised about a bid tells neither curve nor blinder before the reveal."""
    with OpeningStore(tmp_path / "openings.sqlite") as opened, caplog.at_level(logging.DEBUG):
        opening = opened.seal(*bid())
        told = [repr(opening), str(opening), f"{opening!r}"]
        logging.getLogger("stowatt").debug("sealed %s", opening)
        try:
            opened.keep(type(opening)(opening.context, opening.commitment ^ 1, opening.curve, opening.blinder))
        except CommitmentError as error:
            told += [str(error), "".join(traceback.format_exception(error))]
        else:
            pytest.fail("an opening that does not open was kept")
    told.append(caplog.text)
    for text in told:
        for secret in (str(opening.blinder), f"{opening.blinder:x}", "987654321", opening.curve.encode().hex()):
            assert secret not in text


def test_t27_an_unlocked_key_is_in_no_text(store: KeyStore) -> None:
    store.add("anna", SECRET, PASSWORD, work=FAST)
    account = store.unlock("anna", PASSWORD)
    for text in (repr(account), str(account), f"{store.find('anna')!r}"):
        assert SECRET.hex() not in text
        assert str(SECRET) not in text


def test_t27_no_command_takes_a_key_or_a_password_as_an_argument() -> None:
    """Arguments are seen by every user of the machine, and kept in the shell's history."""

    def options(command: Any, path: str) -> list[str]:
        found = [f"{path} {name}" for p in command.params for name in (*p.opts, p.name or "")]
        for name in getattr(command, "list_commands", lambda _: [])(None):
            found += options(command.get_command(None, name), f"{path} {name}")
        return found

    names = options(typer.main.get_command(app), "stowatt")
    assert any("--password-file" in name for name in names)
    for name in names:
        word = name.split()[-1].lstrip("-").replace("_", "-")
        assert word not in {"private-key", "secret", "password", "blinder", "mnemonic", "raw-key"}, name
        if "password" in word:
            assert word.endswith(("-file", "-env")), name


def test_t27_the_list_of_keys_tells_addresses_only(
    tmp_path: Path, store: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = store.add("anna", SECRET, PASSWORD, work=FAST)
    monkeypatch.setenv("STOWATT_HOME", str(tmp_path))
    for arguments in (["keys", "list"], ["keys", "list", "--json"]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        assert "anna" in result.output
        assert SECRET.hex() not in result.output
        assert json.loads(file.path.read_text())["crypto"]["ciphertext"] not in result.output


def test_t27_the_reveal_alone_tells_an_opening(tmp_path: Path) -> None:
    """Whoever reads the commitment cannot test a guess at the curve: the blinder is drawn anew for each bid."""
    with OpeningStore(tmp_path / "openings.sqlite") as opened:
        first, second = opened.seal(*bid()), opened.seal(*bid())
    assert first.curve == second.curve
    assert first.commitment != second.commitment
    assert first.blinder != second.blinder


def test_t27_a_database_of_something_else_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "openings.sqlite"
    path.touch(0o600)
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE openings (something TEXT)")
        other.execute("INSERT INTO openings VALUES ('else')")
    with OpeningStore(path) as opened, pytest.raises(sqlite3.OperationalError):
        opened.seal(*bid())
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT * FROM openings").fetchall() == [("else",)]
