"""Map the outcome of a check to a verdict; pure.

=====================  =====================================================================
the check              the verdict
=====================  =====================================================================
returned               pass
raised Failure         fail if the requirement is a must, otherwise warn
raised Refusal         fail or warn if the contract promises all features, otherwise refused
raised Inconclusive    inconclusive
raised NotApplicable   skipped; this includes BudgetSpent
raised anything else   error: an internal error of the suite
=====================  =====================================================================
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace

from conformance.contract import Contract
from conformance.evidence import Evidence
from conformance.judgement import Failure, Inconclusive, NotApplicable, Refusal
from conformance.message import NOTHING, Message, say
from conformance.model import Effect, Level, Place, Verdict
from conformance.protocol.refusal import is_promised, rejected_parameter


@dataclass(frozen=True, slots=True)
class Ruling:
    """The part of a finding that depends on the check's outcome.

    Attributes:
        evidence: the exchanges that show it, if that is known.
        needs_suite: whether sending its requests again does not show it.
        needs_run: whether it may depend on the requests before.
        subject: the parameter that it is about, if that is not the one of the check.
    """

    verdict: Verdict
    message: Message = NOTHING
    expected: Message | None = None
    seen: Message | None = None
    effect: Effect | None = None
    evidence: Evidence | None = None
    needs_suite: bool = False
    needs_run: bool = False
    place: Place | None = None
    subject: str | None = None


def rule(outcome: BaseException | None, level: Level, contract: Contract) -> Ruling:
    """Map an outcome to a verdict and its message.

    Args:
        outcome: the exception that the check raised; None if it returned.
        level: the level of the check's requirement.
        contract: the contract under test.
    """
    broken = Verdict.FAIL if level is Level.MUST else Verdict.WARN
    match outcome:
        case None:
            ruling = Ruling(Verdict.PASS)
        case Failure():
            ruling = _ruling_on(outcome, broken)
        case Refusal() if is_promised(outcome, contract):
            served = say("the request is served, as the document promises")
            ruling = Ruling(broken, outcome.said, served, outcome.said, Effect.REFUSED)
        case Refusal():
            # A check of something else is no evidence that what it is about is rejected.
            about = rejected_parameter(outcome)
            ruling = Ruling(Verdict.REFUSED, outcome.said, subject=about)
        case Inconclusive():
            ruling = Ruling(Verdict.INCONCLUSIVE, outcome.said)
        case NotApplicable():
            ruling = Ruling(Verdict.SKIPPED, outcome.said)
        case _:
            last = traceback.format_exception_only(outcome)[-1].strip()
            ruling = Ruling(Verdict.ERROR, say("internal error in the check: {error}", error=last))
    return ruling


def as_information(ruling: Ruling, why_not_promised: Message) -> Ruling:
    """Turn a ruling about an undocumented parameter into information.

    Its effect is None if the parameter works. An inconclusive, skipped or failed check becomes
    skipped, with the contract's reason.
    """
    match ruling.verdict:
        case Verdict.PASS | Verdict.FAIL | Verdict.WARN:
            return replace(ruling, verdict=Verdict.INFO, message=ruling.message or why_not_promised)
        case Verdict.REFUSED:
            return replace(ruling, verdict=Verdict.INFO, effect=Effect.REFUSED, subject=None)
        case _:
            return Ruling(Verdict.SKIPPED, why_not_promised)


def _ruling_on(failure: Failure, broken: Verdict) -> Ruling:
    return Ruling(
        broken,
        failure.said,
        failure.expected,
        failure.seen,
        failure.effect,
        needs_suite=failure.needs_suite,
        needs_run=failure.needs_run,
        place=failure.place,
        subject=failure.subject,
    )
