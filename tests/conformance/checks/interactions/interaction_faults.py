"""Endpoints that break where settings meet, each with the check of interactions that finds it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from tests.conformance.checks.honest_rewrites import scored_closely
from tests.conformance.checks.rewriting import Change

Body = dict[str, Any]
Where = Callable[[Body], bool]


def is_batch(asked: Body) -> bool:
    prompt = asked.get("prompt")
    return isinstance(prompt, list) and len(prompt) > 1 and not isinstance(prompt[0], int)


def has_copies(asked: Body) -> bool:
    return (asked.get("n") or 1) > 1


def each_choice(where: Where, change: Callable[[Body, Body], Body]) -> Change:
    """Change every choice of the plain answers to some requests."""

    def plain(asked: Body, whole: Body) -> Body:
        if not where(asked):
            return whole
        return {**whole, "choices": [change(asked, choice) for choice in whole["choices"]]}

    return Change(plain=plain)


def in_stream(where: Where, change: Callable[[list[Body]], list[Body]]) -> Change:
    return Change(chunks=lambda asked, chunks: change(chunks) if where(asked) else chunks)


def asked_as(where: Where, change: Callable[[Body], Body]) -> Change:
    return Change(ask=lambda asked: change(asked) if where(asked) else asked)


def _without_text(chunks: list[Body]) -> list[Body]:
    """Lose the first piece of text."""
    first = next(i for i, chunk in enumerate(chunks) if chunk["choices"])
    part = {**chunks[first]["choices"][0], "text": ""}
    return [*chunks[:first], {**chunks[first], "choices": [part]}, *chunks[first + 1 :]]


def _listed(asked: Body, choice: Body) -> Body:
    told = choice["logprobs"]
    if not told:
        return choice
    tops = [
        [{"token": t, "logprob": v} for t, v in (top or {}).items()] for top in told["top_logprobs"]
    ]
    return {**choice, "logprobs": {**told, "top_logprobs": tops}}


def _unlikely(asked: Body, choice: Body) -> Body:
    told = choice["logprobs"]
    if not told:
        return choice
    worse = [None if score is None else score - 2 for score in told["token_logprobs"]]
    return {**choice, "logprobs": {**told, "token_logprobs": worse}}


def _billed_twice(asked: Body, whole: Body) -> Body:
    if not has_copies(asked):
        return whole
    read = 2 * whole["usage"]["prompt_tokens"]
    total = read + whole["usage"]["completion_tokens"]
    return {**whole, "usage": {**whole["usage"], "prompt_tokens": read, "total_tokens": total}}


def _renumbered(asked: Body, whole: Body) -> Body:
    if not (is_batch(asked) and has_copies(asked)):
        return whole
    n = asked["n"]
    return {**whole, "choices": [{**c, "index": c["index"] % n} for c in whole["choices"]]}


FAULTS: Mapping[str, tuple[Change, str]] = {
    "a stream of an echo loses its first piece": (
        in_stream(
            lambda asked: asked.get("echo") is True and asked["max_tokens"] > 0, _without_text
        ),
        "interactions.echo",
    ),
    "a stream of copies loses its first piece": (
        in_stream(lambda asked: has_copies(asked) and not asked.get("echo"), _without_text),
        "interactions.stop",
    ),
    "a limit is lost beside a bill": (
        asked_as(
            lambda asked: bool(asked.get("stream_options")) and asked["max_tokens"] < 16,
            lambda asked: {**asked, "max_tokens": 16},
        ),
        "interactions.text-in-threes",
    ),
    "stop sequences are lost in batches": (
        asked_as(is_batch, lambda asked: {k: v for k, v in asked.items() if k != "stop"}),
        "interactions.stop",
    ),
    "null is a stop sequence beside copies": (
        asked_as(
            lambda asked: has_copies(asked) and "stop" in asked and asked["stop"] is None,
            lambda asked: {**asked, "stop": ","},
        ),
        "interactions.text-in-threes",
    ),
    "copies of a batch say nothing of their limit": (
        each_choice(
            lambda asked: is_batch(asked) and has_copies(asked),
            lambda _, choice: {**choice, "finish_reason": "stop"},
        ),
        "interactions.endings",
    ),
    "the prompt is billed for each copy": (Change(plain=_billed_twice), "interactions.usage"),
    "a batch starts again at 0 with each prompt": (
        Change(plain=_renumbered),
        "interactions.layout",
    ),
    "alternatives are lists in batches": (each_choice(is_batch, _listed), "interactions.logprobs"),
    "copies are scored less likely": (
        each_choice(lambda asked: has_copies(asked) and not asked.get("echo"), _unlikely),
        "interactions.scores",
    ),
    "a prompt is scored less likely with nothing after it": (
        Change(
            chunks=lambda asked, chunks: (
                [
                    {**chunk, "choices": [_unlikely(asked, part) for part in chunk["choices"]]}
                    for chunk in chunks
                ]
                if asked["max_tokens"] == 0
                else chunks
            )
        ),
        "interactions.prompt-scores",
    ),
    "seeds are lost in streams": (
        asked_as(
            lambda asked: asked.get("stream") is True and asked["temperature"] == 1,
            lambda asked: {**asked, "seed": None},
        ),
        "interactions.seeded-streams",
    ),
    "negative seeds are made positive in streams": (
        asked_as(
            lambda asked: asked.get("stream") is True and (asked.get("seed") or 0) < 0,
            lambda asked: {**asked, "seed": -asked["seed"]},
        ),
        "interactions.seeded-streams",
    ),
    "an insertion is none where it is streamed": (
        asked_as(
            lambda asked: asked.get("stream") is True,
            lambda asked: {k: v for k, v in asked.items() if k != "suffix"},
        ),
        "interactions.text",
    ),
}
"""What is changed, and the check that has to find it."""


def as_cached() -> Change:
    """Answer an equal request with the very same answer."""
    known: dict[str, Body] = {}
    return Change(plain=lambda asked, whole: known.setdefault(json.dumps(asked), whole))


def refusing(where: Where) -> Change:
    """Decline some requests, by asking for what must be declined."""
    return asked_as(where, lambda asked: {**asked, "max_tokens": -1})


def flickering() -> Change:
    """Let greedy answers end in another word now and then, and tell of near-ties where asked."""
    chance = random.Random(8)

    def plain(asked: Body, whole: Body) -> Body:
        if asked.get("logprobs") is not None:
            return scored_closely(whole)
        ends = asked.get("echo") or asked.get("temperature") != 0 or chance.random() > 0.4
        told = [c if ends else {**c, "text": f"{c['text'][:-1]}~"} for c in whole["choices"]]
        return {**whole, "choices": told}

    return Change(plain=plain)
