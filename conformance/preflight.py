"""One cheap request that tells whether there is anything to judge.

A hundred checks against a wrong URL say the same thing a hundred times. So the run begins with the
plainest request there is, which checks ask too; an answer that makes judging pointless ends the run
with one sentence that says what to change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from conformance.answers import Reply
from conformance.api import Api
from conformance.checks._shared.prompts import COUNTING
from conformance.judgement import NotApplicable
from conformance.model import Request, Target
from conformance.wire.address import join, without_login

PLAINEST: Mapping[str, Any] = {"prompt": COUNTING, "max_tokens": 1, "temperature": 0}
MODELS_SHOWN = 12


async def preflight(api: Api, target: Target) -> str | None:
    """Return why this target cannot be judged, or None when it can be."""
    try:
        reply = await api.complete(**PLAINEST)
    except NotApplicable:
        return None  # no budget even for this: every check will say so itself
    if reply.exchange.status == 404 and not is_html(reply):
        return await _not_found(api, reply, target)
    return trouble_in(reply, target)


def trouble_in(reply: Reply, target: Target) -> str | None:
    """Say what in the answer to the plainest request makes judging pointless, if anything does."""
    status, where, because = reply.exchange.status, _where(reply, target), None
    if status is None:
        because = reply.exchange.fault
    elif 300 <= status < 400:
        to = reply.exchange.header("location") or "nowhere"
        because = f"{where} redirects ({status}) to {to}: give the final base URL"
    elif status in {401, 402, 403}:
        because = _key_trouble(reply, target)
    elif is_html(reply):
        because = (
            f"{where} answers with an HTML page (status {status}), not JSON: {_advice(target)}"
        )
    elif status == 405:
        because = f"{where} takes no POST (status 405): {_advice(target)}"
    elif status == 429:
        because = f"{where} limits the rate of even one request (429): {said(reply)}"
    elif status >= 500:
        because = f"{where} fails at the plainest request (status {status}): {said(reply)}"
    return because


def _key_trouble(reply: Reply, target: Target) -> str:
    status = reply.exchange.status
    if not target.api_key:
        return (
            f"the endpoint wants an API key (status {status}) and none was given:"
            f" name the environment variable that holds it with --api-key-env"
        )
    return f"the API key was refused with {status}: {said(reply)}"


async def _not_found(api: Api, reply: Reply, target: Target) -> str:
    """Tell a model that is unknown from a path that is."""
    text = reply.exchange.body.decode("utf-8", errors="replace").lower()
    if target.model.lower() not in text and "model" not in text:
        return f"there is nothing at {_where(reply, target)} (status 404): {_advice(target)}"
    sentence = f"the endpoint does not serve the model {target.model!r} (404: {said(reply)})"
    models = await _models(api)
    if not models:
        return sentence
    shown = ", ".join(models[:MODELS_SHOWN])
    more = f" and {len(models) - MODELS_SHOWN} more" if len(models) > MODELS_SHOWN else ""
    return f"{sentence}; it lists {shown}{more}"


async def _models(api: Api) -> list[str]:
    """The ids that ``GET /models`` lists; none where it does not answer as expected."""
    try:
        reply = await api.send(Request("GET", "/models"))
        answer = json.loads(reply.exchange.body)
    except (NotApplicable, ValueError):
        return []
    listed = answer.get("data") if isinstance(answer, dict) else None
    entries = listed if isinstance(listed, list) else []
    return [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]


def _where(reply: Reply, target: Target) -> str:
    return join(without_login(target.base_url), reply.exchange.request.path)


def _advice(target: Target) -> str:
    """The most likely mistake in a base URL that leads nowhere."""
    base = target.base_url.partition("?")[0].rstrip("/")
    if base.endswith("/completions"):
        return "the base URL is the part before /completions"
    return "is it the right base URL?" if base.endswith("/v1") else "is the base URL missing /v1?"


def is_html(reply: Reply) -> bool:
    """Tell whether a body is a page for people, whatever its content type says."""
    start = reply.exchange.body[:256].lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html")) or (
        reply.content_type == "text/html" and not start.startswith(b"{")
    )


def said(reply: Reply) -> str:
    """The endpoint's own sentence, cut to a line."""
    text = reply.exchange.body.decode("utf-8", errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    line = " ".join((message if isinstance(message, str) else text).split())
    return (line if len(line) <= 200 else f"{line[:199]}…") or "(an empty answer)"
