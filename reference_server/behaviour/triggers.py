"""Modifiers: a behaviour that shows only here or there, because real faults hide.

``NAME@stream`` behaves as NAME in streams, and is the plain server otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum

from reference_server.behaviour.messages import Answer, Asked, Behaviour, Body, Upstream


class Modifier(StrEnum):
    """Where a behaviour shows."""

    STREAM = "stream"
    PLAIN = "plain"
    BATCH = "batch"
    SECOND_CHOICE = "second-choice"
    NON_ASCII = "non-ascii"
    EVERY_THIRD = "every-third"
    ECHO = "echo"


EVERYWHERE = frozenset(Modifier)


def narrowed(behaviour: Behaviour, modifier: Modifier) -> Behaviour:
    """Let a behaviour show only where the modifier says."""
    match modifier:
        case Modifier.SECOND_CHOICE:
            return _SecondChoice(behaviour)
        case Modifier.EVERY_THIRD:
            return _EveryThird(behaviour)
        case _:
            return _Where(behaviour, _CONDITIONS[modifier])


def is_batch(body: Body) -> bool:
    """Whether more than one prompt is asked about."""
    prompt = body.get("prompt")
    return isinstance(prompt, list) and len(prompt) > 1 and isinstance(prompt[0], str | list)


def has_non_ascii(body: Body) -> bool:
    """Whether a text of the request has a character beyond ASCII."""
    texts = [body.get(name) for name in ("prompt", "suffix", "stop")]
    return not json.dumps(texts, ensure_ascii=False).isascii()


_CONDITIONS: dict[Modifier, Callable[[Body], bool]] = {
    Modifier.STREAM: lambda body: body.get("stream") is True,
    Modifier.PLAIN: lambda body: body.get("stream") is not True,
    Modifier.BATCH: is_batch,
    Modifier.NON_ASCII: has_non_ascii,
    Modifier.ECHO: lambda body: body.get("echo") is True,
}


class _Where:
    """Shows where a condition on the request holds."""

    def __init__(self, behaviour: Behaviour, condition: Callable[[Body], bool]) -> None:
        self._behaviour = behaviour
        self._condition = condition

    async def __call__(self, asked: Asked, upstream: Upstream) -> Answer:
        if self._condition(asked.body):
            return await self._behaviour(asked, upstream)
        return await upstream(asked)


class _EveryThird:
    """Shows in every third of the answers that it would change, as one bad server of three does."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._met = 0

    async def __call__(self, asked: Asked, upstream: Upstream) -> Answer:
        once = _Once(upstream)
        right = await once(asked)
        changed = await self._behaviour(asked, once)
        if _alike(changed, right):
            return right
        self._met += 1
        return changed if self._met % 3 == 0 else right


def _alike(one: Answer, other: Answer) -> bool:
    """Whether a client gets the same; how a stream is cut into parts does not matter."""
    seen = [
        (answer.status, answer.headers, answer.raw, answer.cut, sum(p.pause for p in answer.parts))
        for answer in (one, other)
    ]
    return seen[0] == seen[1]


class _SecondChoice:
    """Shows in every choice but the first: that one is the plain server's."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour

    async def __call__(self, asked: Asked, upstream: Upstream) -> Answer:
        once = _Once(upstream)
        right = await once(asked)
        if right.status != 200:
            return right
        changed = await self._behaviour(asked, once)
        if changed.status != 200 or changed.is_stream != right.is_stream:
            return right
        return _spliced_chunks(right, changed) if right.is_stream else _spliced(right, changed)


def _spliced(right: Answer, changed: Answer) -> Answer:
    if len(right.body["choices"]) < 2:
        return right
    rights, others = right.body["choices"], changed.body["choices"]
    if len(rights) == len(others):
        # By their places, since it may be the numbers that are wrong.
        choices = [a if a["index"] == 0 else b for a, b in zip(rights, others, strict=True)]
    else:
        choices = _only_first(rights) + _others(others)
    return right.with_body({**right.body, "choices": choices})


def _spliced_chunks(right: Answer, changed: Answer) -> Answer:
    """Send the first choice as it should be, then the others as they are changed."""
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
    """An upstream that answers an equal request of the same client with the same answer."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._answers: dict[tuple[bytes, str | None], Answer] = {}

    async def __call__(self, asked: Asked) -> Answer:
        key = (asked.raw, asked.key)
        if key not in self._answers:
            self._answers[key] = await self._upstream(asked)
        return self._answers[key]
