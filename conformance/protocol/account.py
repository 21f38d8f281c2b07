"""What an answer says of the account, the route or a gatekeeper rather than of the request; pure.

A revoked key, an empty balance, a captcha and a missing route concern every request alike, so they
say nothing about what one request asked for. The status alone does not tell them: vendors and
relays report an empty balance with 400, 401, 402, 403, 429 and 500. What they say does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from conformance.message import Message, say, verbatim
from conformance.model import Credentials, Exchange, Request
from conformance.protocol.account_wordings import OF_STATUS, RATE_WORDINGS, WORDINGS, Cause
from conformance.protocol.request import COMPLETIONS

READ_BYTES = 64 * 2**10
"""Bytes of a body that are read for wordings. Error messages are shorter."""

MAX_SAID_CHARS = 200

Headers = Sequence[tuple[str, str]]

GONE_STATUSES = frozenset({404, 405, 410})


def cause_of(exchange: Exchange, model: str) -> Cause | None:
    """Return why an answer is about the account, the route or a gatekeeper; None if it is not.

    Only answers to completion requests with the run's own key are looked at: another key is
    rejected rightly.

    Args:
        exchange: the request and the answer.
        model: the model of the run. That another one is not found is about the request.
    """
    request, status = exchange.request, exchange.status
    if status is None or not _is_own(request):
        return None
    is_page = is_html(exchange)
    if 300 <= status < 400:
        return Cause.REDIRECT
    if status < 400 and not is_page and _has_choices(exchange.body):
        return None
    cause = _wording_in(exchange.headers, exchange.body) or OF_STATUS.get(status)
    if cause is None and status in GONE_STATUSES:
        cause = Cause.ROUTE if is_page else _gone(exchange, model)
    elif cause is None and is_page and status < 500:
        # A 5xx page of a proxy is a passing condition like any other 5xx.
        cause = Cause.PAGE
    return cause


def is_own_refusal(exchange: Exchange) -> bool:
    """Return whether a completion request with the run's own key got no completion, but words.

    Passing conditions do not count: no response, a rate limit, a 5xx.
    """
    status = exchange.status
    is_answer = status is not None and status != 429 and status < 500
    return is_answer and _is_own(exchange.request) and not _has_choices(exchange.body)


def is_rate_limit(exchange: Exchange) -> bool:
    """Return whether an answer speaks of a rate limit, whatever its status."""
    words = _words(exchange.body).lower()
    return any(one in words for one in RATE_WORDINGS)


def is_final(status: int, headers: Headers, body: bytes) -> bool:
    """Return whether a 429 or 5xx is not worth another attempt: an empty balance, a captcha."""
    return status >= 400 and _wording_in(headers, body) is not None


def _wording_in(headers: Headers, body: bytes) -> Cause | None:
    named = {name.lower(): value.strip().lower() for name, value in headers}
    if named.get("cf-mitigated") == "challenge":
        return Cause.GATEKEEPER
    words = _words(body).lower()
    found = (cause for cause, known in WORDINGS.items() if any(one in words for one in known))
    cause = next(found, None)
    is_passing = cause is Cause.QUOTA and any(one in words for one in RATE_WORDINGS)
    return None if is_passing else cause


def _has_choices(body: bytes) -> bool:
    """Return whether a body is a completion, which is not searched: a model may write anything."""
    if b'"choices"' not in body:
        return False
    read = _json(body) if b'"error"' in body else None
    return not (isinstance(read, dict) and read.get("error") and not read.get("choices"))


def is_html(exchange: Exchange) -> bool:
    """Return whether a body is HTML, regardless of its content type."""
    start = exchange.body[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    kind = (exchange.header("content-type") or "").partition(";")[0].strip().lower()
    return start.startswith((b"<!doctype html", b"<html")) or (
        kind == "text/html" and not start.startswith((b"{", b"[", b"data:", b"event:", b":"))
    )


def said(exchange: Exchange, limit: int = MAX_SAID_CHARS) -> Message:
    """Return what an error says, as one line of at most ``limit`` printable characters.

    That is the error message, the title of an HTML page, where a redirect leads to, or the
    beginning of the body.
    """
    to = exchange.header("location")
    if to and exchange.status is not None and 300 <= exchange.status < 400:
        return say("to {place}", place=one_line(to, limit))
    text = exchange.body[:READ_BYTES].decode("utf-8", errors="replace")
    if is_html(exchange):
        title = re.search(r"<title[^<>]{0,200}>([^<]{1,1000})", text, re.IGNORECASE)
        text = title[1] if title else text
    else:
        text = next(_messages(_json(exchange.body)), text)
    return verbatim(one_line(text, limit)) if one_line(text, limit) else say("(empty response)")


def signature_of(exchange: Exchange) -> object:
    """Return what equal refusals have in common: the status and the words without numbers."""
    return exchange.status, re.sub(r"[0-9a-f]{6,}|\d+", "#", said(exchange).lower())


def one_line(text: str, limit: int) -> str:
    """Return a text as one line of at most ``limit`` printable characters.

    Control characters, lone surrogates and marks that turn the direction of writing become blanks.
    """
    # More is not looked at: blanks can hide at most what is cut anyway.
    start = text[: 20 * limit]
    line = " ".join("".join(c if c.isprintable() else " " for c in start).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _is_own(request: Request) -> bool:
    """Return whether a request asks for a completion with the run's own key."""
    return (
        (request.method, request.path) == ("POST", COMPLETIONS)
        and request.credentials is Credentials.OWN
        and all(name.lower() != "authorization" for name, _ in request.headers)
    )


