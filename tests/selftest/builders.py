"""Faults, variants and outcomes made by hand."""

from __future__ import annotations

from typing import Any

from conformance.model import Cost, Level, Tier, Verdict
from conformance.selftest.catalogue import Fault, Variant
from conformance.selftest.outcome import Outcome, Remark
from conformance.selftest.trials import Shown, Trial

COST = Cost(requests=100, prompt_tokens=2_000, completion_tokens=1_000)


def a_fault(name: str = "stop-dropped", **changes: Any) -> Fault:
    known: dict[str, Any] = {
        "name": name,
        "area": "stop",
        "requirements": ("stop.string",),
        "summary": "`stop` is dropped.",
    }
    return Fault(**{**known, **changes})


def a_variant(name: str = "crlf", **changes: Any) -> Variant:
    return Variant(**{"name": name, "summary": "Lines end with CRLF.", **changes})


def a_remark(requirement: str = "stop.string", verdict: str = "fail", **changes: Any) -> Remark:
    known: dict[str, Any] = {
        "check": requirement,
        "requirement": requirement,
        "level": Level.MUST,
        "verdict": Verdict(verdict),
        "message": "expected a; seen b",
    }
    return Remark(**{**known, **changes})


def an_outcome(
    shown: Shown,
    *remarks: Remark,
    tier: Tier = Tier.STANDARD,
    modifier: str | None = None,
    seed: int = 0,
    cost: Cost | None = COST,
    reason: str | None = None,
    complete: bool = True,
) -> Outcome:
    dialect = getattr(shown, "dialect", shown.name)
    trial = Trial(shown, tier, shown.contract, dialect, modifier, seed, complete)
    return Outcome(trial, remarks, cost, 1.5, reason)
