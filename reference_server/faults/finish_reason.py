"""Faults of ``finish_reason``: an answer does not say why it ended, or says what is not so."""

from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import choices, each_choice
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Modifier

LIMIT, SEQUENCE = "finish-reason.length-at-limit", "finish-reason.stop-at-sequence"


def reasons(change: Callable[[Body, str], Any]) -> Rewrite:
    """Choices end for other reasons, plain and streamed: ``(asked, reason)``."""

    def of(request: Body, choice: Body) -> Body:
        reason = choice["finish_reason"]
        return choice if reason is None else {**choice, "finish_reason": change(request, reason)}

    return each_choice(of)


@fault("finish-stop-at-limit", breaks=LIMIT, evidence=Evidence.SIBLING)
def finish_stop_at_limit() -> Behaviour:
    """An answer that the limit cut says ``stop``."""
    return reasons(lambda *_: "stop")


@fault(
    "finish-always-null",
    breaks="finish-reason.known-value streaming.one-finish-per-choice",
    evidence=Evidence.SIBLING,
)
def finish_always_null() -> Behaviour:
    """No answer says why it ended."""
    return reasons(lambda *_: None)


@fault("finish-always-length", breaks=SEQUENCE)
def finish_always_length() -> Behaviour:
    """An answer that a stop sequence or its own end ended says ``length``."""
    return reasons(lambda *_: "length")


@fault("finish-length-at-end", breaks="finish-reason.stop-at-natural-end")
def finish_length_at_end() -> Behaviour:
    """An answer that ended by itself says ``length``."""
    return reasons(lambda request, reason: reason if request.get("stop") else "length")


@fault("finish-eos", breaks="finish-reason.known-value finish-reason.stop-at-natural-end")
def finish_eos() -> Behaviour:
    """An answer that ended by itself says ``eos``, and one that was stopped ``stop_sequence``."""
    return reasons(
        lambda request, reason: (
            reason if reason == "length" else "stop_sequence" if request.get("stop") else "eos"
        )
    )


@fault("finish-max-tokens", breaks="finish-reason.known-value")
def finish_max_tokens() -> Behaviour:
    """An answer that the limit cut says ``max_tokens``."""
    return reasons(lambda _, reason: "max_tokens" if reason == "length" else reason)


@fault(
    "finish-of-first",
    breaks="finish-reason.per-choice",
    modifiers=(Modifier.BATCH,),
)
def finish_of_first() -> Behaviour:
    """Every choice says why the first one ended."""
    return choices(lambda _, of: [{**one, "finish_reason": of[0]["finish_reason"]} for one in of])