def _gone(exchange: Exchange, model: str) -> Cause | None:
    """Return what is gone by a 404, 405 or 410; None if it is about something in the request."""
    body = _json(exchange.request.body)
    sent = body if isinstance(body, dict) else {}
    words = _words(exchange.body).lower()
    asked = sent.get("model")
    other = asked.lower() if isinstance(asked, str) and asked != model else ""
    is_named = len(other) > 3 and other in words
    about_model = is_named or "model" in words or "模型" in words
    # The name of another model may contain the run's own.
    names_own = len(model) > 3 and model.lower() in (words.replace(other, "") if other else words)
    if isinstance(body, dict) and asked != model and about_model and not names_own:
        return None
    error = _json(exchange.body)
    inner = error.get("error") if isinstance(error, dict) else None
    param = inner.get("param") if isinstance(inner, dict) else None
    # A wrong status for a wrong value: the answer names the parameter.
    names = [name.lower() for name in sent if name != "model" and isinstance(name, str)]
    if isinstance(param, str) and param.lower() in names:
        return None
    if any(re.search(rf"(?<![\w/]){re.escape(name)}\b", words) for name in names[:40]):
        return None
    return Cause.MODEL if about_model else Cause.ROUTE


def _words(body: bytes) -> str:
    """Return the text of a body, with the escapes of JSON resolved."""
    text = body[:READ_BYTES].decode("utf-8", errors="replace")
    read = _json(body)
    if read is None:
        return text
    try:
        return json.dumps(read, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _json(body: bytes) -> Any:
    """Return a small body as parsed JSON; None if it is none, or too deep or too large to be."""
    if len(body) > READ_BYTES:
        return None
    try:
        return json.loads(body.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError):
        return None


def _messages(read: Any) -> Iterator[str]:
    """Yield the messages of an error body, the likeliest first."""
    if not isinstance(read, dict):
        return
    inner = read.get("error")
    for place in (inner, read):
        if isinstance(place, str) and place:
            yield place
        if isinstance(place, dict):
            names = ("message", "msg", "detail", "error_msg", "error_message")
            yield from (place[name] for name in names if isinstance(place.get(name), str))
