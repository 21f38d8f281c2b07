"""Believing a difference between greedy answers only when it has settled.

A near-tie that flips now and then can look settled for one repeat of each side by chance. Where two
answers differ and seem to repeat, both are asked for again, which costs nothing where they agree.
"""

from __future__ import annotations

from typing import TypeVar

from conformance.checks._compare import Ask, expect_agreement, expect_repeatable
from conformance.judgement import Deviation, Inconclusive

T = TypeVar("T")

REPEATS = 3
"""How often each side has to repeat itself after a difference."""


async def expect_settled_agreement(left: Ask[T], right: Ask[T], expected: str) -> None:
    """Hold that two ways of asking give the same answer.

    Raises:
        Deviation: they differ, and each repeats its own answer every time.
        Inconclusive: one of them does not.
    """
    try:
        await expect_agreement(left, right, expected)
    except Deviation:
        one, other = await left(True), await right(True)
        if one == other:
            raise Inconclusive("two answers that differed agree when they are repeated") from None
        for _ in range(REPEATS):
            await expect_repeatable(left, one)
            await expect_repeatable(right, other)
        raise
