"""Deviations that are expected: the entries of a file, and what a run makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conformance.model.enums import State, Verdict


class EntryKind(StrEnum):
    """What an entry names."""

    CHECK = "check"
    REQUIREMENT = "requirement"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One entry of a file of expected deviations.

    Attributes:
        kind: what ``name`` is.
        name: an id, or a glob.
        reason: why the deviation is accepted for now.
        line: the line of the file on which the entry begins, from 1.
        url: where it is tracked.
        since: since when it is known.
        expires: the last day on which it is expected, as in ``2026-12-31``; None is for ever.
        intermittent: whether it is only seen at times, so that a run without it is no news.
        verdict: the only verdict that is expected; None is fail or warn.
        state: the only state of the parameter or field that is expected; None is any.
        checks: ids of the checks in force that it names, at any tier; the engine fills them in.
    """

    kind: EntryKind
    name: str
    reason: str
    line: int
    url: str | None = None
    since: str | None = None
    expires: str | None = None
    intermittent: bool = False
    verdict: Verdict | None = None
    state: State | None = None
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExpectedFile:
    """A file of expected deviations; ``name`` is its path, as it was given."""

    name: str
    entries: tuple[Expectation, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run makes of the expected deviations.

    Attributes:
        file: the file.
        known: ids of the findings that an entry expects.
        new: ids of the findings that decide against the endpoint and that no entry expects.
        stale: entries that expect what the run did not see, although it looked.
        expired: entries whose last day had passed when the run started, and which it judged.
    """

    file: ExpectedFile
    known: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    stale: tuple[Expectation, ...] = ()
    expired: tuple[Expectation, ...] = ()

    @property
    def is_news(self) -> bool:
        """Return whether the file no longer describes the endpoint."""
        return bool(self.new or self.stale or self.expired)
