"""Faults of ``suffix``: it is dropped, misplaced, or returned."""

from reference_server.behaviour.builders import drops, rejects, rewrites, sets, texts
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._triggers import HANDLERS, NO_ECHO, RARE

TRIGGERS = NO_ECHO - {Trigger.BATCH}
"""Triggers. No document defines a suffix with an echo or in a batch."""


def has_suffix(request: Body) -> bool:
    """Whether the request has a suffix that is not empty."""
    return isinstance(request.get("suffix"), str) and request["suffix"] != ""


@fault(
    "suffix-dropped",
    breaks="suffix.conditions-insertion",
    evidence=Evidence.SOURCE,
    # A third of a dozen insertions would show it, and only log probabilities show it in one.
    triggers=TRIGGERS - RARE,
)
def suffix_dropped() -> Behaviour:
    """``suffix`` is dropped, and the prompt is continued as if it had not been sent."""
    return drops("suffix")


@fault("suffix-as-prompt", breaks="suffix.conditions-insertion", triggers=TRIGGERS - RARE)
def suffix_as_prompt() -> Behaviour:
    """The suffix is appended to the prompt, and the completion continues both."""

    def rewrite(request: Body) -> Body:
        if not has_suffix(request) or not isinstance(request.get("prompt"), str):
            return request
        return {**request, "prompt": request["prompt"] + request["suffix"], "suffix": None}

    return rewrites(rewrite)


@fault("suffix-appended", breaks="suffix.not-appended", triggers=TRIGGERS - RARE)
def suffix_appended() -> Behaviour:
    """The suffix is returned after the insertion."""
    return texts(lambda request, _, text: text + (request.get("suffix") or ""))


@fault("suffix-null-a-word", breaks="suffix.null-is-none", triggers=HANDLERS | {Trigger.NON_ASCII})
def suffix_null_a_word() -> Behaviour:
    """``suffix: null`` is replaced by the word None."""
    return sets(lambda request: "suffix" in request and request["suffix"] is None, suffix="None")


@fault("suffix-null-refused", breaks="suffix.null-is-none", triggers=HANDLERS)
def suffix_null_refused() -> Behaviour:
    """``suffix: null`` is rejected."""
    return rejects(
        lambda request: "suffix" in request and request["suffix"] is None, param="suffix"
    )


@fault(
    "suffix-breaks",
    breaks="errors.good-input-no-server-fault suffix.with-echo-or-batch",
    triggers={Trigger.ECHO, Trigger.BATCH},
)
def suffix_breaks() -> Behaviour:
    """A request with ``suffix`` causes a server error."""
    return rejects(
        has_suffix, "'NoneType' object is not subscriptable", status=500, kind="server_error"
    )
