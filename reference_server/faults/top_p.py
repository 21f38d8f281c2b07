"""Faults of ``top_p``."""

from reference_server.behaviour.builders import asks, drops, rejects, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Modifier
from reference_server.faults._hiding import HANDLERS, REQUESTS

NARROWS = "top-p.narrows-sampling"


def share(request: Body) -> float:
    """The share that a request asks for, and 1 where it asks for none that may be sent."""
    given = request.get("top_p")
    good = isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 1
    return float(given) if given is not None and good else 1.0


@fault("top-p-ignored", breaks=NARROWS)
def top_p_ignored() -> Behaviour:
    """``top_p`` has no effect."""
    return drops("top_p", when=lambda request: share(request) < 1)


@fault("top-p-inverted", breaks=NARROWS)
def top_p_inverted() -> Behaviour:
    """``top_p`` is taken for the share that is left out."""
    return asks(
        lambda request: {**request, "top_p": 1 - share(request)} if share(request) < 1 else request
    )


@fault("top-p-at-least-half", breaks=NARROWS)
def top_p_at_least_half() -> Behaviour:
    """A ``top_p`` below a half is taken for a half."""
    return sets(lambda request: share(request) < 0.5, top_p=0.5)


@fault("top-p-zero-lost", breaks=NARROWS, evidence=Evidence.SOURCE)
def top_p_zero_lost() -> Behaviour:
    """``top_p: 0`` is lost, and the default holds."""
    return drops("top_p", when=lambda request: share(request) == 0)


@fault(
    "top-p-one-rejected",
    breaks="top-p.range-served",
    evidence=Evidence.REPORTED,
    modifiers=HANDLERS,
)
def top_p_one_rejected() -> Behaviour:
    """``top_p: 1`` is refused."""
    return rejects(
        lambda request: request.get("top_p") == 1, "top_p must be below 1", param="top_p"
    )


@fault("top-p-small-refused", breaks="top-p.range-served", modifiers=HANDLERS)
def top_p_small_refused() -> Behaviour:
    """A ``top_p`` below 0.1 is refused."""
    return rejects(lambda request: 0 < share(request) < 0.1, param="top_p")


@fault(
    "top-p-out-of-range-accepted",
    breaks="top-p.out-of-range-refused errors.stream-refused-as-json",
    modifiers=HANDLERS,
)
def top_p_out_of_range_accepted() -> Behaviour:
    """A ``top_p`` beyond its range is lost, and the default holds."""
    return drops(
        "top_p",
        when=lambda request: (
            isinstance(request.get("top_p"), int | float) and not 0 <= request["top_p"] <= 1
        ),
    )


@fault(
    "top-p-null-narrows",
    breaks="top-p.null-is-default",
    modifiers=REQUESTS - {Modifier.ECHO, Modifier.BATCH},
)
def top_p_null_narrows() -> Behaviour:
    """``top_p: null`` is taken for a share that leaves one token."""
    return sets(lambda request: "top_p" in request and request["top_p"] is None, top_p=0.0001)


@fault("top-p-null-refused", breaks="top-p.null-is-default", modifiers=HANDLERS)
def top_p_null_refused() -> Behaviour:
    """``top_p: null`` is refused."""
    return rejects(lambda request: "top_p" in request and request["top_p"] is None)
