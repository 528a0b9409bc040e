"""Keys: Ethereum keystore files, version 3, one for each key, in a folder of their own.

A file has mode 0600 and its folder 0700; what others can read is refused. A raw key is never shown, logged or taken
from the command line, and neither is a password: it comes from a private file, from an environment variable that the
user names, or from the terminal.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import is_address, to_checksum_address

from stowatt.errors import KeyStoreError
from stowatt.private_files import private_folder, require_private, write_private

SCRYPT_WORK: Final = 2**18
"""The scrypt parameter n of new files: about a second and 256 MB for each guess at a password."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One key, locked."""

    name: str
    address: str
    path: Path


class KeyStore:
    """The keys of a folder, by name or address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self, name: str, password: str, *, work: int = SCRYPT_WORK) -> KeyFile:
        """Makes a key and its file; an existing name is refused."""
        return self.add(name, secrets.token_bytes(32), password, work=work)

    def add(self, name: str, private_key: bytes, password: str, *, work: int = SCRYPT_WORK) -> KeyFile:
        """Stores a key that exists already."""
        if not _NAME.fullmatch(name):
            raise KeyStoreError(f"{name!r} is not a key's name", "use up to 64 letters, digits, dots, dashes")
        if not password:
            raise KeyStoreError("the password is empty", "choose one")
        private_folder(self.folder)
        require_private(self.folder)
        path = self.folder / f"{name}.json"
        if path.exists():
            raise KeyStoreError(f"{path} exists already", "choose another name; nothing is overwritten")
        locked = Account.encrypt(private_key, password, kdf="scrypt", iterations=work)
        write_private(path, json.dumps(locked))
        return KeyFile(name, Account.from_key(private_key).address, path)

    def list(self) -> list[KeyFile]:
        """All keys by name; no password is needed."""
        if not self.folder.is_dir():
            return []
        require_private(self.folder)
        return [self._describe(path) for path in sorted(self.folder.glob("*.json"))]

    def find(self, wanted: str) -> KeyFile:
        """The key of that name or address."""
        keys = self.list()
        for key in keys:
            if wanted == key.name or wanted.lower() == key.address.lower():
                return key
        known = ", ".join(key.name for key in keys[:8]) or "none"
        raise KeyStoreError(f"there is no key {wanted!r} in {self.folder} (known: {known})", "make it with `keys new`")

    def unlock(self, wanted: str, password: str) -> LocalAccount:
        """The account, ready to sign; its repr shows the address alone."""
        key = self.find(wanted)
        require_private(key.path)
        try:
            account: LocalAccount = Account.from_key(Account.decrypt(_load(key.path), password))
        except (ValueError, KeyError, TypeError):
            raise KeyStoreError(f"the password does not open the key {key.name}", "try again") from None
        if account.address != key.address:
            raise KeyStoreError(f"{key.path} holds another key than its address says", "restore it from a copy")
        return account

    def _describe(self, path: Path) -> KeyFile:
        require_private(path)
        address = str(_load(path).get("address", ""))
        address = address if address.startswith("0x") else "0x" + address
        if not is_address(address):
            raise KeyStoreError(f"{path} has no address", "restore it, or move it out of the folder")
        return KeyFile(path.stem, to_checksum_address(address), path)


def read_password(file: Path | None = None, variable: str | None = None) -> str | None:
    """The password from a private file (its first line) or an environment variable; None if neither is named."""
    if file is not None and variable is not None:
        raise KeyStoreError("two places for the password", "name a file or a variable, not both")
    if file is not None:
        require_private(file)
        lines = file.read_text(encoding="utf-8").splitlines()
        if not lines or not lines[0]:
            raise KeyStoreError(f"{file} holds no password in its first line", "write it there")
        return lines[0]
    if variable is not None:
        password = os.environ.get(variable)
        if not password:
            # the argument is not shown: someone may have typed the password itself
            raise KeyStoreError("the environment variable for the password is not set", "give its name and set it")
        return password
    return None


def _load(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        fields = None
    if not isinstance(fields, dict) or fields.get("version") != 3:
        raise KeyStoreError(f"{path} is not a keystore of version 3", "restore it, or move it out of the folder")
    return fields
