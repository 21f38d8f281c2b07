"""The shapes of a request (stream, batch, …), because an endpoint may be wrong in only one of them.

Most shapes are combined in one request; if that is not served, each is sent alone, and what a
conforming server may reject (log probabilities of an echo, several choices of a greedy response) is
skipped.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from conformance.api import Api
from conformance.checks._shared.p_values import LISTED_ALTERNATIVES, listed_at
from conformance.checks._shared.requests import collect_stream
from conformance.checks._shared.sampling import OPEN_PROMPTS, STORY
from conformance.checks._shared.token_scores import Position, positions_of
from conformance.judgement import Failure, Judgement, Refusal, shown
from conformance.message import Message, say
from conformance.model import Effect
from conformance.protocol.completion import Choice

MIN_LOGPROB_GAP_NATS = 0.5
"""How far below the best a token may lie, in nats, and still be the best after rounding."""

MAX_TOKENS = 32
"""Tokens of each response: enough for positions where a sampling fault chooses another token."""

MIN_SUBOPTIMAL_TOKENS = 2
"""Tokens per choice, on average, that must not be the best before a response is reported."""


@dataclass(frozen=True, slots=True, eq=False)
class RequestShape:
    """One shape of a request: its name for a reader, and the members that it adds.

    ``parts`` are the simpler shapes that it combines, for an endpoint that does not serve it.
    """

    name: Message
    more: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    parts: tuple[RequestShape, ...] = ()

    def prompt_of(self, choice: int, choices_per_prompt: int) -> str:
        """Return the prompt that a choice continues."""
        prompt = self.more.get("prompt", STORY)
        return str(prompt[choice // choices_per_prompt] if isinstance(prompt, list) else prompt)


class HasParts(Protocol):
    """A shape that may combine others."""

    @property
    def parts(self) -> tuple[Any, ...]:
        """The shapes that it combines."""


AnyShape = TypeVar("AnyShape", bound=HasParts)


class ShapeQueue(Generic[AnyShape]):
    """Iterates over shapes; a shape that is not served is replaced by its parts.

    It is iterated once; a part of several shapes occurs once.
    """

    def __init__(self, shapes: Iterable[AnyShape]) -> None:
        self._todo = list(shapes)
        self._met = set(self._todo)

    def __iter__(self) -> Iterator[AnyShape]:
        while self._todo:
            yield self._todo.pop(0)

    def take_apart(self, shape: AnyShape) -> None:
        """Append the parts of a shape."""
        new = [part for part in shape.parts if part not in self._met]
        self._met.update(new)
        self._todo += new


NON_STREAMING = RequestShape(say("a non-streaming response"))

STREAM = RequestShape(say("a stream"), stream=True)

BATCH = RequestShape(say("a batch"), {"prompt": list(OPEN_PROMPTS[:2])})

SEVERAL_CHOICES = RequestShape(say("several choices"), {"n": 3})

CHINESE = RequestShape(say("a response to Chinese text"), {"prompt": OPEN_PROMPTS[2]})

ECHO = RequestShape(say("a response with echo"), {"echo": True})

TWO_SCRIPTS = [STORY, OPEN_PROMPTS[2]]


def together(*others: RequestShape, **more: Any) -> tuple[RequestShape, ...]:
    """Return the non-streaming shape, and two that combine all others: a stream and an echo."""
    batch = {"prompt": TWO_SCRIPTS, **more}
    return (
        NON_STREAMING,
        RequestShape(say("a streamed batch"), batch, stream=True, parts=(STREAM, *others)),
        RequestShape(say("an echoed batch"), {**batch, "echo": True}, parts=(*others, ECHO)),
    )


SHAPES = together(BATCH, SEVERAL_CHOICES, CHINESE, n=2)


async def answers_in_every_shape(
    api: Api,
    request: Mapping[str, Any],
    *,
    shapes: Sequence[RequestShape] = SHAPES,
    fresh: bool = False,
) -> AsyncIterator[tuple[RequestShape, Sequence[Choice]]]:
    """Request a completion of an open prompt in every shape, with log probabilities.

    Raises:
        Refusal: the non-streaming shape is rejected.
    """
    turns = ShapeQueue(shapes)
    for shape in turns:
        body = {
            "prompt": STORY,
            "max_tokens": MAX_TOKENS,
            **request,
            "logprobs": LISTED_ALTERNATIVES,
            **shape.more,
        }
        try:
            if shape.stream:
                choices = collect_stream(await api.stream(fresh=fresh, **body)).choices
            else:
                choices = (await api.complete(fresh=fresh, **body)).expect_ok().choices
        except (Failure, Refusal):
            # Other checks judge this shape by itself.
            if shape is shapes[0]:
                raise
            turns.take_apart(shape)
        else:
            yield shape, choices


async def assert_greedy_in_every_shape(
    api: Api, expected: Message, effect: Effect = Effect.IGNORED, **request: Any
) -> None:
    """Assert that a request that leaves no choice gets the best tokens, in every shape.

    Raises:
        Failure: tokens were chosen although two or more others were far better.
    """
    async for shape, choices in answers_in_every_shape(api, request):
        try:
            positions = [p for choice in choices for p in generated(shape, choice)]
        except Judgement:
            continue
        outliers = [position for position in positions if is_suboptimal(position)]
        if len(outliers) >= MIN_SUBOPTIMAL_TOKENS * len(choices):
            worst = min(outliers, key=lambda position: position.logprob or 0.0)
            raise Failure(
                expected,
                say(
                    "in {way} {off} of {all} tokens are far from the best, such as {token} "
                    "with {score}, listed: {best}",
                    way=shape.name,
                    off=len(outliers),
                    all=len(positions),
                    token=shown(worst.token),
                    score=worst.logprob,
                    best=shown(worst.top),
                ),
                effect=effect,
            )


def generated(shape: RequestShape, choice: Choice) -> Sequence[Position]:
    """Return the positions after an echoed prompt: the last ones, as many as were requested.

    If the response ended before its limit, the end of its echoed prompt is unknown.
    """
    positions = positions_of(choice)
    if not shape.more.get("echo"):
        return positions
    return positions[-MAX_TOKENS:] if choice.finish_reason == "length" else ()


def is_suboptimal(position: Position) -> bool:
    """Return whether a token cannot be the best: one better token may be banned, but not two."""
    if position.logprob is None:
        return False
    bound = math.exp(position.logprob + MIN_LOGPROB_GAP_NATS)
    return sum(chance > bound for chance in listed_at(position).values()) > 1
