"""Builders of runs and records for tests of reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.message import say
from conformance.model import (
    Arrival,
    Attempt,
    Conclusion,
    Cost,
    Effect,
    Exchange,
    Explanation,
    Finding,
    Footer,
    Header,
    Level,
    Limits,
    Request,
    Requirement,
    Run,
    Source,
    Subject,
    Tier,
    Verdict,
)
from conformance.record.conclusions import conclude, count_verdicts


def a_requirement(key: str = "stop.at-most-four", **changes: Any) -> Requirement:
    area = key.partition(".")[0]
    known: dict[str, Any] = {
        "id": key,
        "statement": "At most four stop sequences are accepted; a fifth is refused.",
        "statement_zh": "最多接受四个停止序列，第五个会被拒绝。",
        "level": Level.MUST,
        "area": area,
        "subject": area,
        "scope": "protocol",
        "sources": (Source("openai", "Up to 4 sequences."), Source("zero", "最多四个序列。")),
    }
    return Requirement(**{**known, **changes})


def a_finding(key: str = "stop.five-refused", verdict: str = "pass", **changes: Any) -> Finding:
    known: dict[str, Any] = {
        "id": key,
        "title": "The documented number of stop sequences is served; one more is refused.",
        "requirement": "stop.at-most-four",
        "level": Level.MUST,
        "subject": key.partition(".")[0],
        "tier": Tier.SMOKE,
        "verdict": Verdict(verdict),
        "sees_effect": True,
    }
    return Finding(**{**known, **changes})


def a_failure(key: str = "stop.five-refused", **changes: Any) -> Finding:
    known: dict[str, Any] = {
        "message": "expected status 400; seen status 200",
        "expected": say("status {status}", status=400),
        "seen": say("status {status}: {body}", status=200, body="a completion"),
        "effect": Effect.IGNORED,
    }
    return replace(a_finding(key, "fail"), **{**known, **changes})


def a_subject(name: str = "stop", **changes: Any) -> Subject:
    known: dict[str, Any] = {
        "name": name,
        "kind": "parameter",
        "documented": True,
        "promise": "null, string or array of 1 to 4",
        "says": {"openai": "Up to 4 sequences where the API will stop.", "zero": "最多四个序列。"},
    }
    return Subject(**{**known, **changes})


def an_exchange(
    key: str = "x1",
    *,
    request: Mapping[str, Any] | bytes | None = None,
    body: bytes | Mapping[str, Any] = b'{"choices":[{"text":" 13"}]}',
    status: int | None = 200,
    content_type: str = "application/json",
    **changes: Any,
) -> Exchange:
    if request is None:
        request = {"model": "m", "prompt": "1, 2, 3,", "stop": ["§0"]}
    sent = (
        request if isinstance(request, bytes) else json.dumps(request, ensure_ascii=False).encode()
    )
    came = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    known: dict[str, Any] = {
        "id": key,
        "request": Request("POST", "/completions", sent),
        "attempts": (Attempt(0.5, 0.25, status, None),),
        "status": status,
        "headers": (("content-type", content_type), ("x-request-id", "req-1")),
        "body": came,
        "arrivals": (Arrival(0.2, len(came)),),
        "elapsed": 0.25,
    }
    return Exchange(**{**known, **changes})


def a_run(
    *findings: Finding,
    exchanges: tuple[Exchange, ...] = (),
    incomplete: bool = False,
    reason: str | None = None,
    conclusion: Conclusion | None = None,
    explained: Mapping[str, Explanation] | None = None,
    **header: Any,
) -> Run:
    known: dict[str, Any] = {
        "format": 2,
        "suite_version": "0.1.0",
        "started_at": "2026-11-21T03:12:00+00:00",
        "base_url": "http://127.0.0.1:8000/v1",
        "model": "tiny",
        "api_key_env": "OPENAI_API_KEY",
        "contract": "openai",
        "contract_title": "OpenAI, the live API",
        "document": "openai",
        "tier": Tier.STANDARD,
        "select": (),
        "strict": False,
        "seed": 0,
        "limits": Limits(),
        "subjects": (a_subject(),),
        "requirements": (a_requirement(),),
    }
    written = Header(**{**known, **header})
    footer = Footer(
        finished_at="2026-11-21T03:12:41+00:00",
        elapsed=41.2,
        conclusion=conclusion or conclude(findings, strict=written.strict),
        because=reason,
        counts=count_verdicts(findings),
        cost=Cost(118, 9_800, 4_410, 0),
        explained=explained or {},
    )
    return Run(written, exchanges, findings, None if incomplete else footer)
