"""The records of a matrix: a row per target, a column per parameter, field and check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.language import Text
from conformance.model import Conclusion, Cost, Money, Run, State, Verdict


@dataclass(frozen=True, slots=True)
class Recorded:
    """The input for a row: a run, or the reason why there is none.

    Attributes:
        name: the target's name.
        run: its run, or None.
        page: link to the run's HTML report, relative to the matrix; None if there is none.
        document: the document of the contract.
        because: why there is no run.
        base_url, model: the endpoint; empty if unknown.
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
    """The state of one parameter or field at one target.

    ``documented``: the target's document mentions it. ``seen``: a check tested it. ``evidence``: id
    of the worst finding that needs attention, or None. ``is_lesser``: it deviates only from
    requirements of level should. ``is_expected``: a file expects every deviation of it.
    """

    state: State
    documented: bool
    seen: bool
    evidence: str | None
    is_lesser: bool = False
    is_expected: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One target. Without a run, ``conclusion`` is None and ``cells`` is empty.

    ``is_asked`` is false for a document that only stands for the contract nobody ran.

    ``cells`` maps names of parameters and fields to states, ``verdicts`` maps ids of checks to
    verdicts as reports show them; ``elapsed`` is in seconds. ``common``, ``common_conclusion`` and
    ``common_headline`` are ``cells``, ``conclusion`` and ``headline`` by the promises alone that
    all documents have in common; the conclusion is None if none of these was tested.
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
    is_asked: bool = True
    tier: str = ""
    strict: bool = False
    started_at: str = ""
    suite_version: str = ""
    elapsed: float = 0.0
    cost: Cost | None = None
    cost_in_words: Text | None = None
    money: Money | None = None
    cells: Mapping[str, Cell] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    common: Mapping[str, Cell] = field(default_factory=dict)
    common_conclusion: Conclusion | None = None
    common_headline: Text | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A check as a column of a detail table: its id and title."""

    id: str
    title: Text


@dataclass(frozen=True, slots=True)
class Subject:
    """A parameter or field, and the checks about it."""

    name: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """All rows and the union of their columns.

    ``subjects`` are parameters, fields and other subjects of checks, in this order. ``shared`` are
    the documents whose common promises the rows have cells for, too.
    """

    rows: tuple[Row, ...]
    parameters: tuple[str, ...]
    fields: tuple[str, ...]
    subjects: tuple[Subject, ...]
    sentence: Text
    shared: tuple[str, ...] = ()

    @property
    def asked(self) -> tuple[Row, ...]:
        """The rows of what was asked for; all of them if nothing was."""
        return tuple(row for row in self.rows if row.is_asked) or self.rows

    @property
    def others(self) -> tuple[Row, ...]:
        """The rows of documents whose contract no run used, beside those asked for."""
        return tuple(row for row in self.rows if row not in self.asked)
