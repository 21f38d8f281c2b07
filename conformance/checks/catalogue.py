"""The registered checks, as values."""

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
        id: permanent; used for selection and in baselines.
        requirement: the id of the requirement that it tests.
        title: the sentence shown in reports, from the function's docstring.
        title_zh: the same sentence in Chinese, the docstring's second paragraph.
        needs: parameters that the check uses; it is skipped if the contract does not document one
            of them.
        run: returns to pass, otherwise raises a :class:`~conformance.judgement.Judgement`.
        asks: whether it always sends requests; one that does not runs after all that do.
        stage: the kind of its requests.
        made_from: for a check from a table, its row and the function that makes checks of rows.
        prepare: computes in a thread what the check's requests are made from, while others are in
            flight; sends nothing. Checks that share it name the same function.
        sees_effect: whether the check fails if the endpoint accepts the parameter and ignores it.
        subject: what its finding is about; empty for the subject of the requirement.
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
    sees_effect: bool = False
    subject: str = ""

    @property
    def is_built_in(self) -> bool:
        """Whether the check is part of this package, not of a plugin."""
        return self.run.__module__.startswith("conformance.")

    @property
    def source(self) -> str:
        """The check's code, or its row and the function that makes checks of rows."""
        return "\n".join(map(_source_of, self.made_from or (self.run,)))


def _source_of(part: object) -> str:
    """Return the code of a function, or the members of a row that are not defaults."""
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
"""Every check by its id; importing a module of checks adds them."""


def add(made: Check) -> None:
    """Add a check.

    Raises:
        ValueError: its id is taken.
    """
    if made.id in REGISTERED:
        raise ValueError(f"check {made.id} is registered twice")
    REGISTERED[made.id] = made
