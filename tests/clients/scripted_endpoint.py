"""A loopback endpoint whose responses the test defines."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from conformance.docs_audit.results import Endpoint

KEY = "sk-Zk3hT9wQ1vB7nM5xL2cD8f"
JSON, EVENTS = "application/json", "text/event-stream"

ScriptedResponse = tuple[int, str, bytes]
"""Status, media type and body."""

Responder = Callable[[Mapping[str, Any]], ScriptedResponse]


@dataclass(frozen=True)
class Heard:
    """A request as it came."""

    path: str
    headers: Message
    body: Mapping[str, Any]


@contextmanager
def endpoint_that(response: Responder, heard: list[Heard] | None = None) -> Iterator[Endpoint]:
    """Serve ``answer`` on loopback until the block ends, and append each request to ``heard``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if heard is not None:
                heard.append(Heard(self.path, self.headers, request))
            status, media_type, body = response(request)
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # who has read enough hangs up
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write nothing to the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # One that waits for a client that was ended must not keep the test waiting.
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Endpoint(f"http://127.0.0.1:{server.server_port}/v1", api_key=KEY)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def response_to(request: Mapping[str, Any]) -> dict[str, Any]:
    """A right answer."""
    prompts = request["prompt"] if isinstance(request["prompt"], list) else [request["prompt"]]
    most = request.get("max_tokens", 16)
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1700000000,
        "model": request["model"],
        "system_fingerprint": "fp_1",
        "choices": [
            {"text": f" {prompt}", "index": i, "logprobs": None, "finish_reason": "stop"}
            for i, prompt in enumerate(prompts)
        ],
        "usage": {"prompt_tokens": 4, "completion_tokens": most, "total_tokens": 4 + most},
    }
