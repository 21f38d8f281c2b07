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

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.contract import Contract
from conformance.judgement import Deviation, Inconclusive, NotApplicable, Refusal
from conformance.model import Effect, Level, Request, Verdict

Body = Mapping[str, Any]


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
        case Deviation():
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


def is_promised(refusal: Refusal, contract: Contract) -> bool:
    """Tell whether the contract promises every feature of the refused request, taken together."""
    body = body_of(refusal.request)
    if any(excuse(body) for excuse in EXCUSES):
        return False
    return all(contract.promises(feature) for feature in refusal.features)


def body_of(request: Request | None) -> Body:
    """Read a request's body; empty where it is no JSON object."""
    try:
        body = json.loads(request.body) if request else None
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _is_batch(body: Body) -> bool:
    prompt = body.get("prompt")
    return isinstance(prompt, list) and any(isinstance(part, str | list) for part in prompt)


def _is_several(value: object) -> bool:
    return isinstance(value, int) and value > 1


def _echo_with_logprobs(body: Body) -> bool:
    """The live instruct model itself declines echo together with logprobs."""
    return body.get("echo") is True and body.get("logprobs") is not None


def _copies_of_a_greedy_answer(body: Body) -> bool:
    """Several choices at temperature 0 can only be copies; some servers decline to make them."""
    several = _is_several(body.get("n")) or _is_several(body.get("best_of"))
    return body.get("temperature") == 0 and several


def _suffix_with_echo_or_batch(body: Body) -> bool:
    """No document says what an insertion echoes, or how a batch shares its suffix."""
    return body.get("suffix") is not None and (body.get("echo") is True or _is_batch(body))


def _best_of_a_stream(body: Body) -> bool:
    """The best of several cannot be known before all are finished."""
    return _is_several(body.get("best_of")) and body.get("stream") is True


EXCUSES: tuple[Callable[[Body], bool], ...] = (
    _echo_with_logprobs,
    _copies_of_a_greedy_answer,
    _suffix_with_echo_or_batch,
    _best_of_a_stream,
)
"""Combinations that a correct server may decline although it serves each parameter alone."""
