"""Faults of ``top_p``."""

from reference_server.behaviour.builders import drops, rejects, rewrites, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._triggers import HANDLERS, REQUESTS

NARROWS = "top-p.narrows-sampling"


def share(request: Body) -> float:
    """The ``top_p`` of a request, and 1 if it is absent or invalid."""
    given = request.get("top_p")
    good = isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 1
    return float(given) if given is not None and good else 1.0


@fault("top-p-ignored", breaks=NARROWS)
def top_p_ignored() -> Behaviour:
    """``top_p`` has no effect."""
    return drops("top_p", when=lambda request: share(request) < 1)


@fault("top-p-inverted", breaks=NARROWS)
def top_p_inverted() -> Behaviour:
    """``top_p`` is interpreted as the share to exclude."""
    return rewrites(
        lambda request: {**request, "top_p": 1 - share(request)} if share(request) < 1 else request
    )


@fault("top-p-at-least-half", breaks=NARROWS)
def top_p_at_least_half() -> Behaviour:
    """A ``top_p`` below 0.5 is raised to 0.5."""
    return sets(lambda request: share(request) < 0.5, top_p=0.5)


@fault("top-p-zero-lost", breaks=NARROWS, evidence=Evidence.SOURCE)
def top_p_zero_lost() -> Behaviour:
    """``top_p: 0`` is dropped, and the default applies."""
    return drops("top_p", when=lambda request: share(request) == 0)


@fault(
    "top-p-one-rejected",
    breaks="top-p.range-served",
    evidence=Evidence.REPORTED,
    triggers=HANDLERS,
)
def top_p_one_rejected() -> Behaviour:
    """``top_p: 1`` is rejected."""
    return rejects(
        lambda request: request.get("top_p") == 1, "top_p must be below 1", param="top_p"
    )


@fault("top-p-small-refused", breaks="top-p.range-served", triggers=HANDLERS)
def top_p_small_refused() -> Behaviour:
    """A ``top_p`` below 0.1 is rejected."""
    return rejects(lambda request: 0 < share(request) < 0.1, param="top_p")


@fault(
    "top-p-out-of-range-accepted",
    breaks="top-p.out-of-range-refused errors.stream-refused-as-json",
    triggers=HANDLERS,
)
def top_p_out_of_range_accepted() -> Behaviour:
    """A ``top_p`` out of range is dropped, and the default applies."""
    return drops(
        "top_p",
        when=lambda request: (
            isinstance(request.get("top_p"), int | float) and not 0 <= request["top_p"] <= 1
        ),
    )


@fault(
    "top-p-null-narrows",
    breaks="top-p.null-is-default",
    triggers=REQUESTS - {Trigger.ECHO, Trigger.BATCH},
)
def top_p_null_narrows() -> Behaviour:
    """``top_p: null`` is replaced by a value that leaves one token."""
    return sets(lambda request: "top_p" in request and request["top_p"] is None, top_p=0.0001)


@fault("top-p-null-refused", breaks="top-p.null-is-default", triggers=HANDLERS)
def top_p_null_refused() -> Behaviour:
    """``top_p: null`` is rejected."""
    return rejects(lambda request: "top_p" in request and request["top_p"] is None)


@fault(
    "top-p-zero-refused",
    breaks="top-p.minimum-served",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def top_p_zero_refused() -> Behaviour:
    """``top_p: 0`` is rejected, as by a sampler that needs a share above 0.

    Reported for vLLM: https://github.com/microsoft/TaskWeaver/issues/231
    and for TGI: https://github.com/huggingface/text-generation-inference/pull/2231
    """
    return rejects(
        lambda request: "top_p" in request and request["top_p"] == 0,
        "top_p must be in (0, 1], got 0.0.",
        param="top_p",
    )
