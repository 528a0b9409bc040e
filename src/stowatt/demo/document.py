"""The day as JSON: day.json, and what `stowatt demo --json` prints. Amounts are base units, energy Wh, prices ticks."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from stowatt.calendar import Calendar
from stowatt.curves import Side
from stowatt.demo.community import Community
from stowatt.demo.dispatch import Dispatch
from stowatt.demo.evidence import metered_by_device
from stowatt.demo.judge import Judgement
from stowatt.demo.output import OutputFolder
from stowatt.demo.source import Source
from stowatt.demo.stories import Story
from stowatt.demo.summary import Conservation, left_out
from stowatt.demo.window import WindowRun
from stowatt.errors import OutputError
from stowatt.report import DayReport, MoneyFlow, WindowReport

FORMAT: Final = "stowatt demo day 1"


def day_document(
    source: Source,
    community: Community,
    calendar: Calendar,
    windows: Sequence[WindowRun],
    stories: Sequence[Story],
    judgement: Judgement,
    report: DayReport,
    money: Conservation,
    dispatch: Dispatch,
    faults: Sequence[str],
    seconds: dict[str, float],
    folder: OutputFolder,
) -> dict[str, Any]:
    """All of it, in plain JSON values."""
    return {
        "format": FORMAT,
        "community": source.community,
        "source": source.credit,
        "day": source.day.isoformat(),
        "chain_id": community.deployment.chain_id,
        "market": community.deployment.market,
        "currency": asdict(report.currency),
        "calendar": asdict(calendar),
        "sellers": len(source.evening.sellers),
        "buyers": len(source.evening.buyers),
        "bids": sum(len(window.sides) for window in windows),
        "physics": [{"what": name, "sentence": sentence} for name, sentence in report.physics],
        "windows": [
            _window(window, row, dispatch, faults) for window, row in zip(windows, report.windows, strict=True)
        ],
        "troubles": [_trouble(story) for story in stories],
        "troubles_without_a_place": left_out(stories),
        "totals": {
            "volume_wh": report.volume,
            "welfare": report.welfare,
            "mean_price_tick": report.mean_price,
            "buyers_saved": report.saved("buyer"),
            "sellers_gained": report.saved("seller"),
            "balance": report.balance,
        },
        "money": {**asdict(money), "conserved": money.good},
        "flows": [_flow(flow) for flow in report.flows],
        "gas": [asdict(gas) for gas in report.gas],
        "audit": judgement.audit.to_json(),
        "engine_differences": list(faults),
        "seconds": seconds,
        "files": {name: str(getattr(folder, name)) for name in ("report", "day", "events", "ledger", "market")},
    }


def write_document(document: dict[str, Any], folder: OutputFolder) -> None:
    """Writes day.json."""
    try:
        folder.day.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder.day} cannot be written ({error.strerror})", "make room and start again") from error


def _window(window: WindowRun, row: WindowReport, dispatch: Dispatch, faults: Sequence[str]) -> dict[str, Any]:
    return {
        "window": window.number,
        "start": row.start.isoformat(),
        "end": row.end.isoformat(),
        "price_tick": row.price,
        "price_interval_ticks": [row.lowest, row.highest],
        "volume_wh": row.volume,
        "welfare": row.welfare,
        "committed": row.committed,
        "opened": row.opened,
        "paid_wh": sum(window.fills(Side.BUY).values()),
        "metered_wh": metered_by_device(window.events).total(),
        "evidence": window.evidence.value,
        "gas": dispatch.gas_of(window.number),
        "engine_agrees": not any(line.startswith(f"window {window.number}:") for line in faults),
        "audit": "proved" if row.verdict.good else "mismatch",
        "checks": row.verdict.checks,
    }


def _trouble(story: Story) -> dict[str, Any]:
    trouble = story.trouble
    return {
        "kind": trouble.kind.value,
        "window": trouble.window,
        "home": trouble.home,
        "other": trouble.other or None,
        "sentence": story.sentence,
        "facts": story.facts,
    }


def _flow(flow: MoneyFlow) -> dict[str, Any]:
    return {**asdict(flow), "net": flow.net}
