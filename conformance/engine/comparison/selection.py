"""Select and rewrite the requests for the comparison server, and limit their cost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from conformance.api import encode
from conformance.model import Credentials, Exchange, Finding, Limits, Request, Verdict
from conformance.protocol.request import COMPLETIONS
from conformance.transport.token_bound import upper_bound

DEVIATING = frozenset({Verdict.FAIL, Verdict.WARN})

MAX_REQUESTS_OF_A_FINDING = 3
"""Maximum different requests per finding: its last ones, which decided the verdict."""

MAX_REQUESTS = 60
MAX_TOKENS = 60_000
"""Limits of a comparison, unless the run has lower ones."""

MAX_REQUEST_TOKENS = 5_000
"""Maximum tokens of a request; larger ones exceed a limit on purpose."""

_MODEL = re.compile(rb'("model"\s*:\s*)"(?:[^"\\]|\\.)*"')


def deciding(
    findings: Iterable[Finding], exchanges: Iterable[Exchange], model: str
) -> tuple[Exchange, ...]:
    """Return the exchanges that show deviations, one per distinct request.

    Excluded are requests without a key or with an invalid one, bodies that are not a JSON object or
    name another model, and requests of more than :data:`MAX_REQUEST_TOKENS` tokens.

    Args:
        findings: the findings of the run.
        exchanges: the exchanges of the run.
        model: the target's model.
    """
    known = {exchange.id: exchange for exchange in exchanges}
    chosen: dict[Request, Exchange] = {}
    for finding in findings:
        if finding.verdict not in DEVIATING:
            continue
        # A check may end with many samples of one request, which is compared once.
        last: dict[Request, Exchange] = {}
        for key in (*finding.roles, *reversed(finding.exchanges)):
            exchange = known.get(key)
            if exchange is not None and _can_be_sent(exchange.request, model):
                last.setdefault(exchange.request, exchange)
        for exchange in reversed(list(last.values())[:MAX_REQUESTS_OF_A_FINDING]):
            chosen.setdefault(exchange.request, exchange)
    return tuple(chosen.values())[:MAX_REQUESTS]


def request_for(request: Request, model: str) -> Request:
    """Replace the model in a request, keeping all other bytes if possible.

    If the name cannot be replaced in place, the body is encoded again.
    """
    body = _object(request.body)
    wanted = {**body, "model": model}
    if wanted == body:
        return request
    name = json.dumps(model, ensure_ascii=False).encode("utf-8", errors="replace")
    raw = _MODEL.sub(lambda found: found[1] + name, request.body, count=1)
    if _object(raw) != wanted:
        raw = encode(wanted)
    return replace(request, body=raw)


def comparison_limits(limits: Limits) -> Limits:
    """Return the limits of a comparison: the defaults, or the run's limits if they are lower."""
    return Limits(
        requests=min(MAX_REQUESTS, limits.requests or MAX_REQUESTS),
        tokens=min(MAX_TOKENS, limits.tokens or MAX_TOKENS),
    )


def _can_be_sent(request: Request, model: str) -> bool:
    return (
        request.credentials is Credentials.OWN
        and (request.method, request.path) == ("POST", COMPLETIONS)
        and not any(name.lower() == "authorization" for name, _ in request.headers)
        and _object(request.body).get("model") == model
        and upper_bound(request) <= MAX_REQUEST_TOKENS
    )


def _object(body: bytes) -> Mapping[str, Any]:
    """Parse a body as a JSON object; empty if it is none."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
