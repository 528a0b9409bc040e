"""What can go wrong with workers."""

from stowatt.errors import StowattError


class ClusterError(StowattError):
    """Workers that cannot be reached, do not fit this installation, or are lost with their work."""
