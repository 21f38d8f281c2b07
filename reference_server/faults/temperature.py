"""Faults of ``temperature``."""

from reference_server.behaviour.builders import drops, rejects, rewrites, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger
from reference_server.faults._triggers import HANDLERS, RARE, REQUESTS

SCALES = "temperature.scales-randomness"


def is_zero(request: Body) -> bool:
    """Whether the temperature makes the request greedy."""
    return "temperature" in request and request["temperature"] == 0


@fault("temp-zero-samples", breaks="temperature.zero-is-greedy", evidence=Evidence.REPORTED)
def temp_zero_samples() -> Behaviour:
    """``temperature: 0`` samples, because a relay drops the 0."""
    return drops("temperature", when=is_zero)


@fault("temp-zero-warm", breaks="temperature.zero-is-greedy")
def temp_zero_warm() -> Behaviour:
    """``temperature: 0`` is replaced by 0.5."""
    return sets(is_zero, temperature=0.5)


@fault(
    "temperature-ignored",
    breaks=f"{SCALES} temperature.zero-is-greedy",
    evidence=Evidence.REPORTED,
    tier=Tier.DEEP,
)
def temperature_ignored() -> Behaviour:
    """Every temperature above 0 is replaced by 1."""
    return sets(
        lambda request: bool(request.get("temperature")) and in_range(request), temperature=1
    )


@fault("temperature-always-zero", breaks=f"{SCALES} temperature.repeats-vary", tier=Tier.DEEP)
def temperature_always_zero() -> Behaviour:
    """Every completion is greedy."""
    return sets(in_range, temperature=0)


@fault(
    "temperature-low",
    breaks=f"{SCALES} temperature.repeats-vary temperature.default-one",
    tier=Tier.DEEP,
)
def temperature_low() -> Behaviour:
    """A temperature above 0.3 is lowered to 0.3."""
    return sets(
        lambda request: (
            in_range(request)
            and (request.get("temperature") is None or request["temperature"] > 0.3)
        ),
        temperature=0.3,
    )


@fault("temperature-clipped", breaks=SCALES, tier=Tier.DEEP, triggers=ALL_TRIGGERS - RARE)
def temperature_clipped() -> Behaviour:
    """A temperature above 1 is lowered to 1."""
    return sets(
        lambda request: in_range(request) and (request.get("temperature") or 0) > 1, temperature=1
    )


@fault("temperature-default-zero", breaks="temperature.default-one", triggers=REQUESTS)
def temperature_default_zero() -> Behaviour:
    """Without a temperature, completions are greedy."""
    return sets(
        lambda request: request.get("temperature") is None and request.get("top_p") is None,
        temperature=0,
    )


@fault(
    "temperature-null-zero",
    breaks="temperature.null-is-default",
    triggers=REQUESTS - {Trigger.ECHO, Trigger.BATCH},
)
def temperature_null_zero() -> Behaviour:
    """``temperature: null`` is replaced by 0."""
    return sets(
        lambda request: "temperature" in request and request["temperature"] is None, temperature=0
    )


@fault("temperature-null-refused", breaks="temperature.null-is-default", triggers=HANDLERS)
def temperature_null_refused() -> Behaviour:
    """``temperature: null`` is rejected."""
    return rejects(lambda request: "temperature" in request and request["temperature"] is None)


@fault("temperature-two-refused", breaks="temperature.range-served", triggers=HANDLERS)
def temperature_two_refused() -> Behaviour:
    """A temperature above 1 is rejected."""
    return rejects(
        lambda request: in_range(request) and (request.get("temperature") or 0) > 1,
        param="temperature",
    )


@fault(
    "temperature-zero-refused",
    breaks="temperature.range-served",
    evidence=Evidence.REPORTED,
    triggers=HANDLERS,
)
def temperature_zero_refused() -> Behaviour:
    """``temperature: 0`` is rejected."""
    return rejects(is_zero, "temperature must be strictly positive", param="temperature")


@fault(
    "temperature-out-of-range-accepted",
    breaks="temperature.out-of-range-refused errors.stream-refused-as-json",
    triggers=HANDLERS,
)
def temperature_out_of_range_accepted() -> Behaviour:
    """A temperature out of range is clamped to the range."""

    def rewrite(request: Body) -> Body:
        given = request.get("temperature")
        if not isinstance(given, int | float) or isinstance(given, bool):
            return request
        return {**request, "temperature": max(0, min(2, given))}

    return rewrites(rewrite)


@fault("temperature-with-top-p-refused", breaks="temperature.with-top-p-served", triggers=HANDLERS)
def temperature_with_top_p_refused() -> Behaviour:
    """``temperature`` and ``top_p`` in one request are rejected."""
    return rejects(
        lambda request: request.get("temperature") is not None and request.get("top_p") is not None
    )


@fault(
    "temperature-with-top-p-breaks",
    breaks="temperature.with-top-p-refused",
    # The document allows the request.
    also_breaks="errors.good-input-no-server-fault",
    triggers=(),
    contract="zhizengzeng",
    dialect="zhizengzeng",
)
def temperature_with_top_p_breaks() -> Behaviour:
    """``temperature`` and ``top_p`` in one request cause a server error."""
    return rejects(
        lambda request: request.get("temperature") is not None and request.get("top_p") is not None,
        "internal error",
        status=500,
        kind="server_error",
    )


def in_range(request: Body) -> bool:
    """Whether the temperature is valid or absent."""
    given = request.get("temperature")
    return given is None or (isinstance(given, int | float) and 0 <= given <= 2)
