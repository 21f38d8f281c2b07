"""Faults of ``n``: a wrong number of choices, or choices that are not independent."""

from reference_server.behaviour.builders import (
    choices,
    drops,
    rejects,
    rejects_null,
    rewrites,
    sets,
)
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Shows, fault
from reference_server.behaviour.triggers import Trigger, is_batch
from reference_server.faults._triggers import HANDLERS, REQUESTS

Choices = list[Body]


def count(request: Body) -> int:
    """The number of choices requested for each prompt."""
    given = request.get("n")
    return given if isinstance(given, int) else 1


@fault("n-ignored", breaks="n.count", evidence=Evidence.SIBLING, triggers=REQUESTS)
def n_ignored() -> Behaviour:
    """One choice per prompt is returned, whatever ``n`` is."""
    return drops("n", when=lambda request: 1 < count(request) <= 128 and not request.get("best_of"))


@fault("n-refused", breaks="n.count", triggers=HANDLERS, shows=Shows.REFUSED)
def n_refused() -> Behaviour:
    """An ``n`` above 1 is rejected."""
    return rejects(lambda request: count(request) > 1, param="n")


@fault(
    "choices-dropped",
    breaks="n.count",
    evidence=Evidence.SIBLING,
    triggers=REQUESTS - {Trigger.STREAM, Trigger.NON_STREAMING},
)
def choices_dropped() -> Behaviour:
    """Only the first choice of a response is returned."""
    return choices(lambda request, of: of[:1] if count(request) > 1 else of)


@fault(
    "n-one-less",
    breaks="n.count",
    # `n: 2, best_of: 1` becomes valid.
    also_breaks="best-of.below-n-refused",
    triggers=REQUESTS,
)
def n_one_less() -> Behaviour:
    """One choice fewer than requested is returned."""
    return rewrites(
        lambda request: {**request, "n": request["n"] - 1} if 1 < count(request) <= 128 else request
    )


@fault("n-at-most-two", breaks="n.count", triggers=REQUESTS)
def n_at_most_two() -> Behaviour:
    """At most two choices are returned."""
    return sets(lambda request: 2 < count(request) <= 128, n=2)


@fault("n-of-whole-batch", breaks="n.count", triggers=REQUESTS - {Trigger.BATCH})
def n_of_whole_batch() -> Behaviour:
    """``n`` is ignored if the prompt is a batch."""
    return drops("n", when=lambda request: is_batch(request) and 1 < count(request) <= 128)


@fault("n-default-two", breaks="n.default-one", also_breaks="envelope.choices", triggers=REQUESTS)
def n_default_two() -> Behaviour:
    """Two choices are returned without ``n``."""
    return sets(lambda request: "n" not in request and "best_of" not in request, n=2)


@fault(
    "n-copies",
    breaks="n.samples-are-independent",
    evidence=Evidence.SIBLING,
    triggers=REQUESTS - {Trigger.STREAM, Trigger.NON_STREAMING},
)
def n_copies() -> Behaviour:
    """One completion per prompt is generated and returned ``n`` times."""

    def change(request: Body, of: Choices) -> Choices:
        size = count(request)
        firsts = {one["index"]: one for one in of}
        return [{**firsts[one["index"] // size * size], "index": one["index"]} for one in of]

    return choices(change)


@fault(
    "n-last-copied",
    breaks="n.samples-are-independent",
    triggers=REQUESTS - {Trigger.STREAM, Trigger.NON_STREAMING},
)
def n_last_copied() -> Behaviour:
    """The last choice of a prompt repeats the previous one."""

    def change(request: Body, of: Choices) -> Choices:
        size = count(request)
        at = {one["index"]: one for one in of}
        return [
            {**at[one["index"] - 1], "index": one["index"]}
            if size > 1 and one["index"] % size == size - 1
            else one
            for one in of
        ]

    return choices(change)


@fault("n-zero-accepted", breaks="n.zero-refused errors.stream-refused-as-json", triggers=HANDLERS)
def n_zero_accepted() -> Behaviour:
    """``n: 0`` is replaced by 1."""
    return drops("n", when=lambda request: "n" in request and request["n"] == 0)


@fault(
    "n-above-maximum-accepted",
    breaks="n.above-maximum-refused errors.stream-refused-as-json",
    triggers=HANDLERS,
)
def n_above_maximum_accepted() -> Behaviour:
    """An ``n`` above 128 is lowered to 128."""
    return sets(lambda request: count(request) > 128, n=128)


@fault(
    "n-null-refused",
    breaks="n.null-is-default",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def n_null_refused() -> Behaviour:
    """``n: null`` is rejected.

    Reported for KoboldCpp: https://github.com/LostRuins/koboldcpp/issues/1503
    """
    return rejects_null("n")


@fault("n-null-two", breaks="n.null-is-default", also_breaks="envelope.choices", triggers=())
def n_null_two() -> Behaviour:
    """``n: null`` is replaced by 2."""
    return sets(lambda request: "n" in request and request["n"] is None, n=2)
