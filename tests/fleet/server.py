"""One process that serves many targets, each by its path and with faults of its own.

Behind each path is the endpoint in memory with behaviours of the reference server in front of it. A
gate lets a test stop all of them after a number of requests, so that a run is certainly in progress
when it is killed.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conformance.model import WRONG_KEY, Credentials, Exchange, Request
from tests.fake_server import KEY, MODEL, FakeServer

KEY_VARIABLE = "FLEET_KEY"
OF_THE_CONNECTION = frozenset({"content-length", "transfer-encoding", "connection"})


class Gate:
    """Lets a number of requests pass and holds the others until it is opened."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._changed = threading.Condition()
        self.waiting = 0

    def close_after(self, requests: int) -> None:
        with self._changed:
            self._left, self.waiting = requests, 0

    def open(self) -> None:
        with self._changed:
            self._left = None
            self._changed.notify_all()

    def wait_until_held(self, seconds: float) -> bool:
        """Wait until a request is held; return whether one is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.waiting > 0, seconds)

    def pass_through(self) -> None:
        with self._changed:
            if self._left is None:
                return
            if self._left > 0:
                self._left -= 1
                return
            self.waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._left is None)


class Fleet:
    """The running server.

    Attributes:
        sent: the requests that were answered, by target.
        gate: stops all targets.
    """

    def __init__(self, port: int, faults: Mapping[str, str]) -> None:
        self.sent: Counter[str] = Counter()
        self.gate = Gate()
        self.port = port
        self._faults = dict(faults)
        self._servers = {name: FakeServer(fault) for name, fault in faults.items()}
        self._locks = {name: threading.Lock() for name in faults}

    def answer(self, name: str, request: Request) -> Exchange:
        self.gate.pass_through()
        with self._locks[name]:
            self.sent[name] += 1
            return asyncio.run(self._servers[name].send(request))

    def write_targets(self, path: Path, **settings: str) -> None:
        """Write a targets file of the whole fleet."""
        defaults = "".join(f"{name} = {value}\n" for name, value in settings.items())
        tables = "".join(
            f'[targets.{name}]\nbase-url = "http://127.0.0.1:{self.port}/{name}/v1"\n'
            f'model = "{MODEL}"\napi-key-env = "{KEY_VARIABLE}"\n'
            for name in self._servers
        )
        path.write_text(f"[defaults]\n{defaults}\n{tables}", "utf-8")


@contextmanager
def fleet(faults: Mapping[str, str]) -> Iterator[Fleet]:
    """Serve targets by name until the block ends, each with a fault, or ``none``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            _, name, _, rest = self.path.split("/", 3)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            shown = self.headers.get("authorization")
            credentials = {
                f"Bearer {KEY}": Credentials.OWN,
                f"Bearer {WRONG_KEY}": Credentials.WRONG,
            }
            whose = credentials.get(shown or "", Credentials.NONE)
            request = Request(self.command, f"/{rest}", body, credentials=whose)
            exchange = running.answer(name, request)
            self.send_response(exchange.status or 500)
            for header, value in exchange.headers:
                if header.lower() not in OF_THE_CONNECTION:
                    self.send_header(header, value)
            self.send_header("content-length", str(len(exchange.body)))
            self.end_headers()
            self.wfile.write(exchange.body)

        def log_message(self, *_: object) -> None:
            """Say nothing on the test's own output."""

        def handle(self) -> None:
            with suppress(ConnectionError):  # the client was killed
                super().handle()

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    running = Fleet(server.server_port, faults)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield running
    finally:
        running.gate.open()
        server.shutdown()
        thread.join()
        server.server_close()
