"""Findings grouped by what they are about, so that one cause is told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.model import Finding, Level
from conformance.report.summary import WORST_FIRST, Summary

_LEVELS = (Level.MUST, Level.SHOULD, Level.MAY)


@dataclass(frozen=True, slots=True)
class Group:
    """Findings about one parameter or field, the worst first; never empty."""

    subject: str
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Finding:
        """The finding that stands for the others."""
        return self.findings[0]


def groups_of(summary: Summary) -> tuple[Group, ...]:
    """Group the findings that need attention by subject and verdict.

    The worst verdict comes first, then the stricter level, then the larger group. Verdicts are
    kept apart, so that a warning is never counted as a failure.
    """
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(summary.troubles, key=_severity):
        found.setdefault((finding.subject, finding.verdict), []).append(finding)
    groups = [Group(subject, tuple(inside)) for (subject, _), inside in found.items()]
    return tuple(sorted(groups, key=lambda group: (_severity(group.worst), -len(group.findings))))


def _severity(finding: Finding) -> tuple[int, int]:
    return WORST_FIRST.index(finding.verdict), _LEVELS.index(finding.level)


def count_findings(groups: Sequence[Group]) -> int:
    """Count the findings of several groups."""
    return sum(len(group.findings) for group in groups)
