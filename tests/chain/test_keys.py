"""Keys and `stowatt keys` (attack T27): standard files, private modes, no secret on the command line or in messages."""

import json
import os
from pathlib import Path

import pytest
from eth_account import Account
from typer.testing import CliRunner

from stowatt.cli.keys import keys_app
from stowatt.errors import KeyStoreError
from stowatt.keys import KeyStore, read_password

LIGHT = 2**10
"""A small work factor keeps the tests quick."""


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


def test_a_key_is_made_listed_and_unlocked(store: KeyStore) -> None:
    made = store.new("alice", "correct horse", work=LIGHT)
    store.new("bob", "other", work=LIGHT)
    assert [key.name for key in store.list()] == ["alice", "bob"]
    assert store.find(made.address.lower()) == made == store.find("alice")
    account = store.unlock("alice", "correct horse")
    assert account.address == made.address
    fields = json.loads(made.path.read_text())
    assert fields["version"] == 3 and fields["crypto"]["kdf"] == "scrypt"
    assert Account.decrypt(fields, "correct horse") == account.key  # any Ethereum tool can open it
    assert account.key.hex() not in repr(account) + repr(made)


def test_modes(store: KeyStore) -> None:
    old = os.umask(0)
    try:
        made = store.new("alice", "p", work=LIGHT)
    finally:
        os.umask(old)
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert store.folder.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in store.folder.iterdir()] == ["alice.json"]
    made.path.chmod(0o644)
    for attempt in (lambda: store.unlock("alice", "p"), store.list):
        with pytest.raises(KeyStoreError, match=r"open to other users \(mode 0644\); run chmod 600"):
            attempt()
    made.path.chmod(0o600)
    store.folder.chmod(0o755)
    with pytest.raises(KeyStoreError, match="chmod 700"):
        store.new("bob", "p", work=LIGHT)


def test_nothing_is_overwritten(store: KeyStore) -> None:
    made = store.new("alice", "p", work=LIGHT)
    before = made.path.read_bytes()
    with pytest.raises(KeyStoreError, match="exists already"):
        store.new("alice", "q", work=LIGHT)
    assert made.path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x" * 65, "a\n"])
def test_names(store: KeyStore, name: str) -> None:
    with pytest.raises(KeyStoreError, match="is not a key's name"):
        store.new(name, "p", work=LIGHT)


def test_wrong_passwords_and_files(store: KeyStore) -> None:
    made = store.new("alice", "p", work=LIGHT)
    with pytest.raises(KeyStoreError, match="does not open the key alice") as caught:
        store.unlock("alice", "guess")
    assert "guess" not in str(caught.value)
    with pytest.raises(KeyStoreError, match="the password is empty"):
        store.new("bob", "", work=LIGHT)
    with pytest.raises(KeyStoreError, match=r"no key 'carol' .*known: alice"):
        store.find("carol")
    text = made.path.read_text()
    for broken in ("", "{", "[]", "{}", '{"version": 3}', text.replace('"version": 3', '"version": 1')):
        made.path.write_text(broken)
        with pytest.raises(KeyStoreError, match=r"not a keystore of version 3|no address"):
            store.unlock("alice", "p")
    fields = json.loads(text)
    made.path.write_text(json.dumps({**fields, "address": "11" * 20}))
    with pytest.raises(KeyStoreError, match="another key"):
        store.unlock("alice", "p")
    made.path.write_text(json.dumps({**fields, "crypto": {}}))
    with pytest.raises(KeyStoreError, match="does not open"):
        store.unlock("alice", "p")


def test_where_passwords_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text("se cret\nsecond line\n")
    file.chmod(0o644)
    with pytest.raises(KeyStoreError, match="open to other users"):
        read_password(file)
    file.chmod(0o600)
    assert read_password(file) == "se cret"
    file.write_text("\n")
    with pytest.raises(KeyStoreError, match="holds no password"):
        read_password(file)
    with pytest.raises(KeyStoreError, match="cannot be read"):
        read_password(tmp_path / "missing")
    monkeypatch.setenv("MY_PASSWORD", "p")
    assert read_password(variable="MY_PASSWORD") == "p"
    with pytest.raises(KeyStoreError, match="is not set") as caught:
        read_password(variable="hunter2")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(KeyStoreError, match="two places"):
        read_password(file, "MY_PASSWORD")
    assert read_password() is None


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stowatt.keys.SCRYPT_WORK", LIGHT)
    monkeypatch.setenv("STOWATT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PASSWORD_FOR_TEST", "p")
    run = CliRunner()
    empty = run.invoke(keys_app, ["list"])
    assert empty.exit_code == 0 and "no keys in" in empty.output
    assert json.loads(run.invoke(keys_app, ["list", "--json"]).output) == {"keys": []}
    made = run.invoke(keys_app, ["new", "alice", "--password-env", "PASSWORD_FOR_TEST", "--json"])
    assert made.exit_code == 0, made.output
    key = json.loads(made.output)["keys"][0]
    assert json.loads(run.invoke(keys_app, ["list", "--json"]).output)["keys"] == [key]
    asked = run.invoke(keys_app, ["new", "bob", "--folder", str(tmp_path / "other")], input="pw\npw\n")
    assert asked.exit_code == 0 and "pw" not in asked.output.replace("pw\n", "", 0).split("password")[-1]
    again = run.invoke(keys_app, ["new", "alice", "--password-env", "PASSWORD_FOR_TEST"])
    assert isinstance(again.exception, KeyStoreError)
    table = run.invoke(keys_app, ["list"])
    assert "alice" in table.output and key["address"][:10] in table.output
