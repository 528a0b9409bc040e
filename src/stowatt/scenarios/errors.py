"""What can be wrong with a community, with the flows of a scheme, or with a scenario."""

from stowatt.errors import StowattError


class ScenarioError(StowattError):
    """A community, its prices or a scenario cannot be used."""


class FlowsError(ScenarioError):
    """The flows of a scheme break a law of physics or of accounting: a fault of the scheme, never of its user."""
