"""The kill matrix as JSON: every run with its findings, and the totals."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from conformance.cli.selftest_summary import sentence
from conformance.model import Verdict
from conformance.selftest.catalogue import Fault
from conformance.selftest.matrix import Matrix, Row, Share
from conformance.selftest.outcome import Outcome, Remark

SILENT = frozenset({Verdict.PASS, Verdict.EXPLAINED, Verdict.SKIPPED, Verdict.INFO})


def document(matrix: Matrix) -> dict[str, Any]:
    """Return the whole selftest as JSON-compatible data."""
    return {
        "sentence": sentence(matrix),
        "complaints": list(matrix.complaints),
        "areas": [_row(row) for row in matrix.rows],
        "prices": [
            {
                "tier": price.tier.value,
                "runs": price.runs,
                "requests": {"median": price.requests[0], "most": price.requests[1]},
                "tokens": {"median": price.tokens[0], "most": price.tokens[1]},
                "seconds": price.seconds,
            }
            for price in matrix.prices
        ],
        "idle": list(matrix.idle),
        "unsteady": [
            {"name": one.name, "tier": one.tier.value, "what": one.what} for one in matrix.unsteady
        ],
        "faults": [_subject(list(of)) for _, of in groupby(matrix.faulty, _name)],
        "correct": [_subject(list(of)) for _, of in groupby(matrix.conforming, _name)],
    }


def _name(outcome: Outcome) -> str:
    return outcome.trial.name


def _row(row: Row) -> dict[str, Any]:
    return {
        "area": row.area,
        "everywhere": {tier.value: _share(share) for tier, share in row.by_tier.items()},
        "hidden": _share(row.hidden),
        "besides": row.besides,
    }


def _share(share: Share) -> dict[str, int]:
    return {"found": share.found, "of": share.of, "percent": share.percent}


def _subject(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return one server and the runs against it."""
    trial = outcomes[0].trial
    result: dict[str, Any] = {
        "name": trial.name,
        "contract": trial.contract,
        "dialect": trial.dialect,
        "summary": getattr(trial.shown, "summary", "the server without faults"),
    }
    if isinstance(trial.shown, Fault):
        result |= {
            "area": trial.shown.area,
            "requirements": list(trial.shown.requirements),
            "evidence": trial.shown.evidence,
            "due": trial.shown.due(trial.trigger).value,
        }
    return {**result, "runs": [_run(outcome) for outcome in outcomes]}


def _run(outcome: Outcome) -> dict[str, Any]:
    result: dict[str, Any] = {
        "tier": outcome.trial.tier.value,
        "seed": outcome.trial.seed,
        "requests": outcome.cost.requests if outcome.cost else None,
        "tokens": outcome.cost.tokens if outcome.cost else None,
        "seconds": outcome.elapsed,
        "because": outcome.because,
    }
    if isinstance(outcome.trial.shown, Fault):
        result |= {
            "found": outcome.found,
            "found_by": sorted({remark.check for remark in outcome.finders}),
            "besides": list(outcome.besides),
        }
    result["false_alarms"] = list(outcome.false_alarms)
    result["said"] = [_remark(r) for r in outcome.remarks if r.verdict not in SILENT]
    return result


def _remark(remark: Remark) -> dict[str, str]:
    return {
        "check": remark.check,
        "requirement": remark.requirement,
        "level": remark.level.value,
        "verdict": remark.verdict.value,
        "message": remark.message,
    }
