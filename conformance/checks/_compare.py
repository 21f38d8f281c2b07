"""Comparing two answers fairly: a difference counts only after an A/A control.

Greedy decoding is steady only in theory: batching, mixture-of-experts routing and speculative
decoding flip near-ties. So a difference is repeated before it is believed, and an endpoint that
disagrees with itself is inconclusive, not deviant. Repeats cost nothing where answers agree.

One repeat would not do: a near-tie that flips now and then can look settled once by chance.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from conformance.judgement import Deviation, Inconclusive, shown
from conformance.model import Effect

T = TypeVar("T")
Ask = Callable[[bool], Awaitable[T]]
"""Asks the endpoint and returns what is compared; called with True for a fresh sample."""


REPEATS = 3
"""How often each side has to repeat itself after a difference."""


async def expect_agreement(
    left: Ask[T], right: Ask[T], expected: str, *, effect: Effect = Effect.ALTERED
) -> T:
    """Hold that two ways of asking give the same answer, and return it.

    Raises:
        Deviation: they differ, and each repeats its own answer every time.
        Inconclusive: one of them does not.
    """
    first, second = await left(False), await right(False)
    if first == second:
        return first
    for _ in range(REPEATS):
        await expect_repeatable(left, first)
        await expect_repeatable(right, second)
    raise Deviation(
        expected, f"{shown(first)} against {shown(second)}, both repeated", effect=effect
    )


async def expect_repeatable(ask: Ask[T], first: T) -> None:
    """Ask again and hold that the answer is the ``first`` one.

    Raises:
        Inconclusive: it is another one.
    """
    again = await ask(True)
    if again != first:
        raise Inconclusive(
            f"the endpoint does not repeat its own answer: {shown(first)}, then {shown(again)}"
        )
