"""Triggers: conditions under which a fault or a variant strikes.

``NAME@stream`` behaves as NAME in streams, and as the unchanged server otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum

from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)


class Trigger(StrEnum):
    """When a behaviour strikes."""

    STREAM = "stream"
    NON_STREAMING = "plain"
    BATCH = "batch"
    SECOND_CHOICE = "second-choice"
    NON_ASCII = "non-ascii"
    EVERY_THIRD = "every-third"
    ECHO = "echo"


ALL_TRIGGERS = frozenset(Trigger)


def triggered(behaviour: Behaviour, trigger: Trigger) -> Behaviour:
    """Let a behaviour strike only under a trigger."""
    match trigger:
        case Trigger.SECOND_CHOICE:
            return _SecondChoice(behaviour)
        case Trigger.EVERY_THIRD:
            return _EveryThird(behaviour)
        case _:
            return _Where(behaviour, _CONDITIONS[trigger])


def is_batch(body: Body) -> bool:
    """Whether the request has more than one prompt."""
    prompt = body.get("prompt")
    return isinstance(prompt, list) and len(prompt) > 1 and isinstance(prompt[0], str | list)


def has_non_ascii(body: Body) -> bool:
    """Whether a text of the request has a non-ASCII character."""
    texts = [body.get(name) for name in ("prompt", "suffix", "stop")]
    return not json.dumps(texts, ensure_ascii=False).isascii()


_CONDITIONS: dict[Trigger, Callable[[Body], bool]] = {
    Trigger.STREAM: lambda body: body.get("stream") is True,
    Trigger.NON_STREAMING: lambda body: body.get("stream") is not True,
    Trigger.BATCH: is_batch,
    Trigger.NON_ASCII: has_non_ascii,
    Trigger.ECHO: lambda body: body.get("echo") is True,
}


class _Where:
    """Strikes if a condition on the request holds."""

    def __init__(self, behaviour: Behaviour, condition: Callable[[Body], bool]) -> None:
        self._behaviour = behaviour
        self._condition = condition

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        if self._condition(request.body):
            return await self._behaviour(request, upstream)
        return await upstream(request)


class _EveryThird:
    """Strikes in every third response that it would change, like one bad server of three."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._met = 0

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        once = _Once(upstream)
        right = await once(request)
        changed = await self._behaviour(request, once)
        if _alike(changed, right):
            return right
        self._met += 1
        return changed if self._met % 3 == 0 else right


def _alike(one: ServerResponse, other: ServerResponse) -> bool:
    """Whether a client gets the same; the division of a stream into parts does not matter."""
    seen = [
        (
            response.status,
            response.headers,
            response.raw,
            response.cut,
            response.unsent,
            response.behind,
            sum(p.pause for p in response.parts),
        )
        for response in (one, other)
    ]
    return seen[0] == seen[1]


class _SecondChoice:
    """Strikes in every choice but the first."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        once = _Once(upstream)
        right = await once(request)
        if right.status != 200:
            return right
        changed = await self._behaviour(request, once)
        if changed.status != 200 or changed.is_stream != right.is_stream:
            return right
        return _spliced_chunks(right, changed) if right.is_stream else _spliced(right, changed)


def _spliced(right: ServerResponse, changed: ServerResponse) -> ServerResponse:
    if len(right.body["choices"]) < 2:
        return right
    rights, others = right.body["choices"], changed.body["choices"]
    if len(rights) == len(others):
        # By position, because the indices may be wrong.
        choices = [a if a["index"] == 0 else b for a, b in zip(rights, others, strict=True)]
    else:
        choices = _only_first(rights) + _others(others)
    return right.with_body({**right.body, "choices": choices})


def _spliced_chunks(right: ServerResponse, changed: ServerResponse) -> ServerResponse:
    """Send the unchanged first choice, then the others as they are changed."""
    rights = right.chunks
    head = {name: rights[0][name] for name in ("id", "created", "model") if name in rights[0]}
    first = [{**c, "choices": _only_first(c["choices"])} for c in rights]
    rest = [{**c, **head, "choices": _others(c["choices"])} for c in changed.chunks]
    usage = [chunk for chunk in rights if not chunk["choices"]]
    parted = [chunk for chunk in (*first, *rest) if chunk["choices"]]
    if not any(chunk["choices"] for chunk in rest):
        return right
    return right.with_chunks([*parted, *usage])


def _only_first(choices: list[Body]) -> list[Body]:
    return [choice for choice in choices if choice.get("index") == 0]


def _others(choices: list[Body]) -> list[Body]:
    return [choice for choice in choices if choice.get("index") != 0]


class _Once:
    """An upstream that returns the same response to an equal request of the same client."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._responses: dict[tuple[bytes, str | None], ServerResponse] = {}

    async def __call__(self, request: ClientRequest) -> ServerResponse:
        key = (request.raw, request.key)
        if key not in self._responses:
            self._responses[key] = await self._upstream(request)
        return self._responses[key]
