"""Every gas figure that a contract test names is committed; forge compares only with what it finds there."""

from __future__ import annotations

import json
import re

from tests.frame.tree import ROOT

NAMED = re.compile(r"""(?:snapshotGasLastCall|snapshotValue|startSnapshotGas)\(\s*"([^"]+)"\s*,\s*"([^"]+)"\s*[,)]""")


def test_every_named_gas_figure_is_committed() -> None:
    missing = []
    for path in sorted((ROOT / "contracts" / "test").rglob("*.sol")):
        for group, name in NAMED.findall(path.read_text()):
            snapshot = ROOT / "contracts" / "snapshots" / f"{group}.json"
            if not snapshot.exists() or name not in json.loads(snapshot.read_text()):
                missing.append(f"{group}/{name} of {path.name}")
    assert not missing, f"{missing}; run `make gas` and commit contracts/snapshots"
