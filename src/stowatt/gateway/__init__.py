"""The meter's gateway (§6): from a meter's protocol to signed readings on the chain, accounted for sample by sample.

source (SunSpec, MQTT, file) → normaliser (judges, counts) → queue (disk) → postman (signs, posts)
"""

from stowatt.gateway.accounts import Accounts
from stowatt.gateway.clock import ClockWatch
from stowatt.gateway.errors import GatewayError, QueueError, SourceError
from stowatt.gateway.gateway import Gateway, Taken
from stowatt.gateway.normaliser import Normaliser
from stowatt.gateway.posting import Posted, Poster, ReadingPoster, post_due
from stowatt.gateway.postman import Postman
from stowatt.gateway.queue import Row, SlotQueue, State
from stowatt.gateway.rules import Rules
from stowatt.gateway.samples import Cause, Counter, Mark, Sample
from stowatt.gateway.slots import SlotRecord
from stowatt.gateway.sources import Source

__all__ = [
    "Accounts",
    "Cause",
    "ClockWatch",
    "Counter",
    "Gateway",
    "GatewayError",
    "Mark",
    "Normaliser",
    "Posted",
    "Poster",
    "Postman",
    "QueueError",
    "ReadingPoster",
    "Row",
    "Rules",
    "Sample",
    "SlotQueue",
    "SlotRecord",
    "Source",
    "SourceError",
    "State",
    "Taken",
    "post_due",
]
