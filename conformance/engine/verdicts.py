"""From what a check concluded to a verdict; pure.

=====================  =====================================================================
the check              the verdict
=====================  =====================================================================
returned               pass
raised Deviation       fail where the requirement is a must, else warn
raised Refusal         refused; fail or warn where the contract promises all that was refused
raised Inconclusive    inconclusive
raised NotApplicable   skipped; a spent budget is one of these
raised anything else   error: the suite's own fault, never the endpoint's
=====================  =====================================================================
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, replace

from conformance.contract import Contract
from conformance.judgement import Failure, Inconclusive, NotApplicable, Refusal
from conformance.model import Effect, Level, Verdict
from conformance.protocol.refusal import is_promised


@dataclass(frozen=True, slots=True)
class Ruling:
    """The part of a finding that the check's conclusion decides."""

    verdict: Verdict
    message: str = ""
    expected: str | None = None
    seen: str | None = None
    effect: Effect | None = None


def rule(outcome: Exception | None, level: Level, contract: Contract) -> Ruling:
    """Turn what a check raised, or None if it returned, into a verdict with its words."""
    broken = Verdict.FAIL if level is Level.MUST else Verdict.WARN
    match outcome:
        case None:
            ruling = Ruling(Verdict.PASS)
        case Failure():
            ruling = Ruling(broken, str(outcome), outcome.expected, outcome.seen, outcome.effect)
        case Refusal() if is_promised(outcome, contract):
            served = "the request is served, as the document promises"
            ruling = Ruling(broken, str(outcome), served, str(outcome), Effect.REFUSED)
        case Refusal():
            ruling = Ruling(Verdict.REFUSED, str(outcome))
        case Inconclusive():
            ruling = Ruling(Verdict.INCONCLUSIVE, str(outcome))
        case NotApplicable():
            ruling = Ruling(Verdict.SKIPPED, str(outcome))
        case _:
            last = traceback.format_exception_only(outcome)[-1].strip()
            ruling = Ruling(Verdict.ERROR, f"internal error in the check: {last}")
    return ruling


def as_information(ruling: Ruling, why_not_promised: str) -> Ruling:
    """Turn what was seen of a parameter that the contract does not mention into information.

    The effect says how it was treated; none means that it works. What could not be judged stays
    skipped, for the reason that the contract gives.
    """
    match ruling.verdict:
        case Verdict.PASS | Verdict.FAIL | Verdict.WARN:
            return replace(ruling, verdict=Verdict.INFO, message=ruling.message or why_not_promised)
        case Verdict.REFUSED:
            return replace(ruling, verdict=Verdict.INFO, effect=Effect.REFUSED)
        case _:
            return Ruling(Verdict.SKIPPED, why_not_promised)
