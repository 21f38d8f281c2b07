"""Faults of ``logit_bias``: other tokens are biased, by other amounts, or none."""

from collections.abc import Callable

from reference_server.behaviour.builders import asks, drops, rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Shows, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import EVERYWHERE, Modifier
from reference_server.faults._hiding import HANDLERS, NON_STREAMING_ONLY

FORCES, BANS = "logit-bias.forces", "logit-bias.bans"
KNOWN = 4096
"""The ids of the bundled vocabulary."""


def bias(change: Callable[[dict[str, float]], dict[str, float]]) -> Rewrite:
    """Another map reaches the server in place of one that it would take."""

    def ask(request: Body) -> Body:
        given = request.get("logit_bias")
        good = isinstance(given, dict) and all(
            key.isdecimal() and int(key) < KNOWN and abs(value) <= 100
            for key, value in given.items()
        )
        return {**request, "logit_bias": change(given)} if given and good else request

    return asks(ask)


@fault("logit-bias-dropped", breaks=f"{FORCES} {BANS}", evidence=Evidence.SOURCE)
def logit_bias_dropped() -> Behaviour:
    """``logit_bias`` is lost."""
    return drops("logit_bias")


@fault("logit-bias-no-effect", breaks=f"{FORCES} {BANS}", evidence=Evidence.REPORTED)
def logit_bias_no_effect() -> Behaviour:
    """``logit_bias`` is checked, and has no effect."""
    return bias(lambda _: {})


@fault("logit-bias-first-only", breaks=f"{FORCES} {BANS}")
def logit_bias_first_only() -> Behaviour:
    """Of several tokens only the first one is biased."""
    return bias(lambda given: dict([next(iter(given.items()))]))


@fault("logit-bias-last-only", breaks=f"{FORCES} {BANS}")
def logit_bias_last_only() -> Behaviour:
    """Of several tokens only the last one is biased."""
    return bias(lambda given: dict([list(given.items())[-1]]))


@fault("logit-bias-clipped", breaks=f"{FORCES} {BANS}")
def logit_bias_clipped() -> Behaviour:
    """A bias beyond 1 either way has the effect of 1."""
    return bias(lambda given: {key: max(-1, min(1, value)) for key, value in given.items()})


@fault("logit-bias-shifted", breaks=f"{FORCES} {BANS} prompt.tokens-equal-text")
def logit_bias_shifted() -> Behaviour:
    """The token with the next id is biased in place of the one that was meant."""
    return bias(lambda given: {str((int(key) + 1) % KNOWN): value for key, value in given.items()})


@fault("logit-bias-negated", breaks=f"{FORCES} {BANS}")
def logit_bias_negated() -> Behaviour:
    """A positive bias bans, and a negative one forces."""
    return bias(lambda given: {key: -value for key, value in given.items()})


@fault("logit-bias-never-negative", breaks=BANS, modifiers=EVERYWHERE - {Modifier.EVERY_THIRD})
def logit_bias_never_negative() -> Behaviour:
    """A negative bias has no effect."""
    return bias(lambda given: {key: value for key, value in given.items() if value > 0})


@fault("logit-bias-never-positive", breaks=FORCES)
def logit_bias_never_positive() -> Behaviour:
    """A positive bias has no effect."""
    return bias(lambda given: {key: value for key, value in given.items() if value < 0})


@fault("logit-bias-mostly-ignored", breaks=f"{FORCES} {BANS}")
def logit_bias_mostly_ignored() -> Behaviour:
    """A bias has a tenth of its effect."""
    return bias(lambda given: {key: value / 10 for key, value in given.items()})


@fault(
    "logit-bias-out-of-range-accepted",
    breaks="logit-bias.out-of-range-refused errors.stream-refused-as-json",
    modifiers=HANDLERS,
)
def logit_bias_out_of_range_accepted() -> Behaviour:
    """A bias beyond 100 either way is lowered to the end of the range."""

    def ask(request: Body) -> Body:
        given = request.get("logit_bias")
        if not isinstance(given, dict):
            return request
        return {**request, "logit_bias": {key: max(-100, min(100, v)) for key, v in given.items()}}

    return asks(ask)


@fault(
    "logit-bias-unknown-ids-accepted",
    breaks="logit-bias.unknown-token-refused errors.stream-refused-as-json",
    modifiers=NON_STREAMING_ONLY,
)
def logit_bias_unknown_ids_accepted() -> Behaviour:
    """Keys that are no token's id are left out in silence."""

    def ask(request: Body) -> Body:
        given = request.get("logit_bias")
        if not isinstance(given, dict):
            return request
        known = {k: v for k, v in given.items() if k.isdecimal() and int(k) < KNOWN}
        return {**request, "logit_bias": known}

    return asks(ask)


@fault("logit-bias-null-refused", breaks=FORCES, modifiers=NON_STREAMING_ONLY)
def logit_bias_null_refused() -> Behaviour:
    """``logit_bias: null`` is refused."""
    return rejects(lambda request: "logit_bias" in request and request["logit_bias"] is None)


@fault("logit-bias-empty-refused", breaks=FORCES, modifiers=(), shows=Shows.REFUSED)
def logit_bias_empty_refused() -> Behaviour:
    """An empty ``logit_bias`` is refused."""
    return rejects(lambda request: request.get("logit_bias") == {})


@fault("logit-bias-ends-refused", breaks=f"{FORCES} {BANS}", modifiers=(), shows=Shows.REFUSED)
def logit_bias_ends_refused() -> Behaviour:
    """A bias at either end of the documented range is refused."""
    return rejects(
        lambda request: (
            isinstance(request.get("logit_bias"), dict)
            and not {-100, 100}.isdisjoint(
                value for value in request["logit_bias"].values() if isinstance(value, int | float)
            )
        )
    )
