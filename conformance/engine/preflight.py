"""Preflight: one minimal request before all checks.

Against a wrong URL or key all checks would fail in the same way. The preflight request, which
checks share, detects this and ends the run with one message that says what to change. Whatever the
endpoint sends, it is one line of about 300 characters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from conformance.api import Api
from conformance.checks._shared.prompts import COUNTING
from conformance.contract import LIVING, Contract
from conformance.judgement import NotApplicable
from conformance.message import Message, say
from conformance.model import Request, Target
from conformance.protocol.account import (
    cause_of,
    is_html,
    one_line,
    said,
    signature_of,
)
from conformance.protocol.account_wordings import Cause
from conformance.protocol.response import Response
from conformance.transport.address import join, without_login

MINIMAL_REQUEST: Mapping[str, Any] = {"prompt": COUNTING, "max_tokens": 1, "temperature": 0}
OTHER_FORMS: tuple[Mapping[str, Any], ...] = (
    {"prompt": COUNTING, "max_tokens": 16},
    {"prompt": COUNTING, "max_tokens": 16, "stream": True},
)
"""What is sent if the minimal request is rejected: an endpoint may not know `temperature`, require
more tokens or serve only streams. Each is bounded: nothing without `max_tokens` is ever sent."""

MAX_MODELS_SHOWN = 12
MAX_MODELS_CHARS = 160
MAX_NAME_CHARS = 60
MAX_URL_CHARS = 120


async def preflight(api: Api, target: Target) -> Message | None:
    """Return why this target cannot be tested, or None if it can."""
    try:
        response = await api.complete(**MINIMAL_REQUEST)
    except NotApplicable:
        return None  # no budget: each check reports that itself
    is_not_found = response.exchange.status == 404 and not is_html(response.exchange)
    if is_not_found and _about(response, target) in {Cause.ROUTE, Cause.MODEL}:
        return await _not_found(api, response, target)
    trouble = trouble_in(response, target, api.contract)
    if trouble is None and response.exchange.status in range(400, 500):
        return await _rejected(api, response, target)
    return trouble


def trouble_in(response: Response, target: Target, contract: Contract) -> Message | None:
    """Return why the response to the minimal request makes a run pointless, or None."""
    exchange = response.exchange
    status, where, reason = exchange.status, _where(response, target), None
    cause = _about(response, target)
    if status is None:
        reason = exchange.fault
    elif cause is Cause.REDIRECT:
        to = one_line(exchange.header("location") or "", MAX_URL_CHARS) or say("nowhere")
        reason = say(
            "{address} redirects ({status}) to {to}: use the final URL as the base URL",
            address=where,
            status=status,
            to=to,
        )
    elif cause in {Cause.GATEKEEPER, Cause.QUOTA, Cause.KEY, Cause.ACCESS}:
        reason = _refused(response, target, cause)
    elif is_html(exchange):
        advice = _advice(target, contract)
        reason = say(
            "{address} returned an HTML page (status {status}) instead of JSON: {advice}",
            address=where,
            status=status,
            advice=advice,
        )
    elif status < 300 and response.is_unreadable:
        # Every other response would be as unreadable, and each check inconclusive.
        reason = say(
            "the response to the minimal request from {address} cannot be read: {fault}",
            address=where,
            fault=exchange.fault,
        )
    elif status == 405:
        reason = say(
            "{address} does not accept POST (status 405): {advice}",
            address=where,
            advice=_advice(target, contract),
        )
    elif status in {404, 410}:
        reason = say(
            "no endpoint at {address} (status {status}): {advice}",
            address=where,
            status=status,
            advice=_advice(target, contract),
        )
    elif status == 429:
        reason = say(
            "rate limited at the first request to {address} (429): {body}",
            address=where,
            body=said(exchange),
        )
    elif status >= 500:
        reason = say(
            "{address} fails on a minimal request (status {status}): {body}",
            address=where,
            status=status,
            body=said(exchange),
        )
    return reason


def _about(response: Response, target: Target) -> Cause | None:
    return cause_of(response.exchange, target.model)


def _refused(response: Response, target: Target, cause: Cause | None) -> Message:
    """Say what the account or a gatekeeper refuses, by what the endpoint says."""
    status, why = response.exchange.status, said(response.exchange)
    if cause is Cause.GATEKEEPER:
        return say(
            "a gatekeeper in front of {address} blocks the client or asks for a "
            "captcha (status {status}): {body}",
            address=_where(response, target),
            status=status,
            body=why,
        )
    if cause is Cause.QUOTA:
        if status == 402:
            return say("payment required or quota exceeded (402): {body}", body=why)
        return say(
            "the balance or the quota is used up (status {status}): {body}", status=status, body=why
        )
    if not target.api_key:
        return say(
            "the endpoint requires an API key (status {status}): name the "
            "environment variable that holds it with --api-key-env, or api-key-env "
            "in conformance.toml",
            status=status,
        )
    if cause is Cause.ACCESS:
        return say("access was denied with {status}: {body}", status=status, body=why)
    return say("the API key was rejected with {status}: {body}", status=status, body=why)


async def _not_found(api: Api, response: Response, target: Target) -> Message:
    """Distinguish an unknown model from a wrong path."""
    if _about(response, target) is not Cause.MODEL:
        return say(
            "no endpoint at {where} (status 404): {advice}",
            where=_where(response, target),
            advice=_advice(target, api.contract),
        )
    model, why = one_line(target.model, MAX_NAME_CHARS), said(response.exchange, 120)
    sentence = say(
        "the endpoint does not serve the model {model} (404: {body})", model=repr(model), body=why
    )
    shown, more = await _models(api)
    if not shown:
        return sentence
    if more:
        return say(
            "{sentence}; available models: {models} and {more} more",
            sentence=sentence,
            models=tuple(shown),
            more=more,
        )
    return say("{sentence}; available models: {models}", sentence=sentence, models=tuple(shown))


async def _rejected(api: Api, response: Response, target: Target) -> Message | None:
    """Return that every request is rejected alike, or None if another form is answered otherwise.

    Then nothing can be told about any parameter: each would be called a broken promise.
    """
    signature = signature_of(response.exchange)
    for form in OTHER_FORMS:
        if not all(api.contract.parameter(name).documented for name in form):
            continue
        try:
            other = await api.complete(**form)
        except NotApplicable:
            return None  # no budget, or a record without these requests
        if signature_of(other.exchange) != signature:
            return None
    model, why = one_line(target.model, MAX_NAME_CHARS), said(response.exchange, 120)
    return say(
        "the endpoint rejects the minimal request ({status}: {body}), also in "
        "other forms: check the model {model}, and that prompt and max_tokens "
        "are known there",
        status=response.exchange.status,
        body=why,
        model=repr(model),
    )


async def _models(api: Api) -> tuple[list[str], int]:
    """Return some of the ids that ``GET /models`` lists, and how many more there are.

    There are none if the response is not as expected.
    """
    try:
        http_response = await api.send(Request("GET", "/models"))
        response = json.loads(http_response.exchange.body)
    except (NotApplicable, ValueError, RecursionError):
        return [], 0
    listed = response.get("data") if isinstance(response, dict) else None
    entries = listed if isinstance(listed, list) else []
    ids = [
        entry["id"]
        for entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("id"), str | int)
    ]
    shown: list[str] = []
    for name in islice(ids, MAX_MODELS_SHOWN):
        text = one_line(str(name), MAX_NAME_CHARS)
        if sum(map(len, shown)) + len(text) > MAX_MODELS_CHARS:
            break
        shown.append(text)
    return shown, len(ids) - len(shown)


def _where(response: Response, target: Target) -> str:
    address = join(without_login(target.base_url), response.exchange.request.path)
    return one_line(address, MAX_URL_CHARS)


def _advice(target: Target, contract: Contract) -> Message:
    """Suggest a fix for a base URL without an endpoint."""
    base = target.base_url.partition("?")[0].rstrip("/")
    if base.endswith("/completions"):
        return say("use the part before /completions as the base URL")
    parts = urlsplit(without_login(base))
    if contract.name in LIVING and f"{parts.path}/completions" != contract.path:
        documented = parts._replace(path=contract.path.removesuffix("/completions"))
        return say(
            "{contract} documents the path {path}: use {url} as the base URL",
            contract=contract.name,
            path=contract.path,
            url=one_line(urlunsplit(documented), MAX_URL_CHARS),
        )
    return (
        say("check the base URL")
        if base.endswith("/v1")
        else say("the base URL may be missing /v1")
    )
