"""Faults of ``stop`` with speculative decoding: drafted tokens behind the sequence are kept."""

from __future__ import annotations

from http import HTTPStatus

from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.faults._endings import generates, sequences

TOKENS_PER_STEP = 5
"""Tokens that one step of decoding accepts: a draft of four, and one more."""


@fault(
    "stop-draft-listed",
    breaks="stop.no-token-listed-behind usage.none-behind-stop",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stop_draft_listed() -> Behaviour:
    """Tokens that were drafted behind a stop sequence are listed and counted.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/47616
    """

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        return await _with_drafts(request, upstream, listed=True)

    return behave


@fault(
    "stop-draft-counted",
    breaks="usage.none-behind-stop",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stop_draft_counted() -> Behaviour:
    """Tokens that were drafted behind a stop sequence are counted, though not listed.

    Reported for ik_llama.cpp: https://github.com/ikawrakow/ik_llama.cpp/pull/2358
    """

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        return await _with_drafts(request, upstream, listed=False)

    return behave


async def _with_drafts(
    request: ClientRequest, upstream: Upstream, *, listed: bool
) -> ServerResponse:
    """Keep the tokens of the whole step in which a greedy choice was stopped."""
    right = await upstream(request)
    body = request.body
    if right.status != HTTPStatus.OK or right.is_stream or not sequences(body):
        return right
    if body.get("temperature") != 0 or body.get("echo"):
        return right
    free = await upstream(request.with_body({"logprobs": 1, **generates(body)}))
    if free.status != HTTPStatus.OK:
        return right
    extra, choices = 0, []
    for choice, whole in zip(right.body["choices"], free.body["choices"], strict=True):
        scores = whole["logprobs"]
        needed = tokens_to_stop(scores["tokens"], sequences(body)) if scores else None
        if needed is None or choice["finish_reason"] != "stop":
            choices.append(choice)
            continue
        kept = min(-(-needed // TOKENS_PER_STEP) * TOKENS_PER_STEP, len(scores["tokens"]))
        extra += kept - needed
        shown = listed and choice["logprobs"]
        drafted = {name: values[:kept] for name, values in scores.items()}
        choices.append({**choice, "logprobs": drafted} if shown else choice)
    usage: Body = right.body["usage"]
    more = {name: usage[name] + extra for name in ("completion_tokens", "total_tokens")}
    return right.with_body({**right.body, "choices": choices, "usage": {**usage, **more}})


def tokens_to_stop(tokens: list[str], stops: list[str]) -> int | None:
    """The number of tokens up to the one that completes a sequence; None if there is none."""
    text = ""
    for number, token in enumerate(tokens, start=1):
        text += token
        if any(stop in text for stop in stops):
            return number
    return None
