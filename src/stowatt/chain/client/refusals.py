"""The contracts' custom errors in words: the rule, the values, and the way out, in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from stowatt.calendar import Calendar, Phase
from stowatt.chain.abi import decoded, errors_by_selector
from stowatt.chain.errors import ChainRevert, plain_reason
from stowatt.curves import Side
from stowatt.errors import LedgerError


class Refusal(LedgerError):
    """A contract refused a call. `error` is the custom error's name, `values` are its arguments by name."""

    def __init__(
        self, error: str, values: dict[str, Any], what: str, way_out: str, transaction: bytes | None = None
    ) -> None:
        super().__init__(what, way_out)
        self.error = error
        self.values = values
        self.transaction = transaction


@dataclass(frozen=True, slots=True)
class _Text:
    """A message: `{name}` stands for an argument of the error."""

    section: str
    what: str
    way_out: str


def _t(section: str, what: str, way_out: str) -> _Text:
    return _Text(section, what, way_out)


TEXTS: Final[dict[str, _Text]] = {
    # Calendar (§5)
    "BadCalendar": _t(
        "§5", "the calendar's {field} is out of range", "choose another value; `market deploy --help` shows usual ones"
    ),
    "WindowBeyondCalendar": _t("§5", "window {window} lies beyond the calendar", "choose a smaller number"),
    "WrongPhase": _t("§5", "window {window} is in phase {actual}", "`market status --window {window}` shows its times"),
    # Vault (§6)
    "InsufficientBalance": _t(
        "§6",
        "the free balance of {account} is {free}, and {needed} are needed",
        "deposit more with `vault deposit`, or use less",
    ),
    "BadAmount": _t("§6", "an amount of {amount} is not possible", "use more than 0 and less than 2^96 base units"),
    "NotRegistry": _t("§2", "{caller} is not the registry", "only the registry may call this"),
    "NotDelivery": _t("§6", "{caller} is not the delivery contract", "only the delivery contract may call this"),
    "NotMarket": _t("§6", "{caller} is not the market", "only the market may call this"),
    "BadWiring": _t("§6", "a contract points at {actual} instead of {expected}", "deploy all five contracts anew"),
    "ZeroAddress": _t("§6", "an address is zero", "give the address that is meant"),
    # Market (§2, §3, §5)
    "RingOccupied": _t(
        "§5", "window {occupant} still holds the ring place of window {window}", "clear or void window {occupant} first"
    ),
    "TooEarlyToOpen": _t(
        "§5", "window {window} starts more than one ring from now", "open it when it is less than one ring ahead"
    ),
    "NotAdmitted": _t(
        "§2",
        "{account} is not admitted to {side}",
        "a credential with that role that is neither expired nor revoked is needed, and a device to sell from: see "
        "`market register` and `device register`",
    ),
    "BadUnits": _t("§2", "{units} energy units do not exist", "1 to 64 of them for a seller's bid, 0 for a buyer's"),
    "Oversold": _t(
        "§2",
        "{account} would promise {promised} energy units of its battery's {capacity}",
        "offer less, or wait until sold energy, also an earlier device's, is delivered and settled: `device show` tells"
        " what is free",
    ),
    "BadCommitment": _t("§5", "the commitment for window {window} is zero", "seal the bid anew"),
    "UnclaimedBid": _t(
        "§5",
        "{account} still has an unclaimed bid in window {window}, which has the same ring place",
        "`claim --window {window}` first",
    ),
    "NoCommitment": _t("§5", "{account} has no unopened commitment in window {window}", "commit first"),
    "OpeningRefused": _t("§5", "the opening of {participant} for window {window} is refused: {reason}", "{help}"),
    "BadCurve": _t("§2", "the curve breaks §2", "1 to 16 segments on the grid, strictly monotone, wider than 0"),
    "BeyondDevice": _t(
        "§2", "the curve offers more than its commitment's units of the device's Q_max (1)", "commit to more units"
    ),
    "BadBlinder": _t("§5", "the blinder is not in [1, n)", "use the stored opening"),
    "OpeningMismatch": _t("§5", "the opening does not match the commitment (7)", "use the stored opening"),
    "LaneFull": _t("§3", "tick {tick} cannot hold more", "bid less, or at another price"),
    "NoSuchBid": _t(
        "§5",
        "{account} has no such opened bid in window {window}",
        "it was claimed already, or curve and offsets differ from its Revealed event",
    ),
    "NotPayable": _t(
        "§6", "right {rightId} is not an unpaid buyer's right", "nothing is due for it; `rights show` tells its state"
    ),
    "FillsOutstanding": _t(
        "§6",
        "only {resolved} of {needed} Wh of window {window} are claimed and paid or in default",
        "claim the other bids and declare unpaid buyers in default first; `settle --window {window}` does all of it",
    ),
    "SellersOutstanding": _t(
        "§6",
        "only {settled} of {needed} Wh of window {window}'s sellers are settled",
        "settle the sellers' rights first; `settle --window {window}` does",
    ),
    "LengthMismatch": _t("§5", "two lists of one batch differ in length", "give one entry for each"),
    "PrecompileFailed": _t("§5", "the chain's BN254 precompiles are missing or wrong", "use a chain that has them"),
    # CapacityRights (25), (27)
    "NoSuchRight": _t("§6", "there is no right {rightId}", "it was settled, is void, or never existed"),
    "NotHolder": _t("§6", "{caller} neither holds right {rightId} nor is approved for it", "use its holder's key"),
    "BadSplit": _t("§6", "{quantity} Wh cannot be split from right {rightId}", "more than 0 and less than it has"),
    "Unpaid": _t("§6", "right {rightId} is not paid", "`pay` it before the payment deadline"),
    # Registry (§2)
    "NotIssuer": _t("§2", "{signer} is no issuer of this community", "have an issuer sign the statement"),
    "StaleNonce": _t(
        "§2", "nonce {nonce} of {account} is used: the last one is {last}", "sign a new statement with a larger one"
    ),
    "BadRoles": _t("§2", "roles {roles} do not exist", "use 1 to sell, 2 to buy, 3 for both"),
    "BadDid": _t("§2", "a DID of {length} bytes", "use 1 to 128 bytes"),
    "UnknownParticipant": _t("§2", "{account} is not registered", "register it first"),
    "UnknownDevice": _t("§2", "device {device} is not registered, or not in use", "register it first"),
    "NotDeviceAuthority": _t(
        "§2", "{caller} may not change device {device}", "use the issuer's key; in the open mode its owner's"
    ),
    "BadDevice": _t("§2", "field {field} of the device's certificate is out of range", "correct it"),
    "BadValidity": _t("§2", "a validity from {from} to {to} is impossible", "end it after its beginning"),
    # Delivery (30)-(32)
    "ReadingRefused": _t(
        "§6", "the {evidence} of device {device} for window {window}, {covers}, is refused: {reason}", "{help}"
    ),
    "NotSellerRight": _t("§6", "right {rightId} is not an open seller's right", "only sellers' rights are drawn on"),
    "AlreadySettled": _t("§6", "right {rightId} is settled already", "nothing is left to do"),
    # OpenZeppelin's
    "ERC20InsufficientBalance": _t("§6", "{sender} has {balance} tokens, and {needed} are needed", "get more tokens"),
    "ERC20InsufficientAllowance": _t(
        "§6", "{spender} may take {allowance} tokens, and {needed} are needed", "approve more"
    ),
    "ERC20InvalidReceiver": _t("§6", "{receiver} cannot receive tokens", "give another address"),
    "OwnableUnauthorizedAccount": _t("§6", "{account} does not own the token", "use its owner's key"),
    "AccessControlUnauthorizedAccount": _t("§2", "{account} lacks the role for this", "use an issuer's key"),
    "ERC721NonexistentToken": _t("§6", "there is no right {tokenId}", "it was settled, is void, or never existed"),
    "ERC721InsufficientApproval": _t(
        "§6", "{operator} neither holds right {tokenId} nor is approved for it", "use its holder's key"
    ),
    "ERC721IncorrectOwner": _t("§6", "{sender} does not hold right {tokenId}: {owner} does", "use its holder's key"),
    "ERC721InvalidReceiver": _t("§6", "{receiver} cannot receive a right", "give another address"),
    "SafeERC20FailedOperation": _t("§6", "the token {token} refused to move", "check balance and allowance"),
}
"""One text for each error of Errors.sol, and for those of the libraries that a caller can meet."""

