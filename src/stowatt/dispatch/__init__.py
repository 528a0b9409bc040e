"""From cleared rights to what each battery and each buyer does when, and whether it can."""

from stowatt.dispatch.errors import DispatchError
from stowatt.dispatch.feasibility import Limit, Shortfall, Verdict, check
from stowatt.dispatch.storage import Slot, Step, Storage, advance

__all__ = ["DispatchError", "Limit", "Shortfall", "Slot", "Step", "Storage", "Verdict", "advance", "check"]
