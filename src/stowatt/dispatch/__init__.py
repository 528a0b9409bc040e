"""From cleared rights to what each battery and each buyer does when, and whether it can.

    from stowatt.dispatch import build, cleared_market

    plan = build(cleared_market(read_events(path)))
    plan.feasible                  # whether every battery can deliver
    plan.batteries[0].verdict      # in words, with the first window that fails and by how much

`document`, `tables` and `openadr` write a plan as JSON, CSV and OpenADR 3 objects.
"""

from stowatt.dispatch.cleared import ClearedMarket, ClearedWindow, Right, cleared_market
from stowatt.dispatch.errors import DispatchError
from stowatt.dispatch.feasibility import Limit, Shortfall, Verdict, check
from stowatt.dispatch.pairing import Pair, pair, pair_window
from stowatt.dispatch.schedules import BatterySchedule, BuyerSchedule, DispatchPlan, build
from stowatt.dispatch.storage import Slot, Step, Storage, advance

__all__ = [
    "BatterySchedule",
    "BuyerSchedule",
    "ClearedMarket",
    "ClearedWindow",
    "DispatchError",
    "DispatchPlan",
    "Limit",
    "Pair",
    "Right",
    "Shortfall",
    "Slot",
    "Step",
    "Storage",
    "Verdict",
    "advance",
    "build",
    "check",
    "cleared_market",
    "pair",
    "pair_window",
]
