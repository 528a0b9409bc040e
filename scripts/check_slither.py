"""Run slither and hold its findings against the answers in docs/security/slither.md.

Every finding must be fixed or answered there, in a table row ``| detector | place | answer |`` whose place is
``Contract.function(types)``, ``Contract.variable``, ``Contract`` or a file, as this script prints it. An answer that no
finding needs any more is an error too, so that the file stays true.

Usage: check_slither.py PATH_OF_SLITHER
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ANSWERS = ROOT / "docs" / "security" / "slither.md"
REPORT = ROOT / "build" / "slither.json"
ROW = re.compile(r"^\|\s*`?(?P<check>[a-z0-9-]+)`?\s*\|\s*`(?P<place>[^`]+)`\s*\|\s*(?P<answer>.*?)\s*\|$")

Finding = tuple[str, str]


def place_of(element: Mapping[str, Any]) -> str:
    """Name the function, variable, contract or file that an element of a finding points to."""
    while element["type"] == "node":
        element = element["type_specific_fields"]["parent"]
    fields = element.get("type_specific_fields", {})
    name = str(fields.get("signature", element["name"]))
    parent = fields.get("parent")
    if parent is None or parent["type"] not in {"contract", "function"}:
        return name
    return f"{place_of(parent)}.{name}"


def findings(report: Mapping[str, Any]) -> dict[Finding, str]:
    """Map (detector, place) to slither's description; several findings of one detector in one place are one."""
    found: dict[Finding, str] = {}
    for finding in report["results"].get("detectors", []):
        elements = finding["elements"]
        place = place_of(elements[0]) if elements else "-"
        found.setdefault((finding["check"], place), f"{finding['impact']}: {finding['description'].strip()}")
    return found


def answers(text: str) -> dict[Finding, str]:
    """Read the answered findings from the table of the triage file."""
    rows = (ROW.match(line) for line in text.splitlines())
    return {(row["check"], row["place"]): row["answer"] for row in rows if row}


def compare(found: Mapping[Finding, str], answered: Mapping[Finding, str]) -> list[str]:
    """List what is unanswered, answered with nothing, or answered without need."""
    problems = [
        f"unanswered: | {check} | `{place}` |\n    {description}"
        for (check, place), description in sorted(found.items())
        if not answered.get((check, place))
    ]
    problems += [f"no longer found: | {check} | `{place}` |" for check, place in sorted(answered.keys() - found.keys())]
    return problems


def run(slither: str) -> Mapping[str, Any]:
    """Run slither on the project and return its JSON report."""
    forge = subprocess.run(
        [str(ROOT / "tools" / "find-foundry"), "forge"], check=True, capture_output=True, text=True
    ).stdout.strip()
    environment = os.environ | {
        "PATH": f"{Path(forge).parent}{os.pathsep}{os.environ['PATH']}",
        "FOUNDRY_OUT": "build/slither",
        "FOUNDRY_CACHE_PATH": "build/slither-cache",
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.unlink(missing_ok=True)
    command = [slither, ".", "--foundry-out-directory", "build/slither", "--json", str(REPORT), "--fail-none"]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    if done.returncode or not REPORT.exists():
        raise SystemExit(f"slither failed with status {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
    report: Mapping[str, Any] = json.loads(REPORT.read_text())
    if not report["success"]:
        raise SystemExit(f"slither failed: {report['error']}")
    return report


def main() -> None:
    """Run slither, print what is open and exit with status 1 if anything is."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: check_slither.py PATH_OF_SLITHER")
    found = findings(run(str((ROOT / sys.argv[1]).resolve())))
    answered = answers(ANSWERS.read_text()) if ANSWERS.exists() else {}
    problems = compare(found, answered)
    for problem in problems:
        print(problem)
    print(f"slither: {len(found)} findings, {len(found) - sum(1 for p in problems if p[0] == 'u')} answered")
    if problems:
        raise SystemExit(f"answer each finding in {ANSWERS.relative_to(ROOT)} or mend the code")


if __name__ == "__main__":
    main()
