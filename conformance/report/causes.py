"""Findings grouped by their root cause, so that one cause is reported once.

A root is a finding that no other one explains; attribution decides that, never the subject. Roots
about one subject are listed next to each other, but they are not said to have one cause.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.model import Finding, Level, Verdict
from conformance.report.summary import WORST_FIRST, Summary

CROWD = 4
"""Inconclusive findings with one reason that are too many to be listed one by one."""

_LEVELS = (Level.MUST, Level.SHOULD, Level.MAY)


@dataclass(frozen=True, slots=True)
class Cause:
    """A root cause: the finding that tells it, and the findings that it explains."""

    root: Finding
    explained: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """What is shown in one place: a cause, and others about the same subject.

    Attributes:
        lead: the cause that is shown in full.
        others: causes with the same subject and verdict; that they have the cause of ``lead`` is
            not known.
        alike: inconclusive findings that have the reason of ``lead``; a crowd has no ``others``.
    """

    lead: Cause
    others: tuple[Cause, ...] = ()
    alike: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of the group, the explained ones too."""
        causes = (self.lead, *self.others)
        shown = (finding for cause in causes for finding in (cause.root, *cause.explained))
        return (*shown, *self.alike)


def causes_of(summary: Summary) -> tuple[Cause, ...]:
    """Return a cause for each finding that needs attention; the worst verdict comes first.

    Of the same verdict the stricter level comes first, then the cause that explains more.
    """
    causes = [Cause(finding, summary.explained_by(finding)) for finding in summary.troubles]
    return tuple(sorted(causes, key=_severity))


def groups_of(summary: Summary) -> tuple[Group, ...]:
    """Group the causes by subject and verdict, in the order of :func:`causes_of`.

    Verdicts are kept apart, so that a warning is never counted as a failure. Inconclusive findings
    with the same reason are one group, if there are many: a key revoked in mid-run is a hundred of
    them.
    """
    reasons = Counter(f.message for f in summary.troubles if f.verdict is Verdict.INCONCLUSIVE)
    found: dict[tuple[str, str, str], list[Cause]] = {}
    for cause in causes_of(summary):
        root = cause.root
        is_crowd = root.verdict is Verdict.INCONCLUSIVE and reasons[root.message] >= CROWD
        subject, reason = ("", root.message) if is_crowd else (root.subject, "")
        found.setdefault((subject, root.shown, reason), []).append(cause)
    return tuple(_group(subject, causes) for (subject, *_), causes in found.items())


def _group(subject: str, causes: Sequence[Cause]) -> Group:
    lead, *others = causes
    if subject:
        return Group(lead, tuple(others))
    return Group(lead, alike=tuple(cause.root for cause in others))


def _severity(cause: Cause) -> tuple[int, int, int]:
    root = cause.root
    return WORST_FIRST.index(root.shown), _LEVELS.index(root.level), -len(cause.explained)


def count_findings(groups: Sequence[Group]) -> int:
    """Count the findings of several groups."""
    return sum(len(group.findings) for group in groups)
