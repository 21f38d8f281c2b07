"""Faults of unknown parameters: they are neither rejected by name nor ignored."""

from reference_server.behaviour.builders import rejects, rewrites
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.faults._triggers import NON_STREAMING_ONLY

HARMLESS = "unknown-key.refused-or-ignored"
KNOWN = frozenset(
    {
        "model",
        "prompt",
        "suffix",
        "max_tokens",
        "temperature",
        "top_p",
        "n",
        "stream",
        "stream_options",
        "logprobs",
        "echo",
        "stop",
        "presence_penalty",
        "frequency_penalty",
        "best_of",
        "logit_bias",
        "seed",
        "user",
    }
)


def is_unknown(request: Body) -> bool:
    """Whether a key is an unknown parameter."""
    return not KNOWN.issuperset(request)


@fault("unknown-key-breaks", breaks=HARMLESS, triggers=NON_STREAMING_ONLY)
def unknown_key_breaks() -> Behaviour:
    """An unknown parameter causes a server error."""
    return rejects(
        is_unknown, "got an unexpected keyword argument", status=500, kind="server_error"
    )


@fault("unknown-key-not-named", breaks=HARMLESS, triggers=NON_STREAMING_ONLY)
def unknown_key_not_named() -> Behaviour:
    """An unknown parameter is rejected without its name."""
    return rejects(is_unknown, "bad request")


@fault("unknown-key-steers", breaks=HARMLESS, triggers=NON_STREAMING_ONLY)
def unknown_key_steers() -> Behaviour:
    """An unknown parameter is written into the prompt."""

    def rewrite(request: Body) -> Body:
        known = {name: value for name, value in request.items() if name in KNOWN}
        if known == request or not isinstance(request.get("prompt"), str):
            return known
        return {**known, "prompt": f"{sorted(request)} {request['prompt']}"}

    return rewrites(rewrite)


@fault("messages-answered", breaks=HARMLESS, evidence=Evidence.SOURCE, triggers=NON_STREAMING_ONLY)
def messages_answered() -> Behaviour:
    """``messages`` of a chat replace the prompt."""

    def rewrite(request: Body) -> Body:
        said = request.get("messages")
        known = {name: value for name, value in request.items() if name in KNOWN}
        return {**known, "prompt": said[-1]["content"]} if said else known

    return rewrites(rewrite)
