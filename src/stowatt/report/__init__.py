"""One market day as one self-contained HTML page, for auditors and members of the community.

Fill in `DayReport` (model.py) and give it to `write(report, file)` or `render(report)`.
"""

from stowatt.report.model import (
    Currency,
    DayReport,
    Delivery,
    GasUse,
    MoneyFlow,
    Role,
    Verdict,
    WindowReport,
)
from stowatt.report.page import render, write

__all__ = [
    "Currency",
    "DayReport",
    "Delivery",
    "GasUse",
    "MoneyFlow",
    "Role",
    "Verdict",
    "WindowReport",
    "render",
    "write",
]
