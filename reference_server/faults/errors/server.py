"""Faults of a server that falls over requests which it was promised to take."""

from reference_server.behaviour.builders import Condition, rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Modifier

BREAKS = "errors.good-input-no-server-fault"
HALVES = frozenset({Modifier.STREAM, Modifier.NON_STREAMING})
"""Every third time would be a server that stumbles, and is served when it is asked again."""


def _falls_over(when: Condition) -> Behaviour:
    return rejects(when, "", status=500, kind="internal_server_error")


@fault("batch-breaks-server", breaks=BREAKS, evidence=Evidence.REPORTED, modifiers=HALVES)
def batch_breaks_server() -> Behaviour:
    """Several prompts are a server fault."""

    def is_batch(request: Body) -> bool:
        prompt = request.get("prompt")
        return isinstance(prompt, list) and len(prompt) > 1 and isinstance(prompt[0], str)

    return _falls_over(is_batch)


@fault("tokens-break-server", breaks=BREAKS, evidence=Evidence.REPORTED, modifiers=())
def tokens_break_server() -> Behaviour:
    """A prompt of token ids is a server fault."""

    def is_tokens(request: Body) -> bool:
        prompt = request.get("prompt")
        return isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], str)

    return _falls_over(is_tokens)


@fault("null-breaks-server", breaks=BREAKS, evidence=Evidence.REPORTED, modifiers=())
def null_breaks_server() -> Behaviour:
    """A null where a number can stand is a server fault."""
    numbers = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "max_tokens")
    return _falls_over(
        lambda request: any(name in request and request[name] is None for name in numbers)
    )


@fault("lowest-penalty-breaks-server", breaks=BREAKS, evidence=Evidence.REPORTED, modifiers=HALVES)
def lowest_penalty_breaks_server() -> Behaviour:
    """The lowest penalty that is documented is a server fault."""
    return _falls_over(lambda request: request.get("frequency_penalty") == -2)
