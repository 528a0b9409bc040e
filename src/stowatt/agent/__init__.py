"""What a participant's program does on a market, one step at a time.

Every step looks first at what the chain and the private files say, so that repeating it after a crash does nothing
twice.
"""

from stowatt.agent.bidding import Bidding, Order, equal_units
from stowatt.agent.delivery import due_readings, report
from stowatt.agent.holdings import Holding, holdings, split, transfer
from stowatt.agent.issue import claim, pay
from stowatt.agent.once import Step, catch_up, once
from stowatt.agent.positions import Position, positions
from stowatt.agent.settlement import draw, settle

__all__ = [
    "Bidding",
    "Holding",
    "Order",
    "Position",
    "Step",
    "catch_up",
    "claim",
    "draw",
    "due_readings",
    "equal_units",
    "holdings",
    "once",
    "pay",
    "positions",
    "report",
    "settle",
    "split",
    "transfer",
]
