"""A server without penalties."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import variant


@variant("no-penalties", refuses="presence_penalty frequency_penalty")
def no_penalties() -> Behaviour:
    """Both penalties are rejected with 400, unless they are 0."""
    return rejects(
        lambda request: any(request.get(f"{kind}_penalty") for kind in ("presence", "frequency")),
        "presence_penalty and frequency_penalty are not supported by this model.",
    )
