"""A server without ``seed``."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.of_requests import uses
from reference_server.behaviour.registry import variant


@variant("no-seed", refuses="seed")
def no_seed() -> Behaviour:
    """``seed`` is rejected with 400."""
    return rejects(uses("seed"), "Unsupported parameter: 'seed'", param="seed")
