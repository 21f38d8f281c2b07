"""Faults of keys that nobody knows: neither refused by name nor ignored."""

from reference_server.behaviour.builders import asks, rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.faults._hiding import NON_STREAMING_ONLY

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
    """Whether a key is among the parameters that nobody knows."""
    return not KNOWN.issuperset(request)


@fault("unknown-key-breaks", breaks=HARMLESS, modifiers=NON_STREAMING_ONLY)
def unknown_key_breaks() -> Behaviour:
    """A key that nobody knows is a server fault."""
    return rejects(
        is_unknown, "got an unexpected keyword argument", status=500, kind="server_error"
    )


@fault("unknown-key-not-named", breaks=HARMLESS, modifiers=NON_STREAMING_ONLY)
def unknown_key_not_named() -> Behaviour:
    """A key that nobody knows is refused without saying which."""
    return rejects(is_unknown, "bad request")


@fault("unknown-key-steers", breaks=HARMLESS, modifiers=NON_STREAMING_ONLY)
def unknown_key_steers() -> Behaviour:
    """A key that nobody knows is written into the prompt."""

    def ask(request: Body) -> Body:
        known = {name: value for name, value in request.items() if name in KNOWN}
        if known == request or not isinstance(request.get("prompt"), str):
            return known
        return {**known, "prompt": f"{sorted(request)} {request['prompt']}"}

    return asks(ask)


@fault("messages-answered", breaks=HARMLESS, evidence=Evidence.SOURCE, modifiers=NON_STREAMING_ONLY)
def messages_answered() -> Behaviour:
    """The ``messages`` of a chat are answered in place of the prompt."""

    def ask(request: Body) -> Body:
        said = request.get("messages")
        known = {name: value for name, value in request.items() if name in KNOWN}
        return {**known, "prompt": said[-1]["content"]} if said else known

    return asks(ask)
