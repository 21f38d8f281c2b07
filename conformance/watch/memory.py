"""What is known of a target, and which news a run brings; pure.

The first run is what later ones are compared with, and brings no news. A check that judged a
deviation before and judges none now has recovered, the reverse is a regression
(:mod:`conformance.history.changes`). What a run does not judge says nothing about a check.

A change is told once: when a second run has seen it, or at once if nothing is to be confirmed. A
check that changes for the fourth time in a day is told to be unstable, once; what it comes to
is told when it has been the same for a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from conformance.history import Entry
from conformance.history.changes import DEVIATING, judged, series_of
from conformance.watch.reading import time_of

ENDPOINT = "*"
"""Stands for the endpoint among the ids of checks: whether a run could judge it at all."""

CHANGES_OF_UNSTABLE = 4
"""A change that is the fourth within :data:`WINDOW` makes a check unstable."""

WINDOW = timedelta(days=1)


class Standing(StrEnum):
    """What is known of a check."""

    FINE = "fine"
    DEVIATING = "deviating"
    UNSTABLE = "unstable"  # only as what was told


class Kind(StrEnum):
    """What a piece of news is."""

    REGRESSION = "regression"
    RECOVERY = "recovery"
    UNSTABLE = "unstable"
    UNJUDGED = "unjudged"
    JUDGED = "judged"


@dataclass(frozen=True, slots=True)
class News:
    """One change: its kind, and the check; :data:`ENDPOINT` for the endpoint itself."""

    kind: Kind
    check: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one check.

    Attributes:
        told: what was told last, or what the first run showed.
        state: what it is; never unstable.
        is_pending: whether the last run that judged it saw a change that is not confirmed.
        changes: the times of its confirmed changes within the last day, ISO 8601.
    """

    told: Standing
    state: Standing
    is_pending: bool = False
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a target.

    Attributes:
        basis: what has to be the same for runs to be comparable.
        checks: by id.
    """

    basis: tuple[str, ...] = ()
    checks: Mapping[str, Known] = field(default_factory=dict, hash=False)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        checks = {
            check: [known.told.value, known.state.value, known.is_pending, list(known.changes)]
            for check, known in self.checks.items()
        }
        return {"basis": list(self.basis), "checks": checks}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` made.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        checks = {
            str(check): Known(
                Standing(told),
                Standing(state),
                bool(pending),
                tuple(time_of(at).isoformat(timespec="seconds") for at in changes),
            )
            for check, (told, state, pending, changes) in values["checks"].items()
        }
        return cls(tuple(map(str, values["basis"])), checks)


@dataclass(frozen=True, slots=True)
class Learned:
    """What a run leaves: the new memory, what is to be told, and whether a change is pending."""

    memory: Memory
    news: tuple[News, ...]
    is_open: bool


def learned(memory: Memory, entry: Entry, at: datetime, *, confirms: bool) -> Learned:
    """Compare a run with what is known.

    Args:
        memory: of the target.
        entry: the run.
        at: when it ended.
        confirms: whether a change has to be seen by two runs before it is told.
    """
    basis = (*map(str, series_of(entry)), entry.suite, str(entry.contract))
    seen = {
        check: Standing.DEVIATING if verdict in DEVIATING else Standing.FINE
        for check in (*entry.findings, *entry.passed)
        if (verdict := judged(entry, check)) is not None
    }
    if not seen:
        return unjudged(memory, at, confirms=confirms)
    known = dict(memory.checks)
    if basis != memory.basis:
        # Another suite or contract measures something else; the endpoint is the same.
        known = {check: one for check, one in known.items() if check == ENDPOINT}
    return _learned(basis, known, {**seen, ENDPOINT: Standing.FINE}, at, confirms=confirms)


def unjudged(memory: Memory, at: datetime, *, confirms: bool) -> Learned:
    """Learn that a run judged nothing, or could not begin: no check is better or worse for it."""
    known = {ENDPOINT: Known(Standing.FINE, Standing.FINE), **memory.checks}
    seen = {ENDPOINT: Standing.DEVIATING}
    return _learned(memory.basis, known, seen, at, confirms=confirms)


def _learned(
    basis: tuple[str, ...],
    known: dict[str, Known],
    seen: Mapping[str, Standing],
    at: datetime,
    *,
    confirms: bool,
) -> Learned:
    news: list[News] = []
    for check, state in seen.items():
        before = known.get(check, Known(state, state))
        known[check] = _after(before, state, at, confirms=confirms)
        news += _told(check, before, known[check])
    news.sort(key=lambda one: (list(Kind).index(one.kind), one.check))
    is_open = any(known[check].is_pending for check in seen)
    return Learned(Memory(basis, known), tuple(news), is_open)


def _after(before: Known, state: Standing, at: datetime, *, confirms: bool) -> Known:
    """Return what is known of a check after a run judged it."""
    recent = tuple(t for t in before.changes if at - datetime.fromisoformat(t) < WINDOW)
    if state == before.state:
        is_settled = before.told is Standing.UNSTABLE and not recent
        told = state if is_settled else before.told
        return Known(told, state, changes=recent)
    if confirms and not before.is_pending:
        return replace(before, is_pending=True, changes=recent)
    changes = (*recent, at.isoformat(timespec="seconds"))
    if before.told is Standing.UNSTABLE or len(changes) >= CHANGES_OF_UNSTABLE:
        return Known(Standing.UNSTABLE, state, changes=changes[-CHANGES_OF_UNSTABLE:])
    return Known(state, state, changes=changes)


def _told(check: str, before: Known, after: Known) -> Iterator[News]:
    if after.told == before.told:
        return
    match after.told:
        case Standing.UNSTABLE:
            yield News(Kind.UNSTABLE, check)
        case Standing.DEVIATING:
            yield News(Kind.UNJUDGED if check == ENDPOINT else Kind.REGRESSION, check)
        case Standing.FINE:
            yield News(Kind.JUDGED if check == ENDPOINT else Kind.RECOVERY, check)
