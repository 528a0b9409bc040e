"""A folder of three invented homes over two days, and scenarios on it."""

from datetime import datetime, timedelta
from math import exp, pi, sin
from pathlib import Path

SCENARIO = """
name = "Three homes"
seed = 1
[community]
source = "folder"
folder = "homes"
[strategies]
forecast = "perfect"
[compare]
schemes = ["none", "market", "shared-battery"]
"""


def write_homes(folder: Path) -> None:
    """Two whole days: one home with PV and a battery, one with PV, one with neither."""
    folder.mkdir()
    for name, peak, load in (("anna", 1.6, 0.05), ("birk", 1.0, 0.10), ("cleo", 0.0, 0.20)):
        lines = ["timestamp,load_kwh,pv_kwh"]
        for number in range(2 * 96):
            moment = datetime(2026, 5, 4) + timedelta(minutes=15 * number)
            hour = moment.hour + moment.minute / 60
            used = load * (1 + 2 * exp(-((hour - 20) ** 2) / 4))
            sun = peak * max(0.0, sin((hour - 6) / 14 * pi)) if 6 < hour < 20 else 0.0
            lines.append(f"{moment:%Y-%m-%dT%H:%M},{used:.3f},{sun / 2:.3f}")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    batteries = "home,usable_kwh,power_kw,efficiency,initial_kwh\nanna,8,4,0.95,4\n"
    (folder / "homes.csv").write_text(batteries, encoding="utf-8")


def write_scenario(folder: Path, more: str = "") -> Path:
    """A scenario's file beside its homes."""
    if not (folder / "homes").exists():
        write_homes(folder / "homes")
    path = folder / "three.toml"
    path.write_text(SCENARIO + more, encoding="utf-8")
    return path
