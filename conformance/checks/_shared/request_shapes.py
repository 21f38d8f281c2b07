"""The shapes of a request (stream, batch, …), because an endpoint may err in only one of them.

What is true of a sample is true in each shape. Most are combined in one request; where that is not
served, each is sent on its own, and what a conforming server may reject (log probabilities of an
echo, several choices of a greedy response) is passed over.
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
from conformance.model import Effect
from conformance.protocol.completion import Choice

MIN_LOGPROB_GAP_NATS = 0.5
"""How far a token may lie below another, in nats, and be taken for the better of the two."""

MAX_TOKENS = 32
"""Tokens of each answer: enough to meet places where an answer that is too free takes another."""

MIN_SUBOPTIMAL_TOKENS = 2
"""Tokens of a choice that must not be the best, on the average, before an answer is accused."""


@dataclass(frozen=True, slots=True, eq=False)
class RequestShape:
    """One way to ask: its name for a reader, and what it puts into a request.

    ``parts`` are what it puts together, for an endpoint that does not serve it as a whole.
    """

    name: str
    more: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    parts: tuple[RequestShape, ...] = ()

    def prompt_of(self, choice: int, choices_per_prompt: int) -> str:
        """The prompt that a choice continues, where each has so many."""
        prompt = self.more.get("prompt", STORY)
        return str(prompt[choice // choices_per_prompt] if isinstance(prompt, list) else prompt)


class HasParts(Protocol):
    """A way to ask that may be made of others."""

    @property
    def parts(self) -> tuple[Any, ...]:
        """What it puts together."""


AnyShape = TypeVar("AnyShape", bound=HasParts)


class ShapeQueue(Generic[AnyShape]):
    """Ways to ask, one after the other; one that is not served as a whole leaves its parts.

    Iterated once; a part of several ways comes once.
    """

    def __init__(self, shapes: Iterable[AnyShape]) -> None:
        self._todo = list(shapes)
        self._met = set(self._todo)

    def __iter__(self) -> Iterator[AnyShape]:
        while self._todo:
            yield self._todo.pop(0)

    def take_apart(self, shape: AnyShape) -> None:
        """Let the parts of a way follow."""
        new = [part for part in shape.parts if part not in self._met]
        self._met.update(new)
        self._todo += new


NON_STREAMING = RequestShape("a non-streaming response")

STREAM = RequestShape("a stream", stream=True)

BATCH = RequestShape("a batch", {"prompt": list(OPEN_PROMPTS[:2])})

SEVERAL_CHOICES = RequestShape("several choices", {"n": 3})

CHINESE = RequestShape("a response to Chinese text", {"prompt": OPEN_PROMPTS[2]})

ECHO = RequestShape("a response with echo", {"echo": True})

TWO_SCRIPTS = [STORY, OPEN_PROMPTS[2]]


def together(*others: RequestShape, **more: Any) -> tuple[RequestShape, ...]:
    """Return the plain way, and two that hold all others: streamed, and with an echo."""
    batch = {"prompt": TWO_SCRIPTS, **more}
    return (
        NON_STREAMING,
        RequestShape("a streamed batch", batch, stream=True, parts=(STREAM, *others)),
        RequestShape("an echoed batch", {**batch, "echo": True}, parts=(*others, ECHO)),
    )


SHAPES = together(BATCH, SEVERAL_CHOICES, CHINESE, n=2)


async def answers_in_every_shape(
    api: Api,
    request: Mapping[str, Any],
    *,
    shapes: Sequence[RequestShape] = SHAPES,
    fresh: bool = False,
) -> AsyncIterator[tuple[RequestShape, Sequence[Choice]]]:
    """Ask in every way for an open prompt to be continued, with log probabilities.

    Raises:
        Refusal: the plain way is declined.
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
            # What is wrong with this way altogether is judged where it is asked for plainly.
            if shape is shapes[0]:
                raise
            turns.take_apart(shape)
        else:
            yield shape, choices


async def assert_greedy_in_every_shape(
    api: Api, expected: str, effect: Effect = Effect.IGNORED, **request: Any
) -> None:
    """Assert that a request which leaves no choice is answered by the best tokens, in every way.

    Raises:
        Deviation: tokens were taken though two or more others were far better.
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
                f"in {shape.name} {len(outliers)} of {len(positions)} tokens are far from the best,"
                f" such as {shown(worst.token)} with {worst.logprob}, listed: {shown(worst.top)}",
                effect=effect,
            )


def generated(shape: RequestShape, choice: Choice) -> Sequence[Position]:
    """Return the positions behind an echoed prompt: the last ones, as many as were asked for.

    An echoed answer that ended before its limit does not tell where its prompt ends.
    """
    positions = positions_of(choice)
    if not shape.more.get("echo"):
        return positions
    return positions[-MAX_TOKENS:] if choice.finish_reason == "length" else ()


def is_suboptimal(position: Position) -> bool:
    """Return whether a token cannot be the best: one better token may be banned, two are not."""
    if position.logprob is None:
        return False
    bound = math.exp(position.logprob + MIN_LOGPROB_GAP_NATS)
    return sum(chance > bound for chance in listed_at(position).values()) > 1
