"""A server that serves little."""

from __future__ import annotations

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import variant
from reference_server.variants._requests import asks_for, has_tokens


@variant("no-old-extras", refuses="suffix echo best_of logit_bias logprobs prompt:tokens")
def no_old_extras() -> Behaviour:
    """All that chat models never had is declined at once: a small server with a short manual."""
    old = ("suffix", "echo", "best_of", "logit_bias", "logprobs")
    return rejects(
        lambda request: has_tokens(request) or any(asks_for(name)(request) for name in old),
        "this server supports prompt, max_tokens, temperature, top_p, n, stream, stop, seed and "
        "penalties",
        code="unsupported_parameter",
    )
