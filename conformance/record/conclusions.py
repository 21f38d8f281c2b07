"""Summarise findings: a run's conclusion, counts of verdicts, a parameter's state; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from conformance.model import Conclusion, Effect, Finding, Level, State, Verdict

JUDGED = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.REFUSED})
"""Verdicts that are based on a response of the endpoint."""


def conclude(findings: Iterable[Finding], *, strict: bool = False) -> Conclusion:
    """Return the conclusion of a run: failures first, then inconclusive checks and errors.

    With ``strict``, warnings count as failures.
    """
    verdicts = {finding.verdict for finding in findings}
    broken = {Verdict.FAIL, Verdict.WARN} if strict else {Verdict.FAIL}
    if verdicts & broken:
        return Conclusion.NOT_CONFORMING
    if verdicts & {Verdict.INCONCLUSIVE, Verdict.ERROR}:
        return Conclusion.UNDECIDED
    if not verdicts & JUDGED:
        return Conclusion.NOTHING_RAN
    return Conclusion.CONFORMING


def count_verdicts(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by verdict; verdicts that do not occur are 0."""
    seen = Counter(finding.verdict for finding in findings)
    return {verdict.value: seen[verdict] for verdict in Verdict}


def _shows_deviation(finding: Finding) -> bool:
    if finding.verdict is Verdict.FAIL:
        return True
    result = finding.verdict is Verdict.WARN or (
        finding.verdict is Verdict.INFO and finding.effect is not None
    )
    return result and finding.level is not Level.MAY


def state_of(subject: str, findings: Iterable[Finding]) -> State:
    """Return the state of one parameter or field, from the findings about it.

    The worst finding counts: a parameter that is ignored once is not honoured. Warnings of level
    may are ignored. Findings about an undocumented parameter count as well, although they have no
    verdict.
    """
    about = [finding for finding in findings if finding.subject == subject]
    broken = [finding for finding in about if _shows_deviation(finding)]
    if any(f.effect is Effect.IGNORED for f in broken):
        return State.IGNORED
    if any(f.effect is not Effect.REFUSED for f in broken):
        return State.ALTERED
    if broken:
        return State.REFUSED
    verdicts = {finding.verdict for finding in about}
    if Verdict.REFUSED in verdicts:
        return State.REFUSED
    if verdicts & {Verdict.PASS, Verdict.INFO}:
        return State.HONOURED
    return State.UNTESTED
