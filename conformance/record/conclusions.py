"""Summarise findings: a run's conclusion, counts of verdicts, a parameter's state; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from conformance.model import Conclusion, Effect, Finding, Level, State, Subject, Verdict

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


def conclude_early(findings: Iterable[Finding], *, strict: bool = False) -> Conclusion:
    """Return the conclusion of a run that ended before all its checks were judged.

    A deviation stays one, whatever was not seen; without any, nothing can be concluded.
    """
    found = conclude(findings, strict=strict)
    return found if found is Conclusion.NOT_CONFORMING else Conclusion.UNDECIDED


def count_verdicts(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by the verdict of their check; verdicts that do not occur are 0."""
    seen = Counter(finding.verdict for finding in findings)
    return {v.value: seen[v] for v in Verdict if v is not Verdict.EXPECTED}


def count_shown(findings: Iterable[Finding]) -> dict[str, int]:
    """Count findings by the verdict that reports show, in which *expected* is one of its own."""
    seen = Counter(finding.shown for finding in findings)
    return {verdict.value: seen[verdict] for verdict in Verdict}


def deviations_of(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that show a deviation of their parameter or field.

    Warnings of level may are no deviations. Findings about an undocumented parameter count,
    although they have no verdict.
    """
    return tuple(filter(_shows_deviation, findings))


def _shows_deviation(finding: Finding) -> bool:
    if finding.verdict is Verdict.FAIL:
        return True
    result = finding.verdict is Verdict.WARN or (
        finding.verdict is Verdict.INFO and finding.effect is not None
    )
    return result and finding.level is not Level.MAY


def state_of(subject: Subject, findings: Iterable[Finding]) -> State:
    """Return the state of one parameter or field, from the findings about it.

    A deviation outweighs everything else. A parameter is ignored only if a deviation shows no
    effect and no other check of the run saw one.
    """
    about = [finding for finding in findings if finding.subject == subject.name]
    is_parameter = subject.kind == "parameter"
    # An effect is promised of parameters alone.
    seen = not is_parameter or any(f.sees_effect and _works(f) for f in about)
    broken = deviations_of(about)
    if broken:
        ignored = any(map(_shows_no_effect, broken)) and not (is_parameter and seen)
        refused = all(finding.effect is Effect.REFUSED for finding in broken)
        return State.IGNORED if ignored else State.REFUSED if refused else State.ALTERED
    verdicts = Counter(finding.verdict for finding in about)
    served = sum(map(_works, about)) + verdicts[Verdict.WARN]
    # Only a request's parameter can be refused. A check of a field that was refused saw none.
    if is_parameter and verdicts[Verdict.REFUSED]:
        return State.REFUSED
    # What had no answer to judge is explained by that, and still tells nothing of its subject.
    unread = sum(f.verdict is Verdict.EXPLAINED and f.effect is None for f in about)
    # A count that is as wrong as another one is not honoured.
    is_off = not is_parameter and any(map(_deviates_like_a_sibling, about))
    if is_off or verdicts[Verdict.INCONCLUSIVE] + verdicts[Verdict.ERROR] + unread > served:
        return State.UNCLEAR
    if not served:
        return State.UNTESTED
    return State.HONOURED if seen else State.ACCEPTED


def _deviates_like_a_sibling(finding: Finding) -> bool:
    """Return whether a check found its field wrong because another of the same object is wrong."""
    parent, _, member = finding.subject.partition(".")
    is_alike = bool(member) and (finding.explained_by or "").startswith(f"{parent}.")
    return is_alike and finding.place is None and bool(finding.seen)


def _works(finding: Finding) -> bool:
    return finding.effect is None and finding.verdict in {Verdict.PASS, Verdict.INFO}


def _shows_no_effect(finding: Finding) -> bool:
    """Return whether a deviation shows that the parameter has no effect.

    A recommendation about one value, such as a default, says little about the others.
    """
    tells = finding.level is Level.MUST or finding.sees_effect
    return tells and finding.effect is Effect.IGNORED
