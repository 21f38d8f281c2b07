"""Requests log probabilities for a scene, and compares those of two responses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from conformance.checks._shared.metamorphic import choices
from conformance.checks._shared.token_scores import (
    Scored,
    alike,
    expect_scored_alike,
    scored_tokens,
)
from conformance.evidence import compared, noted
from conformance.generation.property_runner import Trial
from conformance.generation.request_shapes import RequestShape
from conformance.generation.strategies import Scene
from conformance.judgement import Failure, shown
from conformance.message import Message, say

TOP_LOGPROBS = 2
"""The value of ``logprobs`` in requests that read log probabilities."""


async def scored(
    trial: Trial, scene: Scene, shape: RequestShape, *, stream: bool, fresh: bool
) -> Scored:
    """Return the tokens of all choices with their log probabilities."""
    found = await choices(
        trial.api, scene, shape, stream=stream, fresh=fresh, logprobs=TOP_LOGPROBS
    )
    return scored_tokens(choice for _, choice in found)


async def expect_same_scores(
    trial: Trial,
    left: Callable[[bool], Awaitable[Scored]],
    right: Callable[[bool], Awaitable[Scored]],
    expected: Message,
) -> None:
    """Expect two ways to request a completion to give the same tokens and log probabilities.

    ``left`` is the way that is judged. A careful trial repeats both before it raises.

    Raises:
        Failure: they differ.
        Inconclusive: the log probabilities of one of them are not reproduced.
    """
    with noted() as lefts:
        first = await left(False)
    trial.request = trial.api.exchanges[-1].request
    with noted() as rights:
        second = await right(False)
    if [token for token, _ in first] == [token for token, _ in second] and alike(
        [score for _, score in first], [score for _, score in second]
    ):
        return
    if trial.careful:
        await expect_scored_alike(left, right, expected)
        return
    result = say("{one} vs. {other}", one=shown(first), other=shown(second))
    raise Failure(expected, result).shown_by(compared(lefts, rights))