OPENING_REASONS: Final = {
    "WrongPhase": ("it is not the window's time to reveal", "reveal between the commit and the reveal deadline"),
    "NoCommitment": ("there is no unopened commitment", "it was revealed already, withdrawn, or never made"),
    "BadCurve": ("the curve breaks §2", "the bond is lost unless the commitment opens to a proper curve"),
    "BeyondDevice": (
        "it offers more than its commitment's units of the device's certified limit (1)",
        "such a bid can never be opened",
    ),
    "BadBlinder": ("the blinder is not in [1, n)", "use the stored opening"),
    "OpeningMismatch": ("it does not match the commitment (7)", "use the stored opening"),
    "InsufficientBalance": ("the free balance does not cover the worst-case deposit", "`vault deposit` more in time"),
}
_READING_HELP: Final = (
    ("accepted", ""),
    ("no such device", "register the device"),
    ("no such sub-slot", "number the sub-slots of the window from 0"),
    ("the sub-slot is not over", "send it after the sub-slot's end"),
    ("the window's readings are closed", "send readings before the end of the grace time"),
    ("no valid key of the device signed it", "sign with a meter key that is valid at the sub-slot's end"),
    ("its counter is not larger than the last one", "it was counted already"),
    ("the same or a later sub-slot was read already", "send readings in order"),
    ("more energy than the certified export power allows", "check the meter"),
    (
        "it skips a counter, which only the meter itself and the device's owner may do",
        "send the readings before it first, or let the owner or the meter send it",
    ),
    ("as many sub-slots with as much energy were counted already", "send the meter's latest voucher"),
    ("its energy is less than what was counted already", "send the meter's latest voucher"),
    ("the opened sum is not what the sealed sub-slots commit to", "open it with the meter's own file of secrets"),
)
"""By `Delivery.Refusal`."""

