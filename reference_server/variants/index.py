"""In which order choices are listed."""

from __future__ import annotations

from reference_server.behaviour.builders import choices
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import variant


@variant("choices-backwards")
def choices_backwards() -> Behaviour:
    """A plain answer lists its choices from the last to the first."""
    return choices(lambda _, of: of[::-1])
