"""The checks that are registered so far, as values."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from pprint import pformat

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
        made_from: what a check was made from that is no function of its own: the row of a table,
            and the function that makes checks of such rows.
        prepare: computes in a thread what the check's requests are made from, while others are in
            flight; sends nothing. Checks that share it name the same function.
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
    made_from: tuple[object, ...] = ()
    prepare: CheckFunction | None = None

    @property
    def source(self) -> str:
        """The check's own code, or its row and what makes checks of those, for ``explain``."""
        return "\n".join(map(_source_of, self.made_from or (self.run,)))


def _source_of(part: object) -> str:
    """Write a function as its code, and a row as what it states beside the defaults."""
    if inspect.isfunction(part):
        return inspect.getsource(part)
    if not is_dataclass(part):
        return pformat(part, width=96, sort_dicts=False)
    values = ((field, getattr(part, field.name)) for field in fields(part))
    stated = (f"    {f.name}={_written(value)},\n" for f, value in values if value != f.default)
    return f"{type(part).__name__}(\n{''.join(stated)})\n"


def _written(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else pformat(value, sort_dicts=False)


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
