"""A server that makes no more candidates than choices."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import variant
from reference_server.variants._requests import asks_for


@variant("no-best-of", refuses="best_of")
def no_best_of() -> Behaviour:
    """``best_of`` is declined with 400, whatever its value."""
    return rejects(asks_for("best_of"), "best_of is not supported.", param="best_of")
