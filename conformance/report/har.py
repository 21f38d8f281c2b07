"""HAR 1.2: the exchanges of a run, for any viewer of HTTP traffic.

http://www.softwareishard.com/blog/har-12-spec describes the format. There is an entry for each
attempt of which the record has the response: the last one of each exchange. The record is redacted,
and the key that was sent is named by its variable, never written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conformance.model import WRONG_KEY, Credentials, Exchange, Header, Request, Run
from conformance.report.curl import key_variable, url_of
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary

TOOL = "completions-conformance"
MAX_BODY_BYTES = 256 * 1024
"""Bytes of one body; the record has the rest."""

MAX_BODIES_BYTES = 32 * 1024 * 1024
"""Bytes of all bodies together; those after it are left out."""

MAX_HEADERS = 200
MAX_HEADER_CHARS = 8_000
MAX_COMMENT_CHARS = 1_000
MAX_FINDINGS_NAMED = 20
_NOT_KNOWN = -1


def render(run: Run, key_env: str | None = None) -> str:
    """Write the exchanges of a run as a HAR file.

    Args:
        run: the run to report.
        key_env: the environment variable that stands for the key; by default the one that the run
            used.
    """
    summary = Summary(run)
    room = _Room(MAX_BODIES_BYTES)
    uses = _uses(summary)
    variable = key_env or run.header.api_key_env
    entries = [
        _entry(one, run.header, variable, uses.get(one.id, ()), room) for one in run.exchanges
    ]
    log = {
        "version": "1.2",
        "creator": {"name": TOOL, "version": line(run.header.suite_version)},
        "entries": entries,
        "comment": cut(line(f"{summary.headline.en}. {summary.sentence.en}"), MAX_COMMENT_CHARS),
    }
    return json.dumps({"log": log}, indent=1) + "\n"


class _Room:
    """How many bytes of bodies there is room for."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, body: bytes) -> bytes:
        """Return as much of a body as there is room for."""
        taken = body[: min(MAX_BODY_BYTES, self._left)]
        self._left -= len(taken)
        return taken


def _uses(summary: Summary) -> Mapping[str, Sequence[str]]:
    """Return the findings that each exchange is evidence for, the worst first."""
    uses: dict[str, list[str]] = {}
    for finding in summary.findings:
        for key in finding.exchanges:
            uses.setdefault(key, []).append(f"{finding.id} ({finding.shown.value})")
    return uses


def _entry(
    exchange: Exchange, header: Header, key_env: str | None, uses: Sequence[str], room: _Room
) -> Mapping[str, Any]:
    last = exchange.attempts[-1] if exchange.attempts else None
    wait = exchange.arrivals[0].at if exchange.arrivals else exchange.elapsed
    wait = min(max(wait, 0.0), exchange.elapsed)
    return {
        "startedDateTime": _moment(header.started_at, last.started if last else 0.0),
        "time": _milliseconds(exchange.elapsed),
        "request": _request(exchange.request, header, key_env, room),
        "response": _response(exchange, room),
        "cache": {},
        "timings": {
            "send": 0,
            "wait": _milliseconds(wait),
            "receive": _milliseconds(exchange.elapsed - wait),
        },
        "comment": _comment(exchange, uses),
    }


def _comment(exchange: Exchange, uses: Sequence[str]) -> str:
    named = ", ".join(uses[:MAX_FINDINGS_NAMED])
    more = len(uses) - MAX_FINDINGS_NAMED
    parts = [exchange.id, f"{named} and {more} more" if more > 0 else named]
    if len(exchange.attempts) > 1:
        parts.append(f"attempt {len(exchange.attempts)}")
    if exchange.fault:
        parts.append(str(exchange.fault))
    return cut(line(" · ".join(part for part in parts if part)), MAX_COMMENT_CHARS)


def _moment(started_at: str, seconds: float) -> str:
    try:
        moment = datetime.fromisoformat(started_at) + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        moment = datetime.fromtimestamp(0, UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _milliseconds(seconds: float) -> float:
    return round(max(seconds, 0.0) * 1_000, 3)


def _request(request: Request, header: Header, key_env: str | None, room: _Room) -> dict[str, Any]:
    url = line(url_of(header.base_url, request.path))
    own = (one for one in request.headers if one[1])
    headers = [*_sent(request, header, key_env), *own]
    found: dict[str, Any] = {
        "method": line(request.method),
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(headers),
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(_query(url))],
        "headersSize": _NOT_KNOWN,
        "bodySize": len(request.body),
    }
    if request.body:
        text, comment = _text(request.body, room.take(request.body))
        kind = next((v for k, v in headers if k.lower() == "content-type"), "")
        found["postData"] = {"mimeType": line(kind), "text": text, "comment": comment}
    return found


def _sent(request: Request, header: Header, key_env: str | None) -> Iterable[tuple[str, str]]:
    """Yield the headers that the transport adds; the key is named by its variable."""
    own = {name.lower() for name, _ in request.headers}
    yield "accept-encoding", "identity"
    if request.body and "content-type" not in own:
        yield "content-type", "application/json"
    if variable := key_variable(request, key_env):
        yield "authorization", f"Bearer ${variable}"
    elif request.credentials is Credentials.WRONG:
        yield "authorization", f"Bearer {WRONG_KEY}"
    yield from ((name, value) for name, value in header.headers.items() if name.lower() not in own)


def _query(url: str) -> str:
    try:
        return urlsplit(url).query
    except ValueError:
        return ""


def _response(exchange: Exchange, room: _Room) -> Mapping[str, Any]:
    status = exchange.status or 0
    content: dict[str, Any] = {
        "size": len(exchange.body),
        "mimeType": cut(line(exchange.header("content-type") or ""), MAX_HEADER_CHARS),
    }
    taken = room.take(exchange.body)
    try:
        content["text"] = taken.decode()
    except UnicodeDecodeError:
        content["text"] = base64.b64encode(taken).decode()
        content["encoding"] = "base64"
    if len(taken) < len(exchange.body):
        content["comment"] = f"the first {len(taken)} bytes; run.ndjson has all"
    return {
        "status": status,
        "statusText": _phrase(status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(exchange.headers),
        "content": content,
        "redirectURL": cut(line(exchange.header("location") or ""), MAX_HEADER_CHARS),
        "headersSize": _NOT_KNOWN,
        "bodySize": len(exchange.body),
    }


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _headers(headers: Iterable[tuple[str, str]]) -> list[Mapping[str, str]]:
    return [
        {"name": line(name), "value": cut(line(value), MAX_HEADER_CHARS)}
        for name, value in list(headers)[:MAX_HEADERS]
    ]


def _text(whole: bytes, taken: bytes) -> tuple[str, str]:
    """Return a request's body as text, and what has to be said about it."""
    comment = (
        "" if len(taken) == len(whole) else f"the first {len(taken)} bytes; run.ndjson has all"
    )
    try:
        return taken.decode(), comment
    except UnicodeDecodeError:
        return taken.decode("latin-1"), f"{comment} bytes that are not UTF-8, as Latin-1".strip()
