"""Endpoints for the command: over HTTP for a process, in memory for a function call."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from conformance.contract import Contract
from conformance.model import Exchange, Request
from conformance.testing import FakeEndpoint

NAMED = ("--base-url", "http://fake.example/v1", "--model", "tiny")
"""How most tests name their endpoint; nothing is ever sent there."""

COMPLETION = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1_795_230_000,
    "model": "tiny",
    "choices": [{"text": " 13", "index": 0, "logprobs": None, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 36, "completion_tokens": 1, "total_tokens": 37},
}


@dataclass(frozen=True)
class ScriptedResponse:
    body: bytes = json.dumps(COMPLETION).encode()
    status: int = 200
    content_type: str = "application/json"


@contextmanager
def serving(response: Callable[[], ScriptedResponse]) -> Iterator[str]:
    """Respond to every POST on a free port until the block ends; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            what = response()
            self.send_response(what.status)
            self.send_header("content-type", what.content_type)
            self.send_header("content-length", str(len(what.body)))
            self.end_headers()
            self.wfile.write(what.body)

        def log_message(self, *_: object) -> None:
            """Say nothing on the test's own output."""

        def handle(self) -> None:
            with suppress(ConnectionError):  # the command was interrupted and hung up
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # A handler that waits for an interrupted client must not keep the test waiting.
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class WithoutStop:
    """An endpoint that keeps its word but drops ``stop``, as some relays do."""

    def __init__(self, contract: Contract, model: str) -> None:
        self._conforming = FakeEndpoint(contract, model)

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        try:
            body = json.loads(request.body or b"null")
        except ValueError:
            body = None
        if isinstance(body, dict) and "stop" in body:
            kept = {key: value for key, value in body.items() if key != "stop"}
            request_without = replace(request, body=json.dumps(kept).encode())
            return replace(await self._conforming.send(request_without), request=request)
        return await self._conforming.send(request, fresh=fresh)
