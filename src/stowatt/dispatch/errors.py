"""What can be wrong with a battery, a schedule or a file of schedules."""

from stowatt.errors import StowattError


class DispatchError(StowattError):
    """A battery's state, a pairing or a file of schedules cannot be used."""
