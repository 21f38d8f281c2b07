"""A server without ``best_of``."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.of_requests import uses
from reference_server.behaviour.registry import variant


@variant("no-best-of", refuses="best_of")
def no_best_of() -> Behaviour:
    """``best_of`` is rejected with 400, whatever its value."""
    return rejects(uses("best_of"), "best_of is not supported.", param="best_of")
