"""The typed client of a market, over any ledger: deployment, calls, views, events, and refusals in words."""

from stowatt.chain.client.calls import Calls, Claim, Commitment, ContractCall, Opening
from stowatt.chain.client.client import Done, MarketClient
from stowatt.chain.client.deployment import Deployment, created_address, deploy
from stowatt.chain.client.reader import ADMIN_ROLE, ISSUER_ROLE, MarketReader
from stowatt.chain.client.refusals import Refusal, phase_name, refusal
from stowatt.chain.client.views import (
    Admission,
    ClearingResult,
    Device,
    MeterProgress,
    Participant,
    Right,
    Settlement,
    WindowMoney,
    WindowState,
)

__all__ = [
    "ADMIN_ROLE",
    "ISSUER_ROLE",
    "Admission",
    "Calls",
    "Claim",
    "ClearingResult",
    "Commitment",
    "ContractCall",
    "Deployment",
    "Device",
    "Done",
    "MarketClient",
    "MarketReader",
    "MeterProgress",
    "Opening",
    "Participant",
    "Refusal",
    "Right",
    "Settlement",
    "WindowMoney",
    "WindowState",
    "created_address",
    "deploy",
    "phase_name",
    "refusal",
]
