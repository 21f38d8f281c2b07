"""Valid HTTP in any form is served; everything else gets a 4xx with the envelope."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.reference_server import raw_http
from tests.reference_server.raw_http import BODY, ask, chunked, connect, request, respond
from tests.servers import RunningServer, running_server


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server whose log is of these requests alone."""
    with running_server() as server:
        yield server
    assert not [line for line in server.log if '"error"' in line], server.log


def served(response: raw_http.RawResponse) -> bool:
    return response.status == 200 and len(json.loads(response.body)["choices"]) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"POST /v1/completions HTTP/1.0",
        b"POST /v1/completions?a=b&c HTTP/1.1",
        b"POST /v1/completions? HTTP/1.1",
        b"POST /v1/%63ompletions HTTP/1.1",
        b"POST http://localhost/v1/completions HTTP/1.1",
        b"POST HTTPS://somewhere.else:1/v1/completions?a=b HTTP/1.1",
    ],
)
def test_address_may_have_several_forms(own: RunningServer, line: bytes) -> None:
    assert served(ask(own, request(own, line=line)))


@pytest.mark.parametrize(
    "headers",
    [
        [b"Expect:"],
        [b"Connection: Upgrade", b"Upgrade: h2c", b"HTTP2-Settings: AAA"],
        [
            *(b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ],
        [b"X: \xff\xe9"],
        [b"X: 1", b"X: 2"],
        [b"Content-Type: application/json", b"Content-Encoding: identity"],
    ],
)
def test_optional_headers_change_nothing(own: RunningServer, headers: list[bytes]) -> None:
    assert served(ask(own, request(own, *headers)))


def test_body_may_come_in_chunks(own: RunningServer) -> None:
    body = chunked(BODY[:1], BODY[1:20], BODY[20:])
    assert served(ask(own, request(own, b"Transfer-Encoding: chunked", body=body, declared=False)))


def test_body_may_come_byte_by_byte(own: RunningServer) -> None:
    with connect(own) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(own):
            connection.sendall(bytes([byte]))
        assert served(respond(connection))


def test_client_may_wait_for_100_continue(own: RunningServer) -> None:
    with connect(own) as connection:
        head = request(own, b"Expect: 100-continue").removesuffix(BODY)
        connection.sendall(head)
        assert respond(connection).status == 100
        connection.sendall(BODY)
        assert served(respond(connection))


@pytest.mark.parametrize(
    ("headers", "key", "status"),
    [
        ([b"Content-Length: 8388609"], True, 413),
        ([b"Content-Length: 67108865"], True, 413),
        ([b"Content-Length: 99999999999999999999"], True, 413),
        ([b"Content-Length: 50", b"Content-Type: text/plain"], True, 415),
        ([b"Content-Length: 50"], False, 401),
    ],
)
def test_rejected_request_gets_no_100_continue(
    own: RunningServer, headers: list[bytes], key: bool, status: int
) -> None:
    expecting = request(own, b"Expect: 100-continue", *headers, key=key, body=b"", declared=False)
    response = ask(own, expecting)
    assert response.status == status
    response.error()


def test_requests_can_be_pipelined(own: RunningServer) -> None:
    """Responses come in order; an invalid request ends the connection."""
    get = request(own, line=b"GET /healthz HTTP/1.1", body=b"")
    wrong = request(own, body=b"{}")
    with connect(own) as connection:
        connection.sendall(request(own) + get + wrong + request(own) + b"\0\r\n\r\n")
        stream = connection.makefile("rb").read()
    statuses = [part.split(b" ", 1)[0] for part in stream.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [b"200", b"200", b"400", b"200", b"400"]


STATUSES = {
    "HTTP/2": 505,
    "HTTP/9.9": 505,
    "HTTP/0.9, named": 505,
    "a coding": 501,
    "two codings": 501,
    "a header without end": 431,
    "headers without end": 431,
    "too many headers": 431,
    "an address without end": 414,
    "an unknown expectation": 417,
    "an unknown expectation beside the known one": 417,
    "a body far over the limit": 413,
}
"""The status of each invalid request that gets another one than 400."""

HEAD = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\n"
NO_REQUESTS = {
    "HTTP/0.9": b"GET /v1/models\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"POST /v1/completions HTTP/9.9\r\nHost: a\r\n\r\n",
    "HTTP/0.9, named": b"GET /v1/models HTTP/0.9\r\nHost: a\r\n\r\n",
    "a version of two digits": b"GET /v1/models HTTP/11.1\r\nHost: a\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "no host": b"POST /v1/completions HTTP/1.1\r\n\r\n",
    "two hosts": b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a length below zero": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "an endless length": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n" % (b"9" * 99),
    "a coding": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "NUL in a header": b"POST / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    "a space before a colon": b"POST / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
    "a path beyond ASCII": "POST /v1/é HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
    "a space in the path": b"POST /v1/ completions HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header without end": b"POST / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000,
    "headers without end": HEAD + b"X: a\r\n" * 20_000,
    "too many headers": HEAD + b"X: a\r\n" * 101 + b"\r\n",
    "an address without end": b"POST /" + b"a" * 20_000,
    "two framings": HEAD + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two framings in other words": HEAD
    + b"TRANSFER-encoding:chunked\r\ncontent-LENGTH:0\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths in one line": HEAD + b"Content-Length: 1, 2\r\n\r\n",
    "two codings": HEAD + b"Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "a folded length": HEAD + b"Content-Length: 4\r\n 2\r\n\r\n",
    "a fold before all headers": b"POST / HTTP/1.1\r\n Host: a\r\n\r\n",
    "a bare CR in a header": HEAD + b"X: a\rContent-Length: 9\r\n\r\n",
    "a bare CR in the line": b"POST /\r HTTP/1.1\r\nHost: a\r\n\r\n",
    "a bad chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "an unknown expectation": HEAD + b"Expect: 200-maybe\r\nContent-Length: 9\r\n\r\n",
    "an unknown expectation beside the known one": HEAD + b"Expect: 100-continue, b\r\n\r\n",
    "a body far over the limit": HEAD + b"Content-Length: 99999999999\r\n\r\n",
}


@pytest.mark.parametrize("name", NO_REQUESTS)
def test_invalid_request_gets_the_envelope(own: RunningServer, name: str) -> None:
    with connect(own) as connection:
        connection.sendall(NO_REQUESTS[name])
        response = respond(connection)
        assert response.status == STATUSES.get(name, 400)
        assert response.error()["type"] == "invalid_request_error"
        assert response.headers["connection"] == "close"
        assert connection.recv(1) == b""


@pytest.mark.parametrize("key", [True, False])
def test_incomplete_chunked_body_gets_one_response(own: RunningServer, key: bool) -> None:
    """Whether what is wrong is noticed before or after the request itself was judged."""
    body = b"5\r\n" + BODY[:5] + b"\r\nzz\r\n"
    broken = request(own, b"Transfer-Encoding: chunked", key=key, body=body, declared=False)
    response = ask(own, broken)
    assert response.status in ({400} if key else {400, 401})
    response.error()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"POST /v1/completions/ HTTP/1.1", 404),
        (b"POST /v1//completions HTTP/1.1", 404),
        (b"POST //v1/completions HTTP/1.1", 404),
        (b"POST /v1/../v1/completions HTTP/1.1", 404),
        (b"POST /V1/completions HTTP/1.1", 404),
        (b"POST http://[/v1/completions/x HTTP/1.1", 404),
        (b"POST ftp://a/v1/completions HTTP/1.1", 404),
        (b"POST http://localhost HTTP/1.1", 404),
        (b"POST /" + b"a" * 8_000 + b" HTTP/1.1", 404),
        (b"POST /" + b"a" * 8_200 + b" HTTP/1.1", 414),
        (b"OPTIONS * HTTP/1.1", 404),
        (b"CONNECT localhost:1 HTTP/1.1", 404),
        (b"OPTIONS /v1/completions HTTP/1.1", 405),
        (b"PATCH /v1/completions HTTP/1.1", 405),
        (b"BREW /v1/completions HTTP/1.1", 405),
        (b"post /v1/completions HTTP/1.1", 405),
    ],
)
def test_unknown_address_gets_the_envelope(own: RunningServer, line: bytes, status: int) -> None:
    response = ask(own, request(own, line=line))
    assert response.status == status
    assert len(response.error()["message"]) < 400
    assert response.headers.get("allow") == ("POST" if status == 405 else None)


@pytest.mark.parametrize(("path", "status"), [(b"models", 200), (b"completions", 405), (b"x", 404)])
def test_head_request_gets_no_body(own: RunningServer, path: bytes, status: int) -> None:
    head = request(own, line=b"HEAD /v1/%s HTTP/1.1" % path, body=b"")
    with connect(own) as connection:
        connection.sendall(head + request(own, b"Connection: close"))
        raw = connection.makefile("rb").read()
    first, second = (part.partition(b"\r\n\r\n") for part in raw.split(b"HTTP/1.1 ")[1:])
    assert first[0].startswith(str(status).encode())
    assert first[2] == b""
    assert second[0].startswith(b"200")


def test_http_1_0_stream_ends_with_the_connection(own: RunningServer) -> None:
    body = BODY.replace(b"}", b',"stream":true}')
    with connect(own) as connection:
        connection.sendall(request(own, line=b"POST /v1/completions HTTP/1.0", body=body))
        raw = connection.makefile("rb").read()
    assert b"chunked" not in raw.lower().partition(b"\r\n\r\n")[0]
    assert raw.endswith(b"data: [DONE]\n\n")
