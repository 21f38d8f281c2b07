"""The checks that are registered so far, as values."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from conformance.api import Api
from conformance.model import Stage, Tier

CheckFunction = Callable[[Api], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        id: permanent; people select by it and pin it in baselines.
        requirement: the id of the sentence it judges.
        title: the sentence that a reader of the report sees, from the function's docstring.
        title_zh: the same sentence in Chinese, the docstring's second paragraph.
        needs: parameters that the check uses as instruments; it is skipped where the contract does
            not document one of them.
        run: returns for a pass, raises a :class:`~conformance.judgement.Judgement` otherwise.
        asks: whether it always sends requests; one that does not is run when all that do are
            finished.
        stage: how it comes by its requests.
    """

    id: str
    requirement: str
    tier: Tier
    title: str
    title_zh: str
    needs: tuple[str, ...]
    run: CheckFunction
    asks: bool = True
    stage: Stage = Stage.DIRECTED

    @property
    def source(self) -> str:
        """The check's own code, for ``conformance explain``."""
        return inspect.getsource(self.run)


REGISTERED: dict[str, Check] = {}
"""Every check by its id; modules of checks add to it by being imported."""


def add(made: Check) -> None:
    """Add a check.

    Raises:
        ValueError: its id is taken.
    """
    if made.id in REGISTERED:
        raise ValueError(f"check {made.id} is registered twice")
    REGISTERED[made.id] = made
