"""Compare two responses fairly: a difference counts only after an A/A control.

Greedy decoding is deterministic only in theory: batching, mixture-of-experts routing and
speculative decoding flip near-ties. So each side is repeated before a difference is reported. If
both sides are reproduced, the difference counts. Otherwise the model's own log probabilities at the
point where the responses diverge decide (:mod:`conformance.checks._shared.nondeterminism`).
Equal responses cost no repeats.

One repeat is not enough: a near-tie that flips sometimes can be reproduced once by chance.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from conformance.evidence import Evidence, compared, noted
from conformance.judgement import Failure, Inconclusive, shown
from conformance.message import Message, say
from conformance.model import Effect

T = TypeVar("T")

Ask = Callable[[bool], Awaitable[T]]
"""Sends requests and returns the value to compare; called with True for a fresh sample."""

REPEATS = 5
"""How often each side has to be reproduced after a difference."""


class Unsettled(Inconclusive):
    """Two requests have different responses, and one of them is not reproduced.

    Attributes:
        sides: send the two requests.
        seen: the responses of each side, in order; two of one side differ.
        expected: the behaviour of a conforming endpoint, for the report.
        effect: what a failure says about the parameter.
    """

    def __init__(
        self,
        sides: tuple[Ask[Any], Ask[Any]],
        seen: tuple[list[Any], list[Any]],
        expected: Message,
        effect: Effect,
        evidence: Evidence | None = None,
    ) -> None:
        first, again = next((s[0], s[-1]) for s in seen if s[-1] != s[0])
        super().__init__(
            say(
                "the response is not deterministic: {first}, then {second}",
                first=shown(first),
                second=shown(again),
            )
        )
        self.sides = sides
        self.seen = seen
        self.expected = expected
        self.effect = effect
        self.evidence = evidence


async def expect_agreement(
    left: Ask[T], right: Ask[T], expected: Message, *, effect: Effect = Effect.ALTERED
) -> T:
    """Assert that two requests have the same response, and return it.

    Raises:
        Failure: they differ, and each is reproduced every time.
        Unsettled: one of them is not reproduced; the decorators of checks settle it.
    """
    with noted() as lefts:
        first = await left(False)
    with noted() as rights:
        second = await right(False)
    if first == second:
        return first
    evidence = compared(lefts, rights)
    sides = (left, right)
    seen = ([first], [second])
    for _ in range(REPEATS):
        for ask, responses in zip(sides, seen, strict=True):
            responses.append(await ask(True))
            if responses[-1] != responses[0]:
                raise Unsettled(sides, seen, expected, effect, evidence)
    seen_twice = say("{one} vs. {other} (both reproduced)", one=shown(first), other=shown(second))
    raise Failure(expected, seen_twice, effect=effect).shown_by(evidence)
