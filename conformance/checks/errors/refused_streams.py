"""Invalid values are rejected in streaming requests, too, which often have separate code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.api import Api, in_parallel
from conformance.checks import check
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.refusals import MAX_REJECTED_EVENTS
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.contract import Contract
from conformance.evidence import Evidence
from conformance.judgement import Failure, shown
from conformance.message import say

STEPS: Mapping[str, float] = {
    "temperature": 0.1,
    "top_p": 0.1,
    "frequency_penalty": 0.1,
    "n": 1,
}
"""Parameters with a range, and the distance from it of the tested value."""


@check(
    "refused-streams.as-plain",
    requirement="errors.stream-refused-as-json",
    tier="deep",
    needs=("stream",),
)
async def streams_are_rejected_like_other_requests(api: Api) -> None:
    """Values out of range and other invalid values are rejected in streaming requests, too.

    超出范围的值及其他无效值，在流式请求中同样被拒绝。
    """
    wrong = list(wrong_requests(api.contract))
    served = await in_parallel(*(served_as_stream_only(api, body) for body in wrong))
    streams = [(shown(body), pair) for body, pair in zip(wrong, served, strict=True) if pair]
    if streams:
        raise Failure(
            say("streams to be rejected where non-streaming requests are"),
            say("streams served: {values}", values=tuple(body for body, _ in streams)),
        ).shown_by(streams[0][1])


async def served_as_stream_only(api: Api, wrong: Mapping[str, Any]) -> Evidence | None:
    """Return the exchanges of a request that is served only with ``stream``; None if it is not."""
    body = {"model": api.model, **wrong}
    plain = (await api.post(body)).exchange
    if plain.status not in range(400, 500):
        return None  # another check judges values that are served in non-streaming requests
    streamed = (await api.post({**body, "stream": True}, read_events=MAX_REJECTED_EVENTS)).exchange
    return Evidence((streamed,), (plain,)) if streamed.status == 200 else None


def wrong_requests(contract: Contract) -> Iterator[dict[str, Any]]:
    """Yield requests that must be rejected, each as the check of its parameter sends it."""
    for name, step in STEPS.items():
        parameter = contract.parameter(name)
        if parameter.maximum is not None:
            value = parameter.maximum + step
            yield {**MINIMAL_REQUEST, name: int(value) if step == 1 else value}
    yield {**MINIMAL_REQUEST, "n": 0}
    yield {**MINIMAL_REQUEST, "prompt": {"text": COUNTING}}
    yield {
        "prompt": MINIMAL_REQUEST["prompt"],
        "max_tokens": MINIMAL_REQUEST["max_tokens"],
        "model": None,
    }
    if contract.parameter("logit_bias").maximum is not None:
        yield {**MINIMAL_REQUEST, "logit_bias": {"500": 101}}
