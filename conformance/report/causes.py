"""Findings grouped by what they are about, so that one cause is told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.model import Finding, Level, Verdict
from conformance.report.summary import WORST_FIRST, Summary

CROWD = 4
"""Inconclusive findings with one reason that are too many to be told one by one."""

_LEVELS = (Level.MUST, Level.SHOULD, Level.MAY)


@dataclass(frozen=True, slots=True)
class Group:
    """Findings about one parameter or field, the worst first; never empty.

    ``subject`` is empty for inconclusive findings that have nothing but their reason in common.
    """

    subject: str
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Finding:
        """The finding that stands for the others."""
        return self.findings[0]


def groups_of(summary: Summary) -> tuple[Group, ...]:
    """Group the findings that need attention by subject and verdict.

    The worst verdict comes first, then the stricter level, then the larger group. Verdicts are
    kept apart, so that a warning is never counted as a failure. Inconclusive findings with the same
    reason are one group, if there are many: a key revoked in mid-run is a hundred of them.
    """
    reasons = Counter(f.message for f in summary.troubles if f.verdict is Verdict.INCONCLUSIVE)
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in sorted(summary.troubles, key=_severity):
        is_crowd = finding.verdict is Verdict.INCONCLUSIVE and reasons[finding.message] >= CROWD
        subject, reason = ("", finding.message) if is_crowd else (finding.subject, "")
        found.setdefault((subject, finding.verdict, reason), []).append(finding)
    groups = [Group(subject, tuple(inside)) for (subject, *_), inside in found.items()]
    return tuple(sorted(groups, key=lambda group: (_severity(group.worst), -len(group.findings))))


def _severity(finding: Finding) -> tuple[int, int]:
    return WORST_FIRST.index(finding.verdict), _LEVELS.index(finding.level)


def count_findings(groups: Sequence[Group]) -> int:
    """Count the findings of several groups."""
    return sum(len(group.findings) for group in groups)
