"""Faults of server errors caused by valid requests."""

from reference_server.behaviour.builders import Condition, rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Trigger

BREAKS = "errors.good-input-no-server-fault"
TRIGGERS = frozenset({Trigger.STREAM, Trigger.NON_STREAMING})
"""Excludes `@every-third`: a server error is retried, and the retry would succeed."""


def _falls_over(when: Condition) -> Behaviour:
    return rejects(when, "", status=500, kind="internal_server_error")


@fault("batch-breaks-server", breaks=BREAKS, evidence=Evidence.REPORTED, triggers=TRIGGERS)
def batch_breaks_server() -> Behaviour:
    """Several prompts cause a server error."""

    def is_batch(request: Body) -> bool:
        prompt = request.get("prompt")
        return isinstance(prompt, list) and len(prompt) > 1 and isinstance(prompt[0], str)

    return _falls_over(is_batch)


@fault("tokens-break-server", breaks=BREAKS, evidence=Evidence.REPORTED, triggers=())
def tokens_break_server() -> Behaviour:
    """A prompt of token ids causes a server error."""

    def is_tokens(request: Body) -> bool:
        prompt = request.get("prompt")
        return isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], str)

    return _falls_over(is_tokens)


@fault("null-breaks-server", breaks=BREAKS, evidence=Evidence.REPORTED, triggers=())
def null_breaks_server() -> Behaviour:
    """Null for a parameter that can be a number causes a server error."""
    numbers = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "max_tokens")
    return _falls_over(
        lambda request: any(name in request and request[name] is None for name in numbers)
    )


@fault("lowest-penalty-breaks-server", breaks=BREAKS, evidence=Evidence.REPORTED, triggers=TRIGGERS)
def lowest_penalty_breaks_server() -> Behaviour:
    """The lowest documented penalty causes a server error."""
    return _falls_over(lambda request: request.get("frequency_penalty") == -2)


@fault(
    "absent-prompt-breaks-server",
    breaks=BREAKS,
    also_breaks="prompt.absent-or-null",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def absent_prompt_breaks_server() -> Behaviour:
    """A request without a prompt causes a server error."""
    return _falls_over(lambda request: request.get("prompt") is None)
