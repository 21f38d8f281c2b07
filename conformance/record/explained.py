"""Apply what a footer says of the findings before it: which of them another one explains; pure.

A record is written while the run is in progress, so a finding that turns out to be a consequence
of another is in it with the verdict that its check gave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from conformance.model import Explanation, Finding, Footer, Verdict


def apply_explanations(
    findings: Iterable[Finding], explained: Mapping[str, Explanation]
) -> tuple[Finding, ...]:
    """Return the findings, the explained ones with that verdict and the id of their cause."""
    return tuple(
        replace(finding, verdict=Verdict.EXPLAINED, explained_by=explained[finding.id].by)
        if finding.id in explained
        else finding
        for finding in findings
    )


def as_concluded(findings: Iterable[Finding], footer: Footer | None) -> tuple[Finding, ...]:
    """Return the findings as they are at the end of a run; without a footer, as they are."""
    return apply_explanations(findings, footer.explained if footer else {})
