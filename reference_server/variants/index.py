"""The order of choices."""

from __future__ import annotations

from reference_server.behaviour.builders import choices
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import variant


@variant("choices-backwards")
def choices_backwards() -> Behaviour:
    """A non-streaming response lists its choices from the last to the first."""
    return choices(lambda _, of: of[::-1])
