"""The server: it reads requests properly and leaves every byte of a response to a behaviour."""

from __future__ import annotations

import importlib
import json
import pkgutil
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import responses
from typing import Any

import tests.hostile


@dataclass(frozen=True)
class Call:
    """One request, and the socket to respond on.

    Attributes:
        method, target: of the request line.
        headers: by lower-case name; the last of equal names.
        body: as sent.
        number: 1 for the first request to this behaviour, 2 for the second, …
        connection: the raw socket.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    number: int
    connection: socket.socket = field(repr=False)

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is none."""
        try:
            read = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return read if isinstance(read, dict) else {}

    @property
    def key(self) -> str | None:
        """The bearer token of the request, or None."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        return key if scheme.lower() == "bearer" and key else None

    @property
    def is_streamed(self) -> bool:
        """Whether the request asks for a stream."""
        return self.json.get("stream") is True

    def write(self, data: bytes) -> None:
        """Send raw bytes."""
        self.connection.sendall(data)

    def respond(
        self,
        body: bytes | str | Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> None:
        """Send a whole, well-framed response; a mapping is sent as JSON."""
        raw, kind = _encoded(body)
        fields = {"Content-Type": kind, "Content-Length": str(len(raw)), **(headers or {})}
        self.write(head(fields, status) + raw)

    def respond_ok(self, text: str = " 13", **changed: Any) -> None:
        """Send a correct completion or, if the request asks for it, a correct stream.

        Args:
            text: the text of the only choice.
            changed: members of the completion that replace the correct ones.
        """
        if self.is_streamed:
            self.stream([completion([text], **changed)])
        else:
            self.respond(completion([text], **changed))

    def stream(self, chunks: Iterable[Mapping[str, Any] | bytes], *, done: bool = True) -> None:
        """Send server-sent events with chunked framing; bytes are sent unchanged."""
        fields = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
        self.write(head(fields))
        for event in chunks:
            raw = (
                event if isinstance(event, bytes) else b"data: %s\n\n" % json.dumps(event).encode()
            )
            self.write(b"%x\r\n%s\r\n" % (len(raw), raw))
        if done:
            self.write(b"e\r\ndata: [DONE]\n\n\r\n")
        self.write(b"0\r\n\r\n")


Behaviour = Callable[[Call], None]
BEHAVIOURS: dict[str, Behaviour] = {}
"""All behaviours by the first part of their path."""


def behaviour(name: str) -> Callable[[Behaviour], Behaviour]:
    """Register a behaviour under ``/name``."""

    def register(function: Behaviour) -> Behaviour:
        assert name not in BEHAVIOURS, f"two behaviours are called {name}"
        BEHAVIOURS[name] = function
        return function

    return register


def head(headers: Mapping[str, str], status: int = 200) -> bytes:
    """Return a status line and headers, the blank line included."""
    lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def completion(texts: Iterable[str] = (" 13",), **changed: Any) -> dict[str, Any]:
    """Return a correct completion with one choice a text.

    Args:
        texts: the texts of the choices.
        changed: members that replace the correct ones.
    """
    choices = [
        {"text": text, "index": index, "logprobs": None, "finish_reason": "length"}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": 36, "completion_tokens": len(choices)}
    usage["total_tokens"] = sum(usage.values())
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_795_230_000,
        "model": "m",
        "choices": choices,
        "usage": usage,
        **changed,
    }


@dataclass
class HostileServer:
    """The running server.

    Attributes:
        port: its port on the loopback interface.
        calls: the number of requests by behaviour.
        keys: the bearer tokens that arrived, in order.
    """

    port: int
    calls: Counter[str] = field(default_factory=Counter)
    keys: list[str | None] = field(default_factory=list)

    def base_url(self, name: str) -> str:
        """Return the base URL of a behaviour."""
        assert name in BEHAVIOURS, f"no behaviour is called {name}"
        return f"http://127.0.0.1:{self.port}/{name}"


@contextmanager
def hostile_server() -> Iterator[HostileServer]:
    """Serve all behaviours on a free loopback port until the block ends."""
    _load()
    running = HostileServer(0)
    lock = threading.Lock()

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            # A client that leaves in the middle is what many tests want.
            with suppress(OSError):
                while call := _read(self.request, running, lock):
                    BEHAVIOURS[call.target.split("/")[1]](call)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        server.daemon_threads = True
        running.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


def _read(connection: socket.socket, running: HostileServer, lock: threading.Lock) -> Call | None:
    """Read one request; None at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        read = connection.recv(65_536)
        if not read:
            return None
        data += read
    start, _, body = data.partition(b"\r\n\r\n")
    request_line, *lines = start.decode("latin-1").split("\r\n")
    method, target, _ = request_line.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
    }
    length = int(headers.get("content-length", 0))
    while len(body) < length:
        read = connection.recv(65_536)
        if not read:
            return None
        body += read
    name = target.split("/")[1]
    with lock:
        running.calls[name] += 1
        number = running.calls[name]
        call = Call(method, target, headers, body, number, connection)
        running.keys.append(call.key)
    return call


def _event(data: Mapping[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.dumps(data).encode()


def _encoded(body: bytes | str | Mapping[str, Any]) -> tuple[bytes, str]:
    match body:
        case bytes():
            return body, "application/json"
        case str():
            return body.encode(), "text/plain; charset=utf-8"
    return json.dumps(body).encode(), "application/json"


def _load() -> None:
    """Import the files of behaviours, which register themselves."""
    for module in pkgutil.iter_modules(tests.hostile.__path__, "tests.hostile."):
        importlib.import_module(module.name)