_AMOUNTS: Final = frozenset({"free", "needed", "amount", "balance", "allowance"})
_VOUCHER_CALLS: Final = frozenset({"redeem", "openSealed"})
_RIGHTS: Final = frozenset({"rightId", "tokenId"})


def refusal(
    revert: ChainRevert, phases: tuple[Phase, ...] = (), amount: Callable[[int], str] = str, call: str = ""
) -> Refusal:
    """The revert in words. `phases` are those in which the call is taken, `amount` spells base units."""
    error = errors_by_selector().get(revert.data[:4])
    if error is None:
        reason = revert.reason or plain_reason(revert.data)
        what = f"the contract reverted: {reason}" if not call else f"{call} reverted: {reason}"
        return Refusal("", {}, what, "check the arguments against docs/rules.md", revert.transaction)
    try:
        arguments = decoded(error.types, revert.data[4:])
    except DecodingError:
        arguments = ("?",) * len(error.types)
    values = dict(zip(error.names, arguments, strict=True))
    text = TEXTS.get(error.name)
    if text is None:
        shown = ", ".join(f"{name} {value}" for name, value in values.items())
        return Refusal(error.name, values, f"{call or 'the contract'} reverted with {error.name} ({shown})", "")
    words = _words(error.name, values, amount, call)
    what, way_out = text.what.format_map(words), text.way_out.format_map(words)
    if error.name == "WrongPhase" and phases:
        wanted = " or ".join(phase_name(phase) for phase in phases)
        what += f", and {call} takes one in phase {wanted}"
    return Refusal(error.name, values, f"{what} ({text.section})", way_out, revert.transaction)


def opening_reason(selector: bytes) -> str:
    """The name of the error that a refused opening names by its selector, or the selector in hexadecimal.

    Errors without arguments that only serve as such a reason are in no contract's ABI.
    """
    error = errors_by_selector().get(selector)
    if error is not None:
        return error.name
    return next(
        (name for name in OPENING_REASONS if keccak(f"{name}()".encode())[:4] == selector), f"0x{selector.hex()}"
    )


def phase_name(phase: Phase | int) -> str:
    """A phase as people read it, such as `no trade`."""
    return Phase(phase).name.lower().replace("_", " ")


def short_right(number: int) -> str:
    """A right's id in hexadecimal."""
    return f"0x{number:x}"


def reading_reason(number: int) -> tuple[str, str]:
    """Why a reading was refused, and the way out."""
    return _READING_HELP[number] if number < len(_READING_HELP) else (f"reason {number}", "")


def _words(error: str, values: dict[str, Any], amount: Callable[[int], str], call: str) -> dict[str, Any]:
    """The arguments as the texts show them."""
    words = dict(values)
    for name, value in values.items():
        if name in _AMOUNTS and isinstance(value, int):
            words[name] = amount(value)
        elif name in _RIGHTS and isinstance(value, int):
            words[name] = short_right(value)
    if error == "WrongPhase":
        words["actual"] = phase_name(values["actual"])
    elif error == "NotAdmitted":
        words["side"] = Side(values["side"]).word
    elif error == "BadCalendar":
        known = [field.name for field in fields(Calendar)]
        words["field"] = known[values["field"]] if values["field"] < len(known) else values["field"]
    elif error == "OpeningRefused":
        name = opening_reason(values["reason"])
        words["reason"], words["help"] = OPENING_REASONS.get(name, (name, "use the stored opening"))
    elif error == "ReadingRefused":
        words["reason"], words["help"] = reading_reason(values["reason"])
        voucher = call in _VOUCHER_CALLS
        words["evidence"] = "voucher" if voucher else "reading"
        words["covers"] = f"{values['subSlot']} sub-slots" if voucher else f"sub-slot {values['subSlot']}"
    return words
