"""Ways in which refusals and headers are wrong, each as small as can be."""

from __future__ import annotations

import json
from dataclasses import replace

from conformance.model import WRONG_KEY, Credentials, Exchange
from tests.conformance.checks import rewrites as f
from tests.conformance.checks.rewriting import (
    Change,
    read,
    with_body,
    with_events,
    with_header,
)

UPSTREAM = "Post https://10.3.7.12:8443/v1/completions: dial tcp 10.3.7.12:8443: i/o timeout"
TRACE = 'Traceback (most recent call last):\n  File "/srv/app.py", line 3, in f'


def told_as_success(exchange: Exchange) -> Exchange:
    return replace(exchange, status=200)


def open_to(*who: Credentials) -> Change:
    """Serve somebody who has no right to it."""

    def raw(exchange: Exchange) -> Exchange:
        if exchange.request.credentials not in who:
            return exchange
        return with_body(replace(exchange, status=200), '{"id": "x", "choices": [{"text": ""}]}')

    return Change(raw=raw)


def key_repeated(exchange: Exchange) -> Exchange:
    if exchange.request.credentials is not Credentials.WRONG:
        return exchange
    told = {"message": f"bad key {WRONG_KEY}", "type": "x", "param": None, "code": None}
    return with_body(exchange, json.dumps({"error": told}))


def error_streamed(exchange: Exchange) -> Exchange:
    """Answer a refused request for a stream with an event."""
    if not (read(exchange.request.body) or {}).get("stream"):
        return exchange
    told = with_events(exchange, [exchange.body.decode(), "[DONE]"])
    return with_header(replace(told, status=200), "content-type", "text/event-stream")


ERRORS: dict[str, Change] = {
    "bare-envelope": Change(refusal=lambda envelope: {"detail": envelope["error"]["message"]}),
    "error-is-a-string": Change(refusal=lambda envelope: {"error": envelope["error"]["message"]}),
    "message-empty": f.error(message=""),
    "message-missing": f.error(message=...),
    "param-missing": f.error(param=...),
    "type-missing": f.error(type=...),
    "code-list": f.error(code=[1]),
    "type-foreign": f.error(type="new_api_error"),
    "param-null-and-unnamed": f.error(message="bad request", param=None),
    "html": f.in_errors(
        lambda e: with_header(with_body(e, "<html>Bad Request</html>"), "content-type", "text/html")
    ),
    "error-as-text": f.in_errors(lambda e: with_header(e, "content-type", "text/plain")),
    "error-as-success": f.in_errors(told_as_success),
    "server-error": f.status(500, 400),
    "server-error-at-depth": f.in_errors(
        lambda e: replace(e, status=500) if b"[[[[" in e.request.body else e
    ),
    "server-error-html": f.in_errors(
        lambda e: (
            with_body(replace(e, status=500), "<html>Internal Server Error</html>")
            if e.status == 400
            else e
        )
    ),
    "unprocessable": f.status(422, 400),
    "not-found-for-all": f.status(404, 400),
    "error-streamed": f.in_errors(error_streamed),
    "stream-error-other-status": f.in_errors(
        lambda e: replace(e, status=404) if b'"stream":true' in e.request.body else e
    ),
    "malformed-served": Change(
        raw=lambda e: (
            with_body(replace(e, status=200), "{}") if not e.request.body.endswith(b"}") else e
        )
    ),
    "upstream-leak": f.error(message=UPSTREAM),
    "trace-leak": f.error(message=TRACE),
    "key-leak": f.error(message="no quota for sk-A1b2C3d4E5f6G7h8I9j0K1l2M3"),
    "nobody-served": open_to(Credentials.NONE),
    "strangers-served": open_to(Credentials.WRONG),
    "everyone-served": open_to(Credentials.NONE, Credentials.WRONG),
    "no-key-is-400": f.status(400, 401),
    "wrong-key-code": f.error(code="bad_key"),
    "wrong-key-html": f.in_errors(
        lambda e: with_body(e, "<html>no</html>") if e.status == 401 else e
    ),
    "key-repeated": f.in_errors(key_repeated),
    "plain-as-text": Change(raw=lambda e: with_header(e, "content-type", "text/plain")),
    "charset-latin": Change(
        raw=lambda e: with_header(e, "content-type", "application/json; charset=latin-1")
    ),
    "request-id-constant": Change(raw=lambda e: with_header(e, "x-request-id", "1")),
    "processing-time-in-words": Change(
        raw=lambda e: with_header(e, "openai-processing-ms", "soon")
    ),
    "rate-limits-crossed": Change(
        raw=lambda e: with_header(
            with_header(e, "x-ratelimit-limit-requests", "10"),
            "x-ratelimit-remaining-requests",
            "999",
        )
    ),
    "wrong-types-served": Change(
        ask=lambda body: {
            k: v
            for k, v in body.items()
            if not (k in ("stream", "stream_options", "logprobs") and isinstance(v, str))
            and v != {"include_usage": "perhaps"}
        }
    ),
}
