"""HTTP as raw bytes, for requests that no client library would send."""

import json
import socket
from dataclasses import dataclass
from typing import Any

from tests.reference_server.api import MODEL
from tests.servers import RunningServer

SECONDS = 30.0
BODY = b'{"model":"%s","prompt":"a","max_tokens":1}' % MODEL.encode()


@dataclass(frozen=True)
class RawResponse:
    """One response, taken apart as far as a test wants to know."""

    status: int
    headers: dict[str, str]
    body: bytes

    def error(self) -> dict[str, Any]:
        """The error, after checking that it is the envelope."""
        assert self.headers["content-type"] == "application/json"
        envelope = json.loads(self.body)
        assert set(envelope) == {"error"}
        error: dict[str, Any] = envelope["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return error


def connect(server: RunningServer) -> socket.socket:
    host, _, port = server.base_url.removeprefix("http://").removesuffix("/v1").partition(":")
    return socket.create_connection((host, int(port)), timeout=SECONDS)


def request(
    server: RunningServer,
    *headers: bytes,
    line: bytes = b"POST /v1/completions HTTP/1.1",
    host: bytes | None = b"Host: localhost",
    key: bool = True,
    body: bytes = BODY,
    declared: bool = True,
) -> bytes:
    """A request's bytes; with ``declared`` it says how long its body is."""
    lines = [line, *([host] if host else []), *headers]
    if key:
        lines.append(f"Authorization: Bearer {server.key}".encode())
    if declared:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


def respond(connection: socket.socket) -> RawResponse:
    """Read one response, by whichever way it says where it ends."""
    stream = connection.makefile("rb")
    status = int(stream.readline().split()[1])
    headers = {}
    while line := stream.readline().rstrip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if status < 200:
        return RawResponse(status, headers, b"")
    if "content-length" in headers:
        return RawResponse(status, headers, stream.read(int(headers["content-length"])))
    if headers.get("transfer-encoding") != "chunked":
        return RawResponse(status, headers, stream.read())
    body = b""
    while length := int(stream.readline(), 16):
        body += stream.read(length)
        stream.readline()
    stream.readline()
    return RawResponse(status, headers, body)


def ask(server: RunningServer, data: bytes) -> RawResponse:
    """Send the bytes over a new connection and read one response."""
    with connect(server) as connection:
        connection.sendall(data)
        return respond(connection)
