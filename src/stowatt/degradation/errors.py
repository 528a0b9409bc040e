"""What can be wrong with a question about wear."""

from stowatt.errors import StowattError


class WearError(StowattError):
    """A battery, a state or a price from which wear cannot be computed."""


class OutOfRangeError(WearError):
    """Conditions under which the cell was never tested, so that the model would only guess."""
