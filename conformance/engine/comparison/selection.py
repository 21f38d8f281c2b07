"""Which requests the reference is asked, how they are put to it, and what that may cost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from conformance.model import Credentials, Exchange, Finding, Limits, Request, Verdict
from conformance.protocol.request import COMPLETIONS
from conformance.transport.budget import upper_bound

DEVIATING = frozenset({Verdict.FAIL, Verdict.WARN})

MAX_REQUESTS_OF_A_FINDING = 3
"""Different requests for one finding: the last ones that it points at, which decided."""

MAX_REQUESTS = 60
MAX_TOKENS = 60_000
"""What the reference may cost where the run has no narrower limits."""

LARGEST = 5_000
"""Tokens that one request can cost at most; a check asks for more in order to be refused."""

_MODEL = re.compile(rb'("model"\s*:\s*)"(?:[^"\\]|\\.)*"')


def deciding(
    findings: Iterable[Finding], exchanges: Iterable[Exchange], model: str
) -> tuple[Exchange, ...]:
    """Choose the exchanges whose requests the reference is asked, each distinct request once.

    Left out is what cannot be asked of somebody else: a request that presents no key or a wrong
    one, that is no JSON object or names another model, or that is absurdly large.
    """
    known = {exchange.id: exchange for exchange in exchanges}
    chosen: dict[Request, Exchange] = {}
    for finding in findings:
        if finding.verdict not in DEVIATING:
            continue
        # A check may end with many samples of one request; what differs is what is worth asking.
        last: dict[Request, Exchange] = {}
        for key in reversed(finding.exchanges):
            exchange = known.get(key)
            if exchange is not None and _can_be_asked(exchange.request, model):
                last.setdefault(exchange.request, exchange)
        for exchange in reversed(list(last.values())[:MAX_REQUESTS_OF_A_FINDING]):
            chosen.setdefault(exchange.request, exchange)
    return tuple(chosen.values())[:MAX_REQUESTS]


def request_for(request: Request, model: str) -> Request:
    """Put another model's name into a request, and leave every other byte as it is.

    A body in which the name cannot be replaced where it stands is written anew.
    """
    body = _object(request.body)
    wanted = {**body, "model": model}
    if wanted == body:
        return request
    name = json.dumps(model, ensure_ascii=False).encode()
    raw = _MODEL.sub(lambda found: found[1] + name, request.body, count=1)
    if _object(raw) != wanted:
        raw = json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()
    return replace(request, body=raw)


def within(limits: Limits) -> Limits:
    """Narrow the reference's limits to those of a run, where it has any."""
    return Limits(
        requests=min(MAX_REQUESTS, limits.requests or MAX_REQUESTS),
        tokens=min(MAX_TOKENS, limits.tokens or MAX_TOKENS),
    )


def _can_be_asked(request: Request, model: str) -> bool:
    return (
        request.credentials is Credentials.OWN
        and (request.method, request.path) == ("POST", COMPLETIONS)
        and not any(name.lower() == "authorization" for name, _ in request.headers)
        and _object(request.body).get("model") == model
        and upper_bound(request) <= LARGEST
    )


def _object(body: bytes) -> Mapping[str, Any]:
    """Read a body as a JSON object; what is none has no members."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}
