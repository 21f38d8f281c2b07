"""Members that nobody promised and nobody forbids."""

from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.pieces import members
from reference_server.behaviour.registry import variant


@variant("timings")
def timings() -> Behaviour:
    """Answers and chunks carry ``timings`` of their own, as llama.cpp's do."""
    return members(timings={"predicted_ms": 12.5})
