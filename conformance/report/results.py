"""``results.json``: the result for programs. Requests and responses are in ``run.ndjson``.

Strings from the endpoint are unchanged but escaped to ASCII, so that no terminal or viewer
interprets them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from conformance.model import (
    ClientReadiness,
    Expectation,
    Expected,
    Money,
    NeedResult,
    ObjectiveResult,
    Prices,
    Run,
)
from conformance.record.key import key_of
from conformance.report.case import Case, case_of
from conformance.report.clients import clients_of, why_of
from conformance.report.objectives import objectives_of, sentence_of
from conformance.report.summary import Summary
from conformance.report.summary_rows import Gap, Row, Statement

FORMAT = 1
"""Format version; incremented for incompatible changes."""


def render(run: Run, key_env: str | None = None) -> str:
    """Write the results as one JSON object.

    Args:
        run: the run to report.
        key_env: the environment variable that commands read the key from; by default the one
            that the run used.
    """
    summary = Summary(run)
    header, footer = run.header, run.footer
    document = {
        "format": FORMAT,
        "verdict": summary.conclusion.value,
        "judged": run.conclusion.value,
        "headline": summary.headline.en,
        "headline_zh": summary.headline.zh,
        "exit_code": int(summary.exit_code),
        "sentence": summary.sentence.en,
        "sentence_zh": summary.sentence.zh,
        "because": summary.because.en if summary.because else None,
        "notes": [{"text": note.en, "text_zh": note.zh} for note in summary.notes],
        "complete": footer is not None and footer.because is None,
        "target": {
            "base_url": header.base_url,
            "model": header.model,
            "headers": dict(header.headers),
        },
        "contract": {"name": header.contract, "title": header.contract_title},
        "suite_version": header.suite_version,
        "recorded_by": header.recorded_by,
        "key": asdict(key_of(header)),
        "resumed": [asdict(part) for part in header.resumed],
        "tier": header.tier.value,
        "select": list(header.select),
        "exclude": list(header.exclude),
        "profiles": list(header.profiles),
        "strict": header.strict,
        "seed": header.seed,
        "limits": asdict(header.limits),
        "started_at": header.started_at,
        "finished_at": footer.finished_at if footer else None,
        "elapsed": summary.elapsed,
        "counts": summary.counts,
        "cost": {**asdict(summary.cost), "tokens": summary.cost.tokens} if summary.cost else None,
        "prices": _prices(header.prices) if header.prices else None,
        "money": money_json(summary.money),
        "reference": header.reference,
        "reference_cost": asdict(footer.reference_cost)
        if footer and footer.reference_cost
        else None,
        "expected": _expected(run.expected) if run.expected else None,
        "clients": [_client(client) for client in clients_of(run)],
        "objectives": [_objective(result) for result in objectives_of(run)],
        "not_verified": [_gap(gap) for gap in summary.gaps],
        "parameters": [_row(row) for row in summary.rows_of("parameter")],
        "fields": [_row(row) for row in summary.rows_of("field")],
        "findings": [_finding(case_of(summary, f, key_env)) for f in summary.findings],
    }
    return json.dumps(document, indent=2) + "\n"


def money_json(money: Money | None) -> Mapping[str, Any] | None:
    """Return an amount as JSON; decimal digits are a string, because a number would round them."""
    return {**asdict(money), "amount": f"{money.amount:f}"} if money else None


def _prices(prices: Prices) -> Mapping[str, Any]:
    stated = {name: f"{price:f}" for name in PRICED if (price := getattr(prices, name)) is not None}
    return {"cached": None, **stated, "currency": prices.currency}


PRICED = ("input", "output", "cached")
"""The attributes of prices that are prices."""


def _row(row: Row) -> Mapping[str, Any]:
    return {
        "name": row.subject.name,
        "state": row.state.value,
        "only_recommended": row.is_lesser,
        "expected": row.is_expected,
        "documented": row.subject.documented,
        "promise": row.subject.promise,
        "promise_zh": row.subject.promise_zh,
        "says": dict(row.subject.says),
        "says_zh": dict(row.subject.says_zh),
        "findings": [finding.id for finding in row.findings],
    }


def _expected(expected: Expected) -> Mapping[str, Any]:
    return {
        "file": expected.file.name,
        "known": list(expected.known),
        "new": list(expected.new),
        "stale": [_entry(entry) for entry in expected.stale],
        "expired": [_entry(entry) for entry in expected.expired],
    }


def _entry(entry: Expectation) -> Mapping[str, Any]:
    return {
        "line": entry.line,
        entry.kind.value: entry.name,
        "reason": entry.reason,
        "url": entry.url,
        "since": entry.since,
        "expires": entry.expires,
        "intermittent": entry.intermittent,
    }


def _client(client: ClientReadiness) -> Mapping[str, Any]:
    return {
        "profile": client.profile,
        "title": client.title,
        "readiness": client.readiness.value,
        "needs": [_need(need) for need in client.needs],
    }


def _need(need: NeedResult) -> Mapping[str, Any]:
    why = why_of(need)
    return {
        "id": need.id,
        "says": need.says,
        "says_zh": need.says_zh,
        "without": need.without,
        "without_zh": need.without_zh,
        "state": need.state.value,
        "why": why.en or None,
        "why_zh": why.zh or None,
        "exchanges": list(need.exchanges),
        "findings": list(need.findings),
    }


def _objective(result: ObjectiveResult) -> Mapping[str, Any]:
    told = sentence_of(result)
    return {
        "name": result.objective.name,
        "bound": result.objective.bound,
        "standing": result.standing.value,
        "sentence": told.en,
        "sentence_zh": told.zh,
        "seen": result.seen,
        "sample": result.sample,
        "beyond": result.beyond,
        "low": result.low,
        "high": result.high,
        "exchanges": list(result.exchanges),
    }


def _gap(gap: Gap) -> Mapping[str, Any]:
    reasons = [
        {"because": reason.en or None, "ids": list(ids)} for reason, ids in gap.reasons.items()
    ]
    return {
        "what": gap.why.en,
        "what_zh": gap.why.zh,
        "count": len(gap.left_open),
        "reasons": reasons,
    }


def _source(source: Statement) -> Mapping[str, str]:
    return {"document": source.document, "says": source.says.en, "says_zh": source.says.zh}


def _finding(case: Case) -> Mapping[str, Any]:
    finding, sentence = case.finding, case.requirement
    told = case.sentence
    return {
        "id": finding.id,
        "verdict": finding.shown.value,
        "judged": finding.verdict.value,
        "expectation": _entry(finding.expectation) if finding.expectation else None,
        "sentence": told.en if told else None,
        "sentence_zh": told.zh if told else None,
        "explained_by": finding.explained_by,
        "explained_because": case.why.en if case.why else None,
        "explained_because_zh": case.why.zh if case.why else None,
        "requirement": finding.requirement,
        "statement": sentence.statement if sentence else None,
        "statement_zh": sentence.statement_zh if sentence else None,
        "sources": [_source(source) for source in case.sources],
        "level": finding.level.value,
        "subject": finding.subject,
        "title": finding.title,
        "title_zh": finding.title_zh,
        "message": finding.message,
        "expected": finding.expected,
        "seen": finding.seen,
        "effect": finding.effect.value if finding.effect else None,
        "likely_cause": asdict(case.cause) if case.cause else None,
        "tier": finding.tier.value,
        "exchanges": list(finding.exchanges),
        "roles": {key: role.value for key, role in finding.roles.items()},
        "curl": case.command if case.cause else None,
        "rerun": case.suite_command if case.cause else None,
    }
