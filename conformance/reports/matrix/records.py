"""Many runs as one table: a row for each target, a column for each parameter, field and check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.language import Text
from conformance.model import Conclusion, Cost, Run, State, Verdict


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is to become a row: a run, or the reason why there is none.

    Attributes:
        name: what the target is called.
        run: its run, or None where it did not come to one.
        page: the address of the run's own report, relative to the matrix; None where it has none.
        document: whose promises it was to be held to.
        because: why it was not run, in a sentence.
        base_url, model: what was to be asked; empty where nobody has said so.
    """

    name: str
    run: Run | None = None
    page: str | None = None
    document: str = ""
    because: Text | None = None
    base_url: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of one parameter or field at one target.

    ``documented`` tells whether the target's document mentions it, ``seen`` whether a check looked
    at it, and ``evidence`` names the worst finding about it, where one wants reading.
    """

    state: State
    documented: bool
    seen: bool
    evidence: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One target. ``conclusion`` is None, and there are no cells, where it was not run.

    ``cells`` has what became of each parameter and field by its name, ``verdicts`` what each check
    concluded by its id; ``elapsed`` is in seconds.
    """

    name: str
    page: str | None
    base_url: str
    model: str
    contract: str
    document: str
    conclusion: Conclusion | None
    headline: Text
    sentence: Text
    because: Text | None
    tier: str = ""
    strict: bool = False
    started_at: str = ""
    suite_version: str = ""
    elapsed: float = 0.0
    cost: Cost | None = None
    cost_in_words: Text | None = None
    cells: Mapping[str, Cell] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A column one click deeper: a check, by its id and its sentence."""

    id: str
    title: Text


@dataclass(frozen=True, slots=True)
class Subject:
    """A parameter or field, and the checks about it."""

    name: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows, and the columns that any of them has.

    ``subjects`` are the parameters, the fields, and whatever else checks are about, in this order.
    """

    rows: tuple[Row, ...]
    parameters: tuple[str, ...]
    fields: tuple[str, ...]
    subjects: tuple[Subject, ...]
    sentence: Text
