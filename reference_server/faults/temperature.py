"""Faults of ``temperature``."""

from reference_server.behaviour.builders import asks, drops, rejects, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import EVERYWHERE, Modifier
from reference_server.faults._hiding import HANDLERS, RARE, REQUESTS

SCALES = "temperature.scales-randomness"


def is_zero(request: Body) -> bool:
    """Whether the request is greedy by its temperature."""
    return "temperature" in request and request["temperature"] == 0


@fault("temp-zero-samples", breaks="temperature.zero-is-greedy", evidence=Evidence.REPORTED)
def temp_zero_samples() -> Behaviour:
    """``temperature: 0`` samples, because the 0 is lost on the way."""
    return drops("temperature", when=is_zero)


@fault("temp-zero-warm", breaks="temperature.zero-is-greedy")
def temp_zero_warm() -> Behaviour:
    """``temperature: 0`` is taken for half."""
    return sets(is_zero, temperature=0.5)


@fault(
    "temperature-ignored",
    breaks=f"{SCALES} temperature.zero-is-greedy",
    evidence=Evidence.REPORTED,
    statistical=True,
)
def temperature_ignored() -> Behaviour:
    """Every temperature above 0 is taken for 1."""
    return sets(
        lambda request: bool(request.get("temperature")) and in_range(request), temperature=1
    )


@fault("temperature-always-zero", breaks=f"{SCALES} temperature.repeats-vary", statistical=True)
def temperature_always_zero() -> Behaviour:
    """Every answer is greedy."""
    return sets(in_range, temperature=0)


@fault(
    "temperature-low",
    breaks=f"{SCALES} temperature.repeats-vary temperature.default-one",
    statistical=True,
)
def temperature_low() -> Behaviour:
    """No temperature above 0.3 is served, and what is beyond it is lowered to it."""
    return sets(
        lambda request: (
            in_range(request)
            and (request.get("temperature") is None or request["temperature"] > 0.3)
        ),
        temperature=0.3,
    )


@fault("temperature-clipped", breaks=SCALES, statistical=True, modifiers=EVERYWHERE - RARE)
def temperature_clipped() -> Behaviour:
    """A temperature above 1 is taken for 1."""
    return sets(
        lambda request: in_range(request) and (request.get("temperature") or 0) > 1, temperature=1
    )


@fault("temperature-default-zero", breaks="temperature.default-one", modifiers=REQUESTS)
def temperature_default_zero() -> Behaviour:
    """Without a temperature answers are greedy."""
    return sets(
        lambda request: request.get("temperature") is None and request.get("top_p") is None,
        temperature=0,
    )


@fault(
    "temperature-null-zero",
    breaks="temperature.null-is-default",
    modifiers=REQUESTS - {Modifier.ECHO, Modifier.BATCH},
)
def temperature_null_zero() -> Behaviour:
    """``temperature: null`` is taken for 0."""
    return sets(
        lambda request: "temperature" in request and request["temperature"] is None, temperature=0
    )


@fault("temperature-null-refused", breaks="temperature.null-is-default", modifiers=HANDLERS)
def temperature_null_refused() -> Behaviour:
    """``temperature: null`` is refused."""
    return rejects(lambda request: "temperature" in request and request["temperature"] is None)


@fault("temperature-two-refused", breaks="temperature.range-served", modifiers=HANDLERS)
def temperature_two_refused() -> Behaviour:
    """A temperature above 1 is refused."""
    return rejects(
        lambda request: in_range(request) and (request.get("temperature") or 0) > 1,
        param="temperature",
    )


@fault(
    "temperature-zero-refused",
    breaks="temperature.range-served",
    evidence=Evidence.REPORTED,
    modifiers=HANDLERS,
)
def temperature_zero_refused() -> Behaviour:
    """``temperature: 0`` is refused."""
    return rejects(is_zero, "temperature must be strictly positive", param="temperature")


@fault(
    "temperature-out-of-range-accepted",
    breaks="temperature.out-of-range-refused errors.stream-refused-as-json",
    modifiers=HANDLERS,
)
def temperature_out_of_range_accepted() -> Behaviour:
    """A temperature beyond its range is moved to the end of it."""

    def ask(request: Body) -> Body:
        given = request.get("temperature")
        if not isinstance(given, int | float) or isinstance(given, bool):
            return request
        return {**request, "temperature": max(0, min(2, given))}

    return asks(ask)


@fault("temperature-with-top-p-refused", breaks="temperature.with-top-p-served", modifiers=HANDLERS)
def temperature_with_top_p_refused() -> Behaviour:
    """``temperature`` and ``top_p`` in one request are refused."""
    return rejects(
        lambda request: request.get("temperature") is not None and request.get("top_p") is not None
    )


@fault(
    "temperature-with-top-p-breaks",
    breaks="temperature.with-top-p-refused",
    modifiers=(),
    contract="zhizengzeng",
    dialect="zhizengzeng",
)
def temperature_with_top_p_breaks() -> Behaviour:
    """``temperature`` and ``top_p`` in one request are a server fault, not a refusal."""
    return rejects(
        lambda request: request.get("temperature") is not None and request.get("top_p") is not None,
        "internal error",
        status=500,
        kind="server_error",
    )


def in_range(request: Body) -> bool:
    """Whether the temperature is one that may be sent, or none."""
    given = request.get("temperature")
    return given is None or (isinstance(given, int | float) and 0 <= given <= 2)
