"""Preflight: one minimal request before all checks.

Against a wrong URL or key all checks would fail in the same way. The preflight request, which
checks share, detects this and ends the run with one message that says what to change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks._shared.prompts import COUNTING
from conformance.judgement import NotApplicable
from conformance.model import Request, Target
from conformance.protocol.response import Response
from conformance.transport.address import join, without_login

MINIMAL_REQUEST: Mapping[str, Any] = {"prompt": COUNTING, "max_tokens": 1, "temperature": 0}
MAX_MODELS_SHOWN = 12


async def preflight(api: Api, target: Target) -> str | None:
    """Return why this target cannot be tested, or None if it can."""
    try:
        response = await api.complete(**MINIMAL_REQUEST)
    except NotApplicable:
        return None  # no budget: each check reports that itself
    if response.exchange.status == 404 and not is_html(response):
        return await _not_found(api, response, target)
    return trouble_in(response, target)


def trouble_in(response: Response, target: Target) -> str | None:
    """Return why the response to the minimal request makes a run pointless, or None."""
    status, where, reason = response.exchange.status, _where(response, target), None
    if status is None:
        reason = response.exchange.fault
    elif 300 <= status < 400:
        to = response.exchange.header("location") or "nowhere"
        reason = f"{where} redirects ({status}) to {to}: use the final URL as the base URL"
    elif status in {401, 402, 403}:
        reason = _key_trouble(response, target)
    elif is_html(response):
        reason = (
            f"{where} returned an HTML page (status {status}) instead of JSON: {_advice(target)}"
        )
    elif status == 405:
        reason = f"{where} does not accept POST (status 405): {_advice(target)}"
    elif status == 429:
        reason = f"rate limited at the first request to {where} (429): {said(response)}"
    elif status >= 500:
        reason = f"{where} fails on a minimal request (status {status}): {said(response)}"
    return reason


def _key_trouble(response: Response, target: Target) -> str:
    status = response.exchange.status
    if not target.api_key:
        return (
            f"the endpoint requires an API key (status {status}): name the environment variable "
            "that holds it with --api-key-env"
        )
    if status == 402:
        return f"payment required or quota exceeded (402): {said(response)}"
    return f"the API key was rejected with {status}: {said(response)}"


async def _not_found(api: Api, response: Response, target: Target) -> str:
    """Distinguish an unknown model from a wrong path."""
    text = response.exchange.body.decode("utf-8", errors="replace").lower()
    if target.model.lower() not in text and "model" not in text:
        return f"no endpoint at {_where(response, target)} (status 404): {_advice(target)}"
    sentence = f"the endpoint does not serve the model {target.model!r} (404: {said(response)})"
    models = await _models(api)
    if not models:
        return sentence
    shown = ", ".join(models[:MAX_MODELS_SHOWN])
    more = f" and {len(models) - MAX_MODELS_SHOWN} more" if len(models) > MAX_MODELS_SHOWN else ""
    return f"{sentence}; available models: {shown}{more}"


async def _models(api: Api) -> list[str]:
    """Return the ids that ``GET /models`` lists; empty if the response is not as expected."""
    try:
        http_response = await api.send(Request("GET", "/models"))
        response = json.loads(http_response.exchange.body)
    except (NotApplicable, ValueError):
        return []
    listed = response.get("data") if isinstance(response, dict) else None
    entries = listed if isinstance(listed, list) else []
    return [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]


def _where(response: Response, target: Target) -> str:
    return join(without_login(target.base_url), response.exchange.request.path)


def _advice(target: Target) -> str:
    """Suggest a fix for a base URL without an endpoint."""
    base = target.base_url.partition("?")[0].rstrip("/")
    if base.endswith("/completions"):
        return "use the part before /completions as the base URL"
    return "check the base URL" if base.endswith("/v1") else "the base URL may be missing /v1"


def is_html(response: Response) -> bool:
    """Return whether a body is HTML, regardless of its content type."""
    start = response.exchange.body[:256].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html")) or (
        response.content_type == "text/html" and not start.startswith(b"{")
    )


def said(http_response: Response) -> str:
    """Return the endpoint's error message, or the body, as one line of at most 200 characters."""
    text = http_response.exchange.body.decode("utf-8", errors="replace")
    try:
        response = json.loads(text)
    except ValueError:
        response = None
    error = response.get("error") if isinstance(response, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    line = " ".join((message if isinstance(message, str) else text).split())
    return (line if len(line) <= 200 else f"{line[:199]}…") or "(empty response)"
