"""The requests that several checks share, byte for byte, so that each is paid for once.

A greedy request for sixteen tokens is the common ground: every check that can judge that answer
does, and what a check adds comes behind it, in one order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.answers import Reply
from conformance.api import Api
from conformance.checks._prompts import COLOURS, COUNTING
from conformance.completion import Completion, JsonObject
from conformance.judgement import Deviation, Inconclusive, NotApplicable, shown
from conformance.model import Effect

LIMIT = 16
"""The ``max_tokens`` of the shared requests: enough for a character of four bytes to be cut."""

LITTLE: Mapping[str, Any] = {"prompt": "1", "max_tokens": 1}
"""The cheapest request there is, for what must be refused and for what any answer shows."""

ONE_TOKEN: Mapping[str, Any] = {"prompt": COUNTING, "max_tokens": 1, "temperature": 0}
"""The request that every run begins with."""

LONG: Mapping[str, Any] = {"prompt": COUNTING, "max_tokens": 48, "temperature": 0}
"""Three times the shared length: it shows what the shared answer was cut from, and how fast."""

TWO_PROMPTS = [COUNTING, COLOURS]
"""The shared batch: two prompts whose answers cannot be mistaken for each other."""


def greedy(prompt: Any = COUNTING, **more: Any) -> dict[str, Any]:
    """Write the body of the shared greedy request for a prompt, with what a check adds to it."""
    return {"prompt": prompt, "max_tokens": LIMIT, "temperature": 0, **more}


async def plain(
    api: Api, prompt: Any = COUNTING, *, fresh: bool = False, **more: Any
) -> Completion:
    """Ask for the shared greedy answer in one piece."""
    return (await api.complete(fresh=fresh, **greedy(prompt, **more))).expect_ok()


async def streamed(
    api: Api, prompt: Any = COUNTING, *, fresh: bool = False, **more: Any
) -> Completion:
    """Ask for the shared greedy answer as a stream, joined from its chunks."""
    return joined(await api.stream(fresh=fresh, **greedy(prompt, **more)))


async def stream_reply(api: Api, prompt: Any = COUNTING, **more: Any) -> Reply:
    """Ask for the shared greedy answer as a stream, and return it as it came.

    Raises:
        Refusal: streams are not served.
        Deviation: the answer is no stream.
        Inconclusive: the stream broke off.
    """
    reply = await api.stream(**greedy(prompt, **more))
    if reply.expect_answered() != 200 or not reply.is_stream:
        joined(reply)
    if reply.exchange.fault is not None:
        raise Inconclusive(f"the stream broke off: {reply.exchange.fault}")
    return reply


def joined(reply: Reply) -> Completion:
    """Join a stream; a plain answer in its place means that ``stream`` was ignored."""
    completion = reply.expect_ok()
    if not reply.is_stream:
        raise Deviation("a stream", f"one body: {shown(completion.raw)}", effect=Effect.IGNORED)
    return completion


def parts_of(chunk: JsonObject) -> list[JsonObject]:
    """Return the choices in a chunk; what is no object is left to the check of the shape."""
    parts = chunk.get("choices")
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def two_prompts(api: Api) -> list[str]:
    """Return the shared batch.

    Raises:
        NotApplicable: the document does not say that a prompt can be an array of strings.
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable("this document does not mention arrays of prompts")
    return TWO_PROMPTS
