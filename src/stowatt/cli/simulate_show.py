"""What `stowatt simulate` shows of its results: tables for people, JSON, and the table of a Markdown page."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stowatt.report.scenario_charts import ct, euros, per_cent, plain
from stowatt.report.scenario_data import WH_IN_KW, kinds, title
from stowatt.report.scenario_page import headline, whole_kwh
from stowatt.report.sweep_page import summary
from stowatt.report.text import NONE, grouped
from stowatt.scenarios.results import REPORT_FILE, Results
from stowatt.studies.documents import Document, table

if TYPE_CHECKING:
    import polars as pl

Rows = list[dict[str, Any]]

HEADS = ("scheme", "cost EUR", "gain EUR", "of the optimum", "of any sharing", "shared kWh", "from grid kWh")
MORE = ("to grid kWh", "peak kW", "cycles", "self-sufficiency", "homes that gain / lose")
NARROW = ("scheme", "gain EUR", "optimum", "shared kWh", "grid kWh", "gain/lose")


def document(results: Results) -> Document:
    """What a run found, without its rows by window and home: JSON that can be kept."""
    schemes = results.schemes.to_dicts()
    return {**results.run, "headline": headline(results), "schemes": schemes, "kinds": kinds(results.homes)}


def show_run(results: Results, folder: Path, *, as_json: bool) -> None:
    """A run for people, or as JSON."""
    if as_json:
        print(json.dumps({"folder": str(folder), **document(results)}, ensure_ascii=False, indent=1))
        return
    console = Console(highlight=False)
    rows = [_narrow(row) for row in results.schemes.to_dicts()]
    _print(console, results.run["name"], NARROW, rows)
    console.print(Text(headline(results)))
    seconds = sum(results.run["seconds"].values())
    console.print(Text(f"computed in {seconds:.1f} s; tables and {REPORT_FILE} in {folder}"), soft_wrap=True)


def sweep_document(about: Document, found: "pl.DataFrame") -> Document:
    """What a sweep found: JSON that can be kept."""
    rows = found.to_dicts()
    return {**about, "headline": summary(about, rows), "rows": rows}


def show_sweep(about: Document, found: "pl.DataFrame", folder: Path, *, as_json: bool) -> None:
    """A sweep for people, or as JSON."""
    kept = sweep_document(about, found)
    if as_json:
        print(json.dumps({"folder": str(folder), **kept}, ensure_ascii=False, indent=1))
        return
    console = Console(highlight=False)
    heads, rows = _sweep_table(kept)
    _print(console, f"{about['name']}: gains in EUR", heads, rows, texts=len(about["keys"]))
    console.print(Text(kept["headline"]))
    console.print(Text(f"{len(about['runs'])} runs; tables and {REPORT_FILE} in {folder}"), soft_wrap=True)


def sweep_markdown(kept: Document) -> str:
    """The generated part of a page on a sweep."""
    heads, rows = _sweep_table(kept)
    return "\n\n".join(
        [f"{kept['name']}: gains in EUR.", table(heads, rows, texts=len(kept["keys"])), kept["headline"]]
    )


def _sweep_table(kept: Document) -> tuple[list[str], list[list[str]]]:
    """A row for each run: its values, the gain of each scheme, what the market captures, its price."""
    found: Rows = kept["rows"]
    schemes = [name for name in dict.fromkeys(row["scheme"] for row in found) if name != "none"]
    heads = [*(key.split(".")[-1] for key in kept["keys"]), *(title(name) for name in schemes)]
    rows = [
        [*run["values"].values(), *(_gain(found, run["run"], name) for name in schemes), *_market(found, run["run"])]
        for run in kept["runs"]
    ]
    return [*heads, "optimum", "price ct"], rows


def markdown(found: Document) -> str:
    """The generated part of a page: the community, the welfare table, the headline, the assumptions."""
    c, market = found["community"], found.get("market")
    parts = [
        f"{found['name']}: {c['homes']} homes, {c['pv_homes']} with PV ({whole_kwh(c['pv_wh'])} kWh), "
        f"{c['batteries']} with a battery ({whole_kwh(c['usable_wh'])} kWh), load {whole_kwh(c['load_wh'])} kWh; "
        f"{grouped(c['windows'])} windows from {c['first']} to {c['last']}; seed {found['seeds']['scenario']}; "
        f"computed in {sum(found['seconds'].values()):.0f} s.",
        table([*HEADS, *MORE], [_wide(row) for row in found["schemes"]]),
        found["headline"],
    ]
    if market is not None and market["traded"]:
        parts.append(
            f"The market traded {whole_kwh(market['volume_wh'])} kWh in {grouped(market['traded'])} windows at "
            f"{ct(market['mean_price'])} ct/kWh on average; {market['sellers']} homes sold, {market['buyers']} bought."
        )
    if found["kinds"] and (names := list(found["kinds"][0]["schemes"])):
        parts.append(
            "Mean gain of a home in EUR, and how many lose:\n\n"
            + table(["owns", "homes", *map(title, names)], [_kind(kind) for kind in found["kinds"]])
        )
    parts.append("Assumed:\n\n" + "\n".join(f"- {note}" for note in found["assumptions"]))
    return "\n\n".join(parts)


def _gain(rows: Rows, run: str, scheme: str) -> str:
    found = [row["gain"] for row in rows if (row["run"], row["scheme"]) == (run, scheme)]
    return euros(found[0], 0) if found else NONE


def _market(rows: Rows, run: str) -> list[str]:
    """What the market captures, and its price."""
    for row in rows:
        if (row["run"], row["scheme"]) == (run, "market"):
            return [per_cent(row["captured_ppm"]), ct(row["mean_price"])]
    return [NONE, NONE]


def _wide(row: dict[str, Any]) -> list[str]:
    return [
        title(row["scheme"]),
        euros(row["cost"], 0),
        euros(row["gain"], 0),
        per_cent(row["captured_ppm"]),
        per_cent(row["of_everything_ppm"]),
        whole_kwh(row["shared_wh"]),
        whole_kwh(row["import_wh"]),
        whole_kwh(row["export_wh"]),
        plain(row["peak_wh"] / WH_IN_KW, 0),
        plain(row["cycles_milli"] / 1000, 0),
        per_cent(row["self_sufficiency_ppm"]),
        f"{row['winners']} / {row['losers']}",
    ]


def _kind(kind: dict[str, Any]) -> list[str]:
    shown = [f"{euros(gain, 0)} ({losers})" for gain, losers in kind["schemes"].values()]
    return [kind["kind"], str(kind["count"]), *shown]


def _narrow(row: dict[str, Any]) -> list[str]:
    return [
        title(row["scheme"]),
        euros(row["gain"], 0),
        per_cent(row["captured_ppm"]),
        whole_kwh(row["shared_wh"]),
        whole_kwh(row["import_wh"]),
        f"{row['winners']}/{row['losers']}",
    ]


def _print(
    console: Console, name: str, heads: tuple[str, ...] | list[str], rows: list[list[str]], *, texts: int = 1
) -> None:
    shown = Table(title=Text(name))
    for place, head in enumerate(heads):
        shown.add_column(Text(head), justify="left" if place < texts else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console.print(shown)
