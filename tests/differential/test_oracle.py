"""The embedded ledger against EELS, Ethereum's executable specification: status, gas and logs of a window's life.

The specification lives in an environment of its own: `make oracle` sets it up and runs this test. Without it the test
is skipped. STOWATT_ORACLE may name its Python.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import build_contracts
from stowatt.chain.embedded import EmbeddedLedger
from stowatt.clearing import PriceRule, Rationing
from tests.chain.backends import CHAIN_ID, FUNDS
from tests.differential.ledgers import embedded
from tests.differential.test_market import Evening

SCRIPT = build_contracts.ROOT / "scripts" / "oracle.py"
PYTHON = Path(os.environ.get("STOWATT_ORACLE", build_contracts.ROOT / ".venvs" / "oracle" / "bin" / "python"))


def recording(ledger: EmbeddedLedger) -> dict[str, Any]:
    """All transactions of the ledger, and what they did."""
    entries = []
    for number in range(1, ledger.head().number + 1):
        for transaction_hash in ledger.transaction_hashes(number):
            found, receipt = ledger.transaction(transaction_hash), ledger.receipt(transaction_hash)
            assert found is not None and receipt is not None
            logs = [
                [log.address.lower(), ["0x" + topic.hex() for topic in log.topics], "0x" + log.data.hex()]
                for log in receipt.logs
            ]
            entries.append(
                {
                    "raw": "0x" + found[0].raw.hex(), "number": number, "time": ledger.block(number).timestamp,
                    "status": receipt.status, "gas_used": receipt.gas_used, "logs": logs,
                }
            )  # fmt: skip
    head = ledger.head()
    balances = {address: str(wei) for address, wei in FUNDS.items()}
    return {
        "chain_id": CHAIN_ID, "base_fee": head.base_fee, "gas_limit": head.gas_limit, "balances": balances,
        "transactions": entries,
    }  # fmt: skip


def test_a_windows_life_is_what_the_specification_says(tmp_path: Path) -> None:
    """Deployment, people, devices, and three windows from commitment to settlement, with refusals among them."""
    if not PYTHON.is_file():
        pytest.skip("no environment of the specification: run `make oracle`")
    with embedded() as backend:
        assert isinstance(backend.ledger, EmbeddedLedger)
        Evening(backend, PriceRule.SEED, Rationing.PRO_RATA, windows=3).run()
        played = recording(backend.ledger)
    assert {entry["status"] for entry in played["transactions"]} == {0, 1}
    file = tmp_path / "recording.json"
    file.write_text(json.dumps(played))
    done = subprocess.run([PYTHON, SCRIPT, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "0 differences" in done.stdout
    print(done.stdout)
