"""Faults of valid requests that never get a whole response."""

from __future__ import annotations

from dataclasses import replace

from reference_server.behaviour.builders import Condition, rejects, streams
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
    encode,
)
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger, is_batch

BREAKS = "errors.good-input-whole-response"
WHERE = frozenset({Trigger.STREAM, Trigger.NON_STREAMING})
"""Excludes `@every-third`: a cut connection is retried, and the retry would succeed."""

FAILURE = {"message": "The server had an error.", "type": "server_error"}


def _cut(when: Condition) -> Behaviour:
    """Cut responses with status 200 in the middle."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.status != 200 or not when(request.body):
            return got
        half = got.raw[: len(got.raw) // 2]
        return replace(got.with_raw(half), cut=True)

    return Rewrite(raw=change)


def _unsent(when: Condition) -> Behaviour:
    """Close the connection instead of a response with status 200."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        got = await upstream(request)
        return replace(got, unsent=True) if got.status == 200 and when(request.body) else got

    return behave


@fault(
    "streams-without-last-chunk", breaks=BREAKS, evidence=Evidence.REPORTED, triggers={Trigger.ECHO}
)
def streams_without_last_chunk() -> Behaviour:
    """A stream lacks its last HTTP chunk, so a client cannot tell if it is complete."""
    return streams(lambda _, got: replace(got, cut=True))


@fault("batch-cut", breaks=BREAKS, evidence=Evidence.REPORTED, triggers=WHERE)
def batch_cut() -> Behaviour:
    """The connection is cut in the middle of the response to several prompts."""
    return _cut(is_batch)


@fault("choices-with-logprobs-unanswered", breaks=BREAKS, triggers={Trigger.NON_STREAMING})
def choices_with_logprobs_unanswered() -> Behaviour:
    """The connection is closed without a response if `n` and `logprobs` come together."""
    return _unsent(lambda body: _is_above(body, "n", 1) and body.get("logprobs") is not None)


@fault("penalty-unanswered", breaks=BREAKS, triggers={Trigger.NON_STREAMING})
def penalty_unanswered() -> Behaviour:
    """The connection is closed without a response if `presence_penalty` is at its lowest."""
    return _unsent(lambda body: body.get("presence_penalty") == -2)


@fault("error-event-with-logprobs", breaks=BREAKS, evidence=Evidence.REPORTED, triggers=())
def error_event_with_logprobs() -> Behaviour:
    """A stream with log probabilities ends with an error after its first chunk."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if request.body.get("logprobs") is None:
            return got
        return got.with_data([got.data[0], encode({"error": FAILURE}).decode()])

    return streams(change)


@fault(
    "error-event-with-choices-and-logprobs",
    breaks=BREAKS,
    evidence=Evidence.REPORTED,
    triggers=(),
    tier=Tier.DEEP,
)
def error_event_with_choices_and_logprobs() -> Behaviour:
    """A stream of several choices with log probabilities ends with an error in their middle.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/16805
    """

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        several = _is_above(request.body, "n", 1)
        if request.body.get("logprobs") is None or not several:
            return got
        kept = got.data[: request.body["n"]]
        return got.with_data([*kept, encode({"error": FAILURE}).decode()])

    return streams(change)


@fault("echoed-logprobs-cut-in-streams", breaks=BREAKS, evidence=Evidence.REPORTED, triggers=())
def echoed_logprobs_cut_in_streams() -> Behaviour:
    """A stream with an echo and log probabilities breaks off before its end.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/2703
    """

    def is_echoed(body: Body) -> bool:
        scored = body.get("echo") is True and body.get("logprobs") is not None
        return scored and body.get("stream") is True

    return _cut(is_echoed)


@fault("bad-gateway-for-echo", breaks=BREAKS, evidence=Evidence.REPORTED, triggers=())
def bad_gateway_for_echo() -> Behaviour:
    """A request with an echo gets 502 from the gateway, because the server behind it dies."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.status != 200 or request.body.get("echo") is not True:
            return got
        return got.with_status(502).with_body({"error": FAILURE})

    return Rewrite(raw=change)


@fault("error-event-in-every-fourth-stream", breaks="errors.few-left-unanswered", triggers=())
def error_event_in_every_fourth_stream() -> Behaviour:
    """Every fourth stream ends with an error after its first chunk."""
    seen = 0

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        nonlocal seen
        seen += 1
        if seen % 4:
            return got
        return got.with_data([got.data[0], encode({"error": FAILURE}).decode()])

    return streams(change)


@fault("echo-cut-after-a-while", breaks=BREAKS, triggers=())
def echo_cut_after_a_while() -> Behaviour:
    """The first requests with an echo are served, and all later ones are cut in the middle."""
    served = 0

    def is_late(body: Body) -> bool:
        nonlocal served
        served += body.get("echo") is True
        return body.get("echo") is True and served > SERVED

    return _cut(is_late)


@fault(
    "echo-refused-after-a-while",
    breaks="errors.served-stays-served",
    # From then on it is refused.
    also_breaks="echo.prompt-then-completion echo.own-prompt-in-batch echo.logprobs-cover-prompt"
    " echo.scored-equals-generated echo.zero-tokens-scores-prompt",
    triggers=(),
)
def echo_refused_after_a_while() -> Behaviour:
    """The first requests with an echo are served, and all later ones are rejected."""
    served = 0

    def is_late(body: Body) -> bool:
        nonlocal served
        served += body.get("echo") is True
        return body.get("echo") is True and served > SERVED

    return rejects(is_late, "`echo` is not supported.", param="echo")


SERVED = 4
"""Requests with an echo that are served at first."""


def _is_above(body: Body, name: str, bound: int) -> bool:
    value = body.get(name)
    return isinstance(value, int) and value > bound
