"""What is accepted without streaming is accepted as a stream, which often has separate code.

Several values at the ends of their ranges, and nulls, go into one stream. Only if that is rejected
is each sent in a stream of its own, and then in a non-streaming request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.refusals import minimal_request
from conformance.contract import Contract
from conformance.judgement import Failure, NotApplicable, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.response import REFUSALS

EDGES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "temperature-highest": ("temperature.range-served", {"temperature": "maximum"}),
    "temperature-zero": ("temperature.range-served", {"temperature": "minimum"}),
    "temperature-and-top-p": (
        "temperature.with-top-p-served",
        {"temperature": "minimum", "top_p": 0.01},
    ),
    "temperature-null": ("temperature.null-is-default", {"temperature": None}),
    "top-p-small": ("top-p.range-served", {"top_p": 0.01}),
    "top-p-one": ("top-p.range-served", {"top_p": 1}),
    "top-p-null": ("top-p.null-is-default", {"top_p": None}),
    "presence-penalty-highest": (
        "presence-penalty.range-served",
        {"presence_penalty": "maximum"},
    ),
    "presence-penalty-lowest": ("presence-penalty.range-served", {"presence_penalty": "minimum"}),
    "frequency-penalty-highest": (
        "frequency-penalty.range-served",
        {"frequency_penalty": "maximum"},
    ),
    "frequency-penalty-lowest": (
        "frequency-penalty.range-served",
        {"frequency_penalty": "minimum"},
    ),
    "seed-negative": ("seed.whole-range-served", {"seed": -7}),
    "seed-large": ("seed.whole-range-served", {"seed": 2**40}),
    "seed-null": ("seed.null-is-none", {"seed": None}),
    "stop-null": ("stop.null-is-none", {"stop": None}),
    "suffix-null": ("suffix.null-is-none", {"suffix": None}),
    "logprobs-null": ("logprobs.null-is-none", {"logprobs": None}),
}
"""What must be accepted, and the requirement that states it; a word is a bound of the contract."""

TOGETHER = (
    (
        "temperature-highest",
        "presence-penalty-highest",
        "frequency-penalty-lowest",
        "seed-negative",
    ),
    ("temperature-zero", "presence-penalty-lowest", "frequency-penalty-highest", "seed-large"),
    ("temperature-null", "top-p-null", "seed-null", "stop-null", "suffix-null", "logprobs-null"),
    ("top-p-one",),
    ("top-p-small",),
    ("temperature-and-top-p",),
)
"""What one stream combines; a temperature with a `top_p` need not be accepted."""


def _register(edge: str, requirement: str, values: Mapping[str, Any]) -> None:
    async def is_served(api: Api) -> None:
        await assert_streamed(api, edge)

    result = " and ".join(f"`{name}: {_written(value)}`" for name, value in values.items())
    result_zh = " 与 ".join(f"`{name}: {_written(value)}`" for name, value in values.items())
    is_served.__doc__ = (
        f"A stream with {result} is accepted if the non-streaming request is.\n\n"
        f"若非流式请求接受 {result_zh}，则流式请求同样接受。"
    )
    check(
        f"served-streams.{edge}",
        requirement=requirement,
        tier="deep",
        needs=("stream", *values),
        made_from=({edge: (requirement, values)}, assert_streamed),
    )(is_served)


def _written(value: object) -> str:
    return value if isinstance(value, str) else shown(value)


async def assert_streamed(api: Api, edge: str) -> None:
    """Assert that a stream at an edge is not rejected if the non-streaming request is accepted.

    Raises:
        Deviation: it is.
        NotApplicable: the document states no such edge.
    """
    alone = values_at(api.contract, edge)
    if alone is None:
        raise NotApplicable(say("this document states no such value"))
    group = next(group for group in TOGETHER if edge in group)
    known = [values for one in group if (values := values_at(api.contract, one)) is not None]
    together = {name: value for values in known for name, value in values.items()}
    if await is_served(api, stream=True, **together):
        return
    if await is_served(api, stream=True, **alone) or not await is_served(api, **alone):
        return
    if not await is_served(api, stream=True):
        raise NotApplicable(say("all streams are rejected (covered by another check)"))
    raise Failure(
        say("a stream with {values} accepted like the non-streaming request", values=shown(alone)),
        say("the stream is rejected"),
        effect=Effect.REFUSED,
    )


def values_at(contract: Contract, edge: str) -> dict[str, Any] | None:
    """Return the parameters of a request at an edge, or None if the contract does not state it."""
    requirement, values = EDGES[edge]
    if contract.why_not_in_force(requirement) is not None:
        return None
    found: dict[str, Any] = {}
    for name, value in values.items():
        parameter = contract.parameter(name)
        known = parameter.nullable if value is None else parameter.documented
        bound = getattr(parameter, value) if isinstance(value, str) else value
        if not known or (bound is None and value is not None):
            return None
        found[name] = bound
    return found


async def is_served(api: Api, **request: Any) -> bool:
    """Return whether the cheapest request with more parameters is accepted or rejected.

    Raises:
        Inconclusive: neither: 429, 5xx, a problem with the key, or no response.
    """
    response = await api.complete(**minimal_request(**request))
    if response.status in REFUSALS:
        return False
    if response.status != 200:
        response.expect_ok()
    return True


for _edge, (_requirement, _values) in EDGES.items():
    _register(_edge, _requirement, _values)
