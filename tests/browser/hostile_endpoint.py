"""An endpoint that attacks its clients through every string and every part of HTTP.

Its answers take turns, so that a run meets all of them. Wherever a string may stand there is an
attack, and the key that was presented, written in every form that a debug page may show it in.
"""

from __future__ import annotations

import base64
import itertools
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

from tests.report.hostile import ATTACKS

Message = tuple[dict[str, str], bytes]
"""The header of a request, its names in small letters, and its body."""

HUGE = 5_000_000
MAX_JSON_INTEGER = 10**4300 - 1
"""The most digits that Python's JSON reads; a sum of two such numbers cannot be written down."""

ALL = " ".join(ATTACKS.values())


def forms_of(key: str) -> dict[str, str]:
    """Return every spelling of a key that an endpoint can send."""
    return {
        "as it is": key,
        "JSON-escaped": "".join(f"\\u{ord(character):04x}" for character in key),
        "URL-encoded": "".join(f"%{ord(character):02X}" for character in key),
        "base64": base64.b64encode(key.encode()).decode(),
        "base64 of credentials": base64.b64encode(f"user:{key}".encode()).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(f"k={key}".encode()).decode(),
    }


@contextmanager
def attacking() -> Iterator[str]:
    """Serve attacks on a free port until the block ends; yields the base URL."""
    turns = itertools.count()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                while (request := _read(self.rfile)) is not None:
                    self.wfile.write(_response(next(turns), *request))

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _read(file: Any) -> Message | None:
    if not file.readline():
        return None
    headers: dict[str, str] = {}
    while line := file.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers, file.read(int(headers.get("content-length", "0")))


def _response(turn: int, headers: dict[str, str], body: bytes) -> bytes:
    key = headers.get("authorization", "").removeprefix("Bearer ")
    said = f"{ALL} {' '.join(forms_of(key).values())}"
    # The run goes on only if its first question is served.
    kind = _completion if turn == 0 else _KINDS[turn % len(_KINDS)]
    return kind(said, key, body)


def _http(status: int, content_type: str, body: bytes, key: str) -> bytes:
    headers = [
        f"HTTP/1.1 {status} <script>alert(1)</script>",
        f"content-type: {content_type}",
        f"content-length: {len(body)}",
        f"x-request-id: {quote(ALL, safe='<>()=;/ ', errors='replace')} {key}",
        f"x-key: Bearer {key} {' '.join(forms_of(key).values())}",
        f"set-cookie: session={key}",
        'x-attack: "><img src=x onerror=alert(1)> javascript:alert(1) \xe2\x80\xae \x9b31m',
        "link: <javascript:alert(1)>; rel=stylesheet",
        "refresh: 0; url=javascript:alert(1)",
    ]
    return "\r\n".join([*headers, "", ""]).encode("latin-1") + body


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _choices(said: str, body: bytes) -> list[dict[str, Any]]:
    scores = {
        "tokens": list(ATTACKS.values()),
        "token_logprobs": [said, None, 1e999, -1, {said: said}],
        "top_logprobs": [{said: -1}],
        "text_offset": [said],
    }
    return [{"text": said, "index": 0, "logprobs": scores, "finish_reason": said}]


def _completion(said: str, key: str, body: bytes) -> bytes:
    usage = {
        "prompt_tokens": MAX_JSON_INTEGER,
        "completion_tokens": said,
        "total_tokens": -1,
        said: said,
    }
    whole = {
        "id": said,
        "object": "text_completion",
        "created": MAX_JSON_INTEGER,
        "model": said,
        "system_fingerprint": said,
        "choices": _choices(said, body),
        "usage": usage,
        said: {said: [said]},
    }
    return _http(200, "application/json", _json(whole), key)


def _refusal(said: str, key: str, body: bytes) -> bytes:
    error = {"message": said, "type": said, "param": said, "code": said}
    return _http(400, "application/json", _json({"error": error}), key)


def _stream(said: str, key: str, body: bytes) -> bytes:
    chunk = {"id": said, "model": said, "choices": _choices(said, body)}
    flat = said.replace("\r", " ").replace("\n", " ").encode("utf-8", errors="replace")
    events = b": " + flat + b"\n\nevent: " + flat + b"\nid: " + flat + b"\ndata: " + _json(chunk)
    return _http(
        200, "text/event-stream", events + b"\n\ndata: " + flat + b"\n\ndata: [DONE]\n\n", key
    )


def _page(said: str, key: str, body: bytes) -> bytes:
    text = f"<!doctype html><script>alert(1)</script><h1>{said}</h1>"
    return _http(
        502, f"text/html; {quote(said, errors='replace')[:200]}", text.encode(errors="replace"), key
    )


def _broken_utf8(said: str, key: str, body: bytes) -> bytes:
    text = (
        b'{"choices":[{"text":"\xff\xfe\x00\x1b[2J\xc3\x28'
        + key.encode()
        + b'\xed\xa0\x80","index":0}]}'
    )
    return _http(200, "application/json; charset=utf-7", text, key)


def _huge(said: str, key: str, body: bytes) -> bytes:
    text = f"{said}{'<b>A</b>' * (HUGE // 8)}{key}"
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": "length"}
    return _http(200, "application/json", _json({"id": "x", "choices": [choice]}), key)


def _deep(said: str, key: str, body: bytes) -> bytes:
    return _http(200, "application/json", b"[" * 200_000, key)


_ONCE = (_completion, _refusal, _stream, _page, _broken_utf8, _deep)
_KINDS: tuple[Callable[[str, str, bytes], bytes], ...] = (*_ONCE, _huge, *(_ONCE * 3))
"""What comes in turn; the largest is rare, since a run would be nothing else."""
