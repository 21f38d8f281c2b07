"""The requests that several checks share, byte for byte, so that each is paid for once.

The basis is a greedy request for sixteen tokens: every check that can judge its response uses it.
Members that a check adds come after it, in a fixed order.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from conformance.api import Api
from conformance.checks._shared.prompts import AWKWARD, CHINESE, COLOURS, COUNTING, EMOJI
from conformance.checks._shared.recorded_streams import is_error
from conformance.judgement import Feature, Inconclusive, Missing, NotApplicable, Refusal, shown
from conformance.message import say, verbatim
from conformance.model import Effect
from conformance.protocol.completion import Choice, Completion, JsonObject
from conformance.protocol.response import Response

MAX_TOKENS = 16
"""The ``max_tokens`` of the shared requests: enough for a character of four bytes to be cut."""

MINIMAL_REQUEST: Mapping[str, Any] = {"prompt": "1", "max_tokens": 1}
"""The cheapest request, for values that must be rejected and for what any response shows."""

ONE_TOKEN_REQUEST: Mapping[str, Any] = {"prompt": COUNTING, "max_tokens": 1, "temperature": 0}
"""The first request of every run."""

LONGER_REQUEST: Mapping[str, Any] = {"prompt": COUNTING, "max_tokens": 48, "temperature": 0}
"""Three times the shared length: it shows how the shared response continues, and the speed."""

WITH_TOKENS = frozenset({AWKWARD, CHINESE, EMOJI})
"""Prompts whose shared response has its tokens, which show characters that are cut in pieces."""

TWO_PROMPTS = [COUNTING, COLOURS]
"""The shared batch: two prompts whose completions differ clearly."""

MAX_TOKENS_IN_ANY_CONTEXT = 256
"""The largest ``max_tokens`` that certainly fits the context."""


def greedy(prompt: Any = COUNTING, **more: Any) -> dict[str, Any]:
    """Return the body of the shared greedy request for a prompt; ``more`` adds members."""
    return {"prompt": prompt, "max_tokens": MAX_TOKENS, "temperature": 0, **more}


async def non_streaming(
    api: Api, prompt: Any = COUNTING, *, fresh: bool = False, **more: Any
) -> Completion:
    """Request the shared greedy completion without streaming."""
    return (await api.complete(fresh=fresh, **greedy(prompt, **more))).expect_ok()


def require_zero_tokens(api: Api) -> None:
    """Raise NotApplicable if the contract does not allow a response without generated tokens."""
    least = api.contract.parameter("max_tokens").minimum
    if least:
        raise NotApplicable(say("`max_tokens` is at least {least} here", least=int(least)))


async def awkward_echo(api: Api) -> Completion:
    """Request only the echo of an awkward prompt, written in JSON with escapes.

    Raises:
        NotApplicable: the contract does not allow `max_tokens` 0.
    """
    require_zero_tokens(api)
    request = {"model": api.model, **greedy(AWKWARD, max_tokens=0, echo=True)}
    return (await api.post(json.dumps(request).encode())).expect_ok()


async def streamed(
    api: Api, prompt: Any = COUNTING, *, fresh: bool = False, **more: Any
) -> Completion:
    """Request the shared greedy response as a stream, joined from its chunks."""
    return collect_stream(await api.stream(fresh=fresh, **greedy(prompt, **more)))


async def emoji(api: Api, *, fresh: bool = False) -> Completion:
    """Request the shared completion of emoji, with its tokens if the endpoint lists them."""
    return await shared(api, EMOJI, fresh=fresh)


async def shared(api: Api, prompt: str, *, fresh: bool = False) -> Completion:
    """Request the shared completion of a prompt in the form in which most checks request it."""
    if prompt in WITH_TOKENS:
        return await with_tokens(non_streaming, api, prompt, fresh=fresh)
    return await non_streaming(api, prompt, fresh=fresh)


class Ask(Protocol):
    """Requests the shared greedy completion: :func:`non_streaming` or :func:`streamed`."""

    def __call__(self, api: Api, prompt: Any, *, fresh: bool, **more: Any) -> Awaitable[Completion]:
        """Request it for a prompt; ``more`` adds members."""
        ...


async def with_tokens(
    ask: Ask, api: Api, prompt: Any, *, fresh: bool = False, **more: Any
) -> Completion:
    """Request a completion with its tokens, which invariants judge, or without if that is rejected.

    The tokens cost no further request, and the check that asks compares only the text. A repetition
    is sent without them: a text that they change is no finding of that check.
    """
    if fresh or not api.contract.parameter("logprobs").documented:
        return await ask(api, prompt, fresh=fresh, **more)
    try:
        return await ask(api, prompt, fresh=fresh, logprobs=1, **more)
    except Refusal:
        return await ask(api, prompt, fresh=fresh, **more)


async def stream_response(api: Api, prompt: Any = COUNTING, **more: Any) -> Response:
    """Request the shared greedy completion as a stream, and return the raw response.

    Raises:
        Refusal: streams are rejected.
        Failure: the response is not a stream.
        Inconclusive: the stream is incomplete, or ends with an error.
    """
    response = await api.stream(**greedy(prompt, **more))
    if response.expect_response() != 200 or not response.is_stream:
        collect_stream(response)
    if response.exchange.fault is not None:
        raise Inconclusive(say("the stream is incomplete: {fault}", fault=response.exchange.fault))
    # An error may end a stream anywhere, so what is missing behind it is not judged.
    error = next((read for _, read in response.payloads if is_error(read)), None)
    if error is not None:
        raise Inconclusive(say("the stream ended with an error: {chunk}", chunk=shown(error)))
    return response


def collect_stream(response: Response) -> Completion:
    """Join a stream; a non-streaming response in its place means that ``stream`` was ignored."""
    if response.expect_response() == 200 and not response.is_stream:
        body = response.exchange.body.decode("utf-8", errors="replace")
        raise Missing(Feature.STREAM, say("a stream"), say("one body: {body}", body=shown(body)))
    return response.expect_ok()


def choices_of(completion: Completion, count: int, feature: Feature) -> tuple[Choice, ...]:
    """Return the choices of a response that must have ``count`` of them.

    Raises:
        Missing: there are fewer, or more.
    """
    seen = len(completion.choices)
    if seen != count:
        effect = Effect.IGNORED if seen == 1 else Effect.ALTERED
        raise Missing(feature, say("{count} choices", count=count), verbatim(seen), effect=effect)
    return completion.choices


def assert_echoed(text: str, prompt: str) -> None:
    """Assert that a text begins with its echoed prompt."""
    if not text.startswith(prompt):
        raise Missing(
            Feature.ECHO, say("a text that starts with {prompt}", prompt=shown(prompt)), shown(text)
        )


def choices_in_chunk(chunk: JsonObject) -> list[JsonObject]:
    """Return the choices in a chunk that are objects; another check judges the others."""
    parts = chunk.get("choices")
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def two_prompts(api: Api) -> list[str]:
    """Return the shared batch.

    Raises:
        NotApplicable: the document does not mention arrays of strings as prompts.
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention arrays of prompts"))
    return TWO_PROMPTS
