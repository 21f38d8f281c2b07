"""Faults of ``suffix``: it is lost, misplaced, or comes back."""

from reference_server.behaviour.builders import asks, drops, rejects, sets, texts
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Modifier
from reference_server.faults._hiding import HANDLERS, NO_ECHO, RARE

HIDES = NO_ECHO - {Modifier.BATCH}
"""With an echo or a batch no document says what a suffix does."""


def has_suffix(request: Body) -> bool:
    """Whether there is a suffix to speak of."""
    return isinstance(request.get("suffix"), str) and request["suffix"] != ""


@fault(
    "suffix-dropped",
    breaks="suffix.conditions-insertion",
    evidence=Evidence.SOURCE,
    # Of a dozen insertions some four would show it, and only scores tell of an insertion by itself.
    modifiers=HIDES - RARE,
)
def suffix_dropped() -> Behaviour:
    """``suffix`` is lost, and the prompt is continued as if it had not been sent."""
    return drops("suffix")


@fault("suffix-as-prompt", breaks="suffix.conditions-insertion", modifiers=HIDES - RARE)
def suffix_as_prompt() -> Behaviour:
    """The suffix is put behind the prompt, and what is returned goes on after both."""

    def ask(request: Body) -> Body:
        if not has_suffix(request) or not isinstance(request.get("prompt"), str):
            return request
        return {**request, "prompt": request["prompt"] + request["suffix"], "suffix": None}

    return asks(ask)


@fault("suffix-appended", breaks="suffix.not-appended", modifiers=HIDES - RARE)
def suffix_appended() -> Behaviour:
    """The suffix is returned behind the insertion."""
    return texts(lambda request, _, text: text + (request.get("suffix") or ""))


@fault(
    "suffix-null-a-word", breaks="suffix.null-is-none", modifiers=HANDLERS | {Modifier.NON_ASCII}
)
def suffix_null_a_word() -> Behaviour:
    """``suffix: null`` is taken for the word None."""
    return sets(lambda request: "suffix" in request and request["suffix"] is None, suffix="None")


@fault("suffix-null-refused", breaks="suffix.null-is-none", modifiers=HANDLERS)
def suffix_null_refused() -> Behaviour:
    """``suffix: null`` is refused."""
    return rejects(
        lambda request: "suffix" in request and request["suffix"] is None, param="suffix"
    )


@fault(
    "suffix-breaks",
    breaks="errors.good-input-no-server-fault suffix.with-echo-or-batch",
    modifiers={Modifier.ECHO, Modifier.BATCH},
)
def suffix_breaks() -> Behaviour:
    """A request with ``suffix`` is a server fault."""
    return rejects(
        has_suffix, "'NoneType' object is not subscriptable", status=500, kind="server_error"
    )
