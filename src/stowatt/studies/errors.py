"""The error of the studies."""

from stowatt.errors import StowattError


class StudyError(StowattError):
    """A study that cannot be run or rendered as asked."""
