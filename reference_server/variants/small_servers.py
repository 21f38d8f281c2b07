"""A server with few parameters."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.of_requests import has_tokens, uses
from reference_server.behaviour.registry import variant


@variant("no-old-extras", refuses="suffix echo best_of logit_bias logprobs prompt:tokens")
def no_old_extras() -> Behaviour:
    """Everything that chat models do not support is rejected."""
    old = ("suffix", "echo", "best_of", "logit_bias", "logprobs")
    return rejects(
        lambda request: has_tokens(request) or any(uses(name)(request) for name in old),
        "this server supports prompt, max_tokens, temperature, top_p, n, stream, stop, seed and "
        "penalties",
        code="unsupported_parameter",
    )
