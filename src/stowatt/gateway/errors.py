"""What can go wrong in the gateway.

StowattError
└── GatewayError         a source, a queue or a rule that the gateway cannot work with
    ├── SourceError      a meter, a broker or a file that cannot be read as asked
    └── QueueError       a queue that belongs to another device, is in use, or cannot be read
"""

from __future__ import annotations

from stowatt.errors import StowattError


class GatewayError(StowattError):
    """§6: the gateway cannot work as asked."""


class SourceError(GatewayError):
    """A meter, a broker or a file that cannot be read as asked."""


class QueueError(GatewayError):
    """A queue of sub-slots that cannot be used."""


def extra_missing(library: str) -> SourceError:
    """The library that speaks the meter's protocol is not installed."""
    return SourceError(f"the library {library} is not installed", "run pip install 'stowatt[meter]'")
