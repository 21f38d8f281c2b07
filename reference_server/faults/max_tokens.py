"""Faults of ``max_tokens``: another limit holds than the one that was set, or than the default."""

from collections.abc import Callable

from reference_server.behaviour.builders import asks, drops, sets
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Modifier, is_batch
from reference_server.faults._hiding import NON_STREAMING_ONLY, REQUESTS, SINGLY


def limit(change: Callable[[Body, int], int]) -> Rewrite:
    """Another limit reaches the server in place of one that was set: ``(asked, limit)``."""

    def ask(request: Body) -> Body:
        given = request.get("max_tokens")
        if not isinstance(given, int) or given < 1:
            return request
        return {**request, "max_tokens": change(request, given)}

    return asks(ask)


def is_absent(request: Body) -> bool:
    """Whether no limit is mentioned."""
    return "max_tokens" not in request


def is_null(request: Body) -> bool:
    """Whether the limit is null."""
    return "max_tokens" in request and request["max_tokens"] is None


def is_zero(request: Body) -> bool:
    """Whether nothing is to be generated."""
    return "max_tokens" in request and request["max_tokens"] == 0


@fault("max-tokens-ignored", breaks="max-tokens.limits-answer", evidence=Evidence.SIBLING)
def max_tokens_ignored() -> Behaviour:
    """Whatever limit is set, up to 40 tokens come."""
    return limit(lambda *_: 40)


@fault("max-tokens-dropped", breaks="max-tokens.limits-answer", evidence=Evidence.SIBLING)
def max_tokens_dropped() -> Behaviour:
    """``max_tokens`` is lost, and the default holds."""
    return drops("max_tokens")


@fault("max-tokens-one-more", breaks="max-tokens.limits-answer")
def max_tokens_one_more() -> Behaviour:
    """One token more than allowed comes."""
    return limit(lambda _, given: given + 1)


@fault("max-tokens-one-less", breaks="max-tokens.limits-answer finish-reason.length-at-limit")
def max_tokens_one_less() -> Behaviour:
    """Answers end one token before their limit, and say that it was reached."""
    return limit(lambda _, given: max(1, given - 1))


@fault(
    "max-tokens-capped",
    breaks="max-tokens.limits-answer finish-reason.length-at-limit",
    modifiers=NON_STREAMING_ONLY,
)
def max_tokens_capped() -> Behaviour:
    """No limit above ten tokens is served, and the answer says that the limit was reached."""
    return limit(lambda _, given: min(given, 10))


@fault(
    "max-tokens-shared",
    breaks="max-tokens.limits-answer",
    modifiers=REQUESTS - {Modifier.BATCH, Modifier.EVERY_THIRD},
)
def max_tokens_shared() -> Behaviour:
    """The prompts of a batch share one limit."""
    return limit(
        lambda request, given: (
            max(1, given // len(request["prompt"])) if is_batch(request) else given
        )
    )


@fault("max-tokens-steers", breaks="max-tokens.longer-extends", modifiers=NON_STREAMING_ONLY)
def max_tokens_steers() -> Behaviour:
    """Where little is allowed, the model is told to be brief."""

    def ask(request: Body) -> Body:
        given = request.get("max_tokens")
        if not (isinstance(given, int) and 1 < given < 16 and isinstance(request["prompt"], str)):
            return request
        return {**request, "prompt": f"{request['prompt']}\n\nIn a word,"}

    return asks(ask)


@fault(
    "default-not-16",
    breaks="max-tokens.default-sixteen",
    evidence=Evidence.REPORTED,
    modifiers=SINGLY,
)
def default_not_16() -> Behaviour:
    """Without a limit up to 100 tokens come."""
    return sets(lambda request: request.get("max_tokens") is None, max_tokens=100)


@fault("default-below-16", breaks="max-tokens.default-sixteen", modifiers=SINGLY)
def default_below_16() -> Behaviour:
    """Without a limit an answer is cut after ten tokens."""
    return sets(lambda request: request.get("max_tokens") is None, max_tokens=10)


@fault(
    "default-of-sixteen",
    breaks="max-tokens.default-unlimited",
    modifiers=(),
    contract="zhizengzeng",
    dialect="zhizengzeng",
)
def default_of_sixteen() -> Behaviour:
    """Without a limit an answer is cut after sixteen tokens where it should go on."""
    return sets(lambda request: request.get("max_tokens") is None, max_tokens=16)


@fault(
    "max-tokens-null-unlimited",
    breaks="max-tokens.null-is-default",
    modifiers=REQUESTS - {Modifier.EVERY_THIRD},
)
def max_tokens_null_unlimited() -> Behaviour:
    """``max_tokens: null`` is taken for no limit."""
    return sets(is_null, max_tokens=200)


@fault(
    "max-tokens-null-one",
    breaks="max-tokens.null-is-default",
    modifiers=REQUESTS - {Modifier.EVERY_THIRD},
)
def max_tokens_null_one() -> Behaviour:
    """``max_tokens: null`` is taken for 1."""
    return sets(is_null, max_tokens=1)


@fault(
    "max-tokens-zero-lost",
    breaks="max-tokens.zero-with-echo max-tokens.zero-without-echo",
    evidence=Evidence.SOURCE,
    modifiers=REQUESTS - {Modifier.ECHO},
)
def max_tokens_zero_lost() -> Behaviour:
    """``max_tokens: 0`` is lost, and the default holds."""
    return drops("max_tokens", when=is_zero)


@fault(
    "max-tokens-negative-accepted",
    breaks="max-tokens.negative-refused errors.stream-refused-as-json",
    modifiers=(Modifier.STREAM,),
)
def max_tokens_negative_accepted() -> Behaviour:
    """A negative limit is taken for none."""
    return sets(
        lambda request: isinstance(request.get("max_tokens"), int) and request["max_tokens"] < 0,
        max_tokens=200,
    )


@fault(
    "max-tokens-clamped",
    breaks="max-tokens.context-overflow-refused",
    evidence=Evidence.REPORTED,
    modifiers=(Modifier.STREAM,),
)
def max_tokens_clamped() -> Behaviour:
    """A limit beyond the context is lowered to what is left of it."""
    return sets(
        lambda request: isinstance(request.get("max_tokens"), int) and request["max_tokens"] > 2000,
        max_tokens=1024,
    )


@fault(
    "max-tokens-overflow-unexplained",
    breaks="max-tokens.context-overflow-names-counts",
    modifiers=(Modifier.STREAM,),
)
def max_tokens_overflow_unexplained() -> Behaviour:
    """The refusal of a request beyond the context does not say by how much."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        if response.status != 400 or b"context length" not in response.raw:
            return response
        inner = {**response.body["error"], "message": "The request is too long."}
        return response.with_body({"error": inner})

    return behave
