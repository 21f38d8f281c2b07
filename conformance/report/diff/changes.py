"""Changes of checks and parameters between two runs; pure.

Only verdicts are compared. A regression is a verdict that got worse, including a feature that
worked and is now refused. A check that fails now and had no verdict counts as one, too: nothing
says that it failed before. A check that had a verdict and is now inconclusive is neither a
regression nor a fix. Checks that only one run executed are listed but not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from conformance.model import Finding, Run, State, Verdict
from conformance.record.conclusions import JUDGED, state_of


class Change(StrEnum):
    """How a check's finding changed since the older run, the most important first."""

    BROKE = "broke"
    UNSURE = "became unsure"
    FIXED = "mended"
    STILL = "still deviates"
    SETTLED = "judged now"
    UNJUDGED = "not judged any more"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Changed:
    """One check with its old and new finding; None in the run that lacks it."""

    change: Change
    was: Finding | None
    now: Finding | None

    @property
    def finding(self) -> Finding:
        """The newer finding, or the older one if the newer run has none."""
        found = self.now or self.was
        assert found is not None  # noqa: S101 - made from at least one of the two
        return found


@dataclass(frozen=True, slots=True)
class Turned:
    """A parameter or response field whose state changed."""

    name: str
    kind: str  # "parameter" or "field"
    was: State
    now: State

    @property
    def is_worse(self) -> bool:
        """Return whether the state got worse; it did not if one of the two is not known."""
        return not _UNKNOWN & {self.was, self.now} and _LOSS[self.now] > _LOSS[self.was]

    @property
    def is_better(self) -> bool:
        """Return whether the state improved; it did not if one of the two is not known."""
        return not _UNKNOWN & {self.was, self.now} and _LOSS[self.now] < _LOSS[self.was]


_HARM: Mapping[Verdict, int] = {
    Verdict.PASS: 0,
    Verdict.REFUSED: 1,
    Verdict.WARN: 2,
    Verdict.FAIL: 3,
}
_LOSS: Mapping[State, int] = {
    State.HONOURED: 0,
    # Whether its effect was seen depends on the tier, so this is no difference.
    State.ACCEPTED: 0,
    State.REFUSED: 1,
    State.ALTERED: 2,
    State.IGNORED: 3,
}
_UNKNOWN = frozenset({State.UNTESTED, State.UNCLEAR})
_UNSURE = frozenset({Verdict.INCONCLUSIVE, Verdict.ERROR})
_NOTHING_KNOWN = _UNSURE | {Verdict.SKIPPED}


def changes_between(old: Run, new: Run) -> tuple[Changed, ...]:
    """List the checks that changed or still fail, by change and then by id."""
    before = {finding.id: finding for finding in old.findings}
    after = {finding.id: finding for finding in new.findings}
    found = []
    for check in before.keys() | after.keys():
        was, now = before.get(check), after.get(check)
        change = _change(was, now)
        if change is not None:
            found.append(Changed(change, was, now))
    order = list(Change)
    found.sort(key=lambda one: (order.index(one.change), one.finding.id))
    return tuple(found)


def _change(was: Finding | None, now: Finding | None) -> Change | None:
    if was is None or now is None:
        return Change.NEW if was is None else Change.GONE
    before, after = was.verdict, now.verdict
    if before in JUDGED and after in JUDGED:
        if before == after:
            return Change.STILL if _HARM[after] >= _HARM[Verdict.WARN] else None
        return Change.BROKE if _HARM[after] > _HARM[before] else Change.FIXED
    if before in JUDGED:
        return Change.UNSURE if after in _UNSURE else Change.UNJUDGED
    if after is Verdict.FAIL and before in _NOTHING_KNOWN:
        return Change.BROKE
    return Change.SETTLED if after in JUDGED else None


def unchanged(old: Run, new: Run) -> int:
    """Count the checks with the same verdict in both runs."""
    before = {finding.id: finding.verdict for finding in old.findings}
    return sum(
        finding.verdict in JUDGED and before.get(finding.id) is finding.verdict
        for finding in new.findings
    )


def compared(old: Run, new: Run) -> int:
    """Count the checks with a verdict in both runs."""
    return len(_judged(old.findings) & _judged(new.findings))


def _judged(findings: Iterable[Finding]) -> frozenset[str]:
    return frozenset(finding.id for finding in findings if finding.verdict in JUDGED)


def turned_between(old: Run, new: Run) -> tuple[Turned, ...]:
    """List parameters and fields in both contracts whose state changed, in the newer run's order.

    Each state is based on its own run's contract.
    """
    known = {subject.name for subject in old.header.subjects}
    found = (
        Turned(
            subject.name,
            subject.kind,
            state_of(subject, old.findings),
            state_of(subject, new.findings),
        )
        for subject in new.header.subjects
        if subject.name in known
    )
    return tuple(one for one in found if one.was is not one.now)
