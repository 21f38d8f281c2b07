"""Clients that cost much for few bytes: each is bounded, and others are served meanwhile."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.reference_server.api import MODEL
from tests.reference_server.raw_http import BODY, chunked, connect, request, respond
from tests.servers import RunningServer, running_server

CHUNKED = b"Transfer-Encoding: chunked"
MOST_SECONDS = 1.0
"""Seconds that another client's request may take meanwhile; unbounded attacks took 2 to 9."""


@pytest.fixture(scope="module")
def own() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


def in_chunks(server: RunningServer, body: bytes) -> bytes:
    return request(server, CHUNKED, body=body, declared=False)


def list_of(item: bytes, count: int) -> bytes:
    return b'{"model":"%s","prompt":[%s]}' % (MODEL.encode(), b",".join([item] * count))


ATTACKS: dict[str, tuple[Callable[[RunningServer], bytes], int]] = {
    "tiny chunks": (lambda s: in_chunks(s, b"1\r\n \r\n" * 300_000), 400),
    "chunk extensions": (lambda s: in_chunks(s, (b"1;" + b"a" * 8_000 + b"\r\n \r\n") * 200), 400),
    "trailers": (lambda s: in_chunks(s, chunked(BODY)[:-2] + b"a: b\r\n" * 100_000), 431),
    "short header lines": (lambda s: request(s, *[b"a:"] * 100_000), 431),
    "long header lines": (lambda s: request(s, *[b"a: " + b"b" * 1_000] * 300), 431),
    "many numbers": (lambda s: request(s, body=list_of(b"1", 4_000_000)), 400),
    "many objects": (lambda s: request(s, body=list_of(b"{}", 2_700_000)), 400),
    "many strings": (lambda s: request(s, body=list_of(b'"a"', 2_000_000)), 400),
    "one long text": (lambda s: request(s, body=list_of(b'"' + b"a " * 4_000_000 + b'"', 1)), 400),
    "many texts": (lambda s: request(s, body=list_of(b'"' + b" a" * 2_000 + b'"', 2_000)), 400),
    "a long suffix": (
        lambda s: request(s, body=BODY.replace(b"}", b',"suffix":"' + b"a " * 4_000_000 + b'"}')),
        400,
    ),
    "pipelined": (
        lambda s: request(s, line=b"GET /v1/models HTTP/1.1", body=b"") * 1_000,
        200,
    ),
}


def attacked(server: RunningServer, data: bytes) -> int:
    """The status of the response to bytes whose sending may be cut short."""
    with connect(server) as connection:
        # The server may have closed its side, and its response is still to be read.
        with suppress(OSError):
            connection.sendall(data)
        return respond(connection).status


class Honest:
    """Another client, which asks again and again; ``worst`` is its longest wait in seconds."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.worst = 0.0

    def __enter__(self) -> "Honest":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        with httpx.Client(headers=self._server.headers, timeout=30) as client:
            while not self._over.wait(0.01):
                began = time.monotonic()
                client.get(f"{self._server.base_url}/models").raise_for_status()
                self.worst = max(self.worst, time.monotonic() - began)


@pytest.mark.parametrize("name", ATTACKS)
def test_expensive_request_delays_nobody(own: RunningServer, name: str) -> None:
    make, status = ATTACKS[name]
    data = make(own)
    with Honest(own) as honest:
        assert attacked(own, data) == status
    assert honest.worst < MOST_SECONDS


def test_sixteen_attackers_beside_one_honest_client(own: RunningServer) -> None:
    made = [make(own) for make, _ in ATTACKS.values()]
    with Honest(own) as honest:
        attackers = [
            threading.Thread(target=attacked, args=(own, made[i % len(made)])) for i in range(16)
        ]
        for thread in attackers:
            thread.start()
        for thread in attackers:
            thread.join()
    assert honest.worst < MOST_SECONDS


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux only")
@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.exhaustive)])
def test_memory_after_attacks_is_bounded(rounds: int) -> None:
    """The C library keeps freed memory to use it again, so it grows once, not with each attack.

    (glibc's mallopt(3): the thresholds of mmap and of trimming follow the largest block freed.)
    """
    names = ("one long text", "many objects", "tiny chunks", "chunk extensions")
    with running_server() as server:
        made = [ATTACKS[name][0](server) for name in names]
        # Just below the limit of values, which is the most that a body can take.
        made.append(request(server, body=list_of(b"{}", 240_000)))
        made.append(ATTACKS["many texts"][0](server))
        before = resident_megabytes(server)
        after = []
        for _ in range(rounds):
            for data in made:
                attacked(server, data)
            after.append(resident_megabytes(server))
        assert max(after[1:]) - after[1] < 32, after
        assert max(after) - before < 128, after


def resident_megabytes(server: RunningServer) -> int:
    lines = Path(f"/proc/{server.process.pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024


def test_chunks_of_usual_sizes_are_accepted(own: RunningServer) -> None:
    small = [BODY[i : i + 1] for i in range(len(BODY))]
    text = b'"' + b"word " * 20_000 + b'"'
    long = list_of(text, 1)
    large = [long[i : i + 300] for i in range(0, len(long), 300)]
    assert attacked(own, in_chunks(own, chunked(*small))) == 200
    with connect(own) as connection:
        connection.sendall(in_chunks(own, chunked(*large)))
        assert "maximum context length" in respond(connection).error()["message"]


@pytest.mark.parametrize("size", [12_000_000, 60_000_000])
def test_large_body_is_read_and_refused(own: RunningServer, size: int) -> None:
    assert attacked(own, request(own, body=b" " * size)) == 413


def test_endless_body_is_cut_off(own: RunningServer) -> None:
    """Also after its response, which another error has made early."""
    chunk = b"%x\r\n%s\r\n" % (2**20, b" " * 2**20)
    head = request(own, CHUNKED, body=b"", declared=False, key=False)
    sent = 0
    with connect(own) as connection, suppress(OSError):
        connection.sendall(head)
        for _ in range(1_000):
            connection.sendall(chunk)
            sent += len(chunk)
    assert sent < 100 * 2**20


def test_half_closed_connection_is_closed(own: RunningServer) -> None:
    for data in (b"", b"POST /v1/comp", request(own)[:-5], request(own)):
        with connect(own) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            began = time.monotonic()
            while connection.recv(65_536):
                pass
            assert time.monotonic() - began < 5


def test_refused_request_ends_the_connection(own: RunningServer) -> None:
    """What follows it may be the attacker's, and is not read as a request."""
    smuggled = request(own, line=b"GET /v1/models HTTP/1.1", body=b"")
    both = request(own, CHUNKED, body=chunked() + smuggled)
    with connect(own) as connection:
        connection.sendall(both)
        raw = connection.makefile("rb").read()
    assert raw.count(b"HTTP/1.1 ") == 1
    assert raw.startswith(b"HTTP/1.1 400 ")
