"""The runs of a target, by series, as its page and the front page show them; pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from conformance.history.changes import Series, Step, series_of, steps
from conformance.history.entry import Entry
from conformance.history.site import words
from conformance.history.site.days import Span, day_of, iso, worst_of_days
from conformance.history.site.kinds import (
    RUN_ORDER,
    RUNS,
    SUBJECT_ORDER,
    SUBJECTS,
    UNJUDGED,
    Kind,
)
from conformance.history.site.strip import strip
from conformance.language import Text
from conformance.model import State

MAX_NAME_CHARS = 60
NAME_DIGITS = 10
_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]*")
_UNSAFE = re.compile(r"[^a-z0-9._-]+")

UNTOLD = frozenset({State.UNCLEAR.value, State.UNTESTED.value})
"""States that tell nothing of a parameter, so that getting there and back is no change."""

MAX_ROWS = 300
"""Parameters or fields of a table; no contract has as many."""


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A parameter or field: its state in the last run, since when, and its strip.

    ``changed`` is the day of the last change; None if none is shown.
    """

    name: str
    now: Kind | None
    changed: str | None
    strip: Markup


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A series within the days that are shown.

    Attributes:
        series: what its runs have in common.
        number: its place on the target's page, from 1.
        span: the days.
        steps: its runs in order of time, each beside what was before it.
    """

    series: Series
    number: int
    span: Span
    steps: tuple[Step, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its runs in order of time."""
        return tuple(step.entry for step in self.steps)

    @property
    def last(self) -> Entry:
        """Its last run."""
        return self.steps[-1].entry

    @property
    def now(self) -> Kind:
        """How the last run ended."""
        return RUNS[self.last.conclusion]

    @property
    def since(self) -> Text:
        """From which day on each run that judged the target ended like the last one.

        If the last run judged nothing, it is the day from which on none did.
        """
        first = self.last
        passed_over = UNJUDGED if first.conclusion not in UNJUDGED else frozenset()
        for entry in reversed(self.entries):
            if entry.conclusion == first.conclusion:
                first = entry
            elif entry.conclusion not in passed_over:
                return words.SINCE.format(day=iso(day_of(first)))
        # What is before the days that are shown is not looked at.
        is_first_of_all = self.steps[0].before is None
        since = words.SINCE if is_first_of_all else words.SINCE_BEFORE
        return since.format(day=iso(day_of(first)))

    @property
    def changes(self) -> tuple[Step, ...]:
        """The runs with a regression, a recovery, or another measure than before; newest first."""
        return tuple(
            step
            for step in reversed(self.steps)
            if step.is_change or not step.is_comparable or moved(step)
        )

    def strip_in(self, span: Span) -> Markup:
        """Draw how its runs ended; the worst of a day."""
        kinds = ((day_of(entry), entry.conclusion) for entry in self.entries)
        marks = (day_of(step.entry) for step in self.steps if step.is_change)
        return strip(worst_of_days(kinds, RUN_ORDER), span, RUNS, marks)

    @property
    def strip(self) -> Markup:
        """Its strip on the target's page."""
        return self.strip_in(self.span)

    @property
    def parameters(self) -> tuple[SubjectRow, ...]:
        """The parameters, what deviates now first."""
        return self._rows([entry.parameters for entry in self.entries])

    @property
    def fields(self) -> tuple[SubjectRow, ...]:
        """The response fields, what deviates now first."""
        return self._rows([entry.fields for entry in self.entries])

    def _rows(self, states: Sequence[Mapping[str, str]]) -> tuple[SubjectRow, ...]:
        days = [day_of(entry) for entry in self.entries]
        last = next((one for one in reversed(states) if one), {})
        names = dict.fromkeys(name for one in (last, *states) for name in one)
        rows = []
        for name in list(names)[:MAX_ROWS]:
            kinds = [(day, one[name]) for day, one in zip(days, states, strict=True) if name in one]
            told = [one for one in kinds if one[1] not in UNTOLD]
            changed = [day for (_, was), (day, now) in pairwise(told) if was != now]
            drawn = strip(worst_of_days(kinds, SUBJECT_ORDER), self.span, SUBJECTS, changed)
            now = last.get(name)
            look = SUBJECTS[now] if now else None
            rows.append(SubjectRow(name, look, iso(max(changed)) if changed else None, drawn))
        return tuple(sorted(rows, key=lambda row: -(row.now.height if row.now else 0)))


def moved(step: Step) -> bool:
    """Return whether a run is of another endpoint or model than the one before."""
    before, now = step.before, step.entry
    return before is not None and (before.base_url, before.model) != (now.base_url, now.model)


def views(entries: Iterable[Entry], span: Span) -> tuple[SeriesView, ...]:
    """Return the series of one target, that of the last run first.

    Args:
        entries: all its runs, in order of time: what is before the span decides what changed in it.
        span: the days to show.
    """
    found: dict[Series, list[Step]] = {}
    for step in steps(entry for entry in entries if entry.conclusion in RUNS):
        if span.holds(day_of(step.entry)):
            found.setdefault(series_of(step.entry), []).append(step)
    ordered = sorted(found.items(), key=lambda one: one[1][-1].entry.started_at, reverse=True)
    return tuple(
        SeriesView(series, number, span, tuple(of_one))
        for number, (series, of_one) in enumerate(ordered, 1)
    )


def page_name(target: str) -> str:
    """Return the name of a target's page, without its ending; a target may have any name."""
    if _PLAIN.fullmatch(target) and len(target) <= MAX_NAME_CHARS:
        return target
    digits = hashlib.sha256(target.encode("utf-8", "surrogatepass")).hexdigest()[:NAME_DIGITS]
    plain = _UNSAFE.sub("-", target.lower())[:MAX_NAME_CHARS].strip("-.")
    return f"{plain or 'target'}~{digits}"
