"""Faults of ``finish_reason``: it is missing or wrong."""

from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import choices, chunks, each_choice
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger

LIMIT, SEQUENCE = "finish-reason.length-at-limit", "finish-reason.stop-at-sequence"


def reasons(change: Callable[[Body, str], Any]) -> Rewrite:
    """Change the finish reasons of all responses: ``(request, reason)``."""

    def of(request: Body, choice: Body) -> Body:
        reason = choice["finish_reason"]
        return choice if reason is None else {**choice, "finish_reason": change(request, reason)}

    return each_choice(of)


@fault("finish-stop-at-limit", breaks=LIMIT, evidence=Evidence.SIBLING)
def finish_stop_at_limit() -> Behaviour:
    """A completion that reached ``max_tokens`` has the finish reason ``stop``."""
    return reasons(lambda *_: "stop")


@fault(
    "finish-always-null",
    breaks="finish-reason.known-value streaming.one-finish-per-choice",
    evidence=Evidence.SIBLING,
)
def finish_always_null() -> Behaviour:
    """``finish_reason`` is null in every response."""
    return reasons(lambda *_: None)


@fault("finish-always-length", breaks=SEQUENCE)
def finish_always_length() -> Behaviour:
    """A completion that ends at a stop sequence or by itself has the finish reason ``length``."""
    return reasons(lambda *_: "length")


@fault("finish-length-at-stop", breaks=SEQUENCE, evidence=Evidence.REPORTED, triggers=())
def finish_length_at_stop() -> Behaviour:
    """A completion that ends at a stop sequence has the finish reason ``length``.

    Reported for KoboldCpp: https://github.com/LostRuins/koboldcpp/issues/2481
    """
    return reasons(lambda request, reason: "length" if request.get("stop") else reason)


@fault(
    "finish-lost-with-logprobs",
    breaks="streaming.one-finish-per-choice",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def finish_lost_with_logprobs() -> Behaviour:
    """A stream with log probabilities has no finish reason.

    Reported of a chat endpoint, for LiteLLM: https://github.com/BerriAI/litellm/issues/10686
    """

    def of(request: Body, sent: list[Body]) -> list[Body]:
        if request.get("logprobs") is None:
            return sent
        return [
            {**c, "choices": [{**part, "finish_reason": None} for part in c["choices"]]}
            for c in sent
        ]

    return chunks(of)


@fault("finish-length-at-end", breaks="finish-reason.stop-at-natural-end")
def finish_length_at_end() -> Behaviour:
    """A completion that ends by itself has the finish reason ``length``."""
    return reasons(lambda request, reason: reason if request.get("stop") else "length")


@fault("finish-eos", breaks="finish-reason.known-value finish-reason.stop-at-natural-end")
def finish_eos() -> Behaviour:
    """The finish reason is ``eos`` at the end of text and ``stop_sequence`` at a stop sequence."""
    return reasons(
        lambda request, reason: (
            reason if reason == "length" else "stop_sequence" if request.get("stop") else "eos"
        )
    )


@fault("finish-max-tokens", breaks="finish-reason.known-value")
def finish_max_tokens() -> Behaviour:
    """A completion that reached ``max_tokens`` has the finish reason ``max_tokens``."""
    return reasons(lambda _, reason: "max_tokens" if reason == "length" else reason)


@fault(
    "finish-of-first",
    breaks="finish-reason.per-choice",
    triggers=(Trigger.BATCH,),
)
def finish_of_first() -> Behaviour:
    """Every choice has the finish reason of the first one."""
    return choices(lambda _, of: [{**one, "finish_reason": of[0]["finish_reason"]} for one in of])
