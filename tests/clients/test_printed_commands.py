"""What a printed command sends is what the run sent, byte for byte, in any shell."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil

import httpx
import pytest

from conformance.model import Credentials, Request, Target
from conformance.report.curl import curl
from conformance.report.repetition import MAX_UNIT_CHARS
from conformance.report.snippet import snippet
from conformance.transport.client import Client
from tests.checks.catalogue import CHECKS
from tests.fake_server import FakeServer, findings_of
from tests.lanes import exhaustive
from tests.report.hostile import ATTACKS
from tests.report.test_snippet import BASE, sent_by
from tests.report.test_snippet import KEY as KEY_VARIABLE
from tests.transport.loopback import respond, serving

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")

KEY, GATEWAY_KEY = "sk-of-the-run", "gk-$(id)'\"!"
VARIABLES = {"RUN_KEY": KEY, "GATEWAY_KEY": GATEWAY_KEY, "NO_PROXY": "*"}
SHOWN = {"X-Gateway": "$GATEWAY_KEY", "X-Tenant": "a 'b' $RUN_KEY `id`!"}
HEADERS = (("X-Gateway", GATEWAY_KEY), ("X-Tenant", SHOWN["X-Tenant"]))
OF_THE_CLIENT = frozenset({b"accept", b"accept-encoding", b"connection", b"host", b"user-agent"})
"""Headers that every client sets in its own way."""

MIN_REQUESTS = 200
"""A deep run sends more different requests."""

POST = ("POST", "/completions")
PROMPT = 'it\'s 一二三 🍎 "quoted" $(touch pwned) `id` !x \\ \\n %s %% \r\n\t\0'
REQUESTS = {
    "text": Request(*POST, json.dumps({"prompt": PROMPT}, ensure_ascii=False).encode()),
    "ascii": Request(*POST, json.dumps({"prompt": PROMPT}).encode()),
    "pretty": Request(*POST, json.dumps({"prompt": PROMPT}, indent=2).encode()),
    "unescaped": Request(*POST, f'{{"prompt": "{PROMPT}"}}'.encode()),
    "lone bytes": Request(*POST, b'{"prompt": "\xff\xc3\x28\x00"}'),
    "no JSON": Request(*POST, b"--data @/etc/passwd; {"),
    "a file": Request(*POST, b"@/etc/passwd"),
    "an option": Request(*POST, b"-n \x00"),
    "only NUL": Request(*POST, b"\x00\x00"),
    "line ends": Request(*POST, b"\n\nEOF\n"),
    "empty": Request(*POST),
    "long": Request(*POST, json.dumps({"prompt": " 1" * 70_000}).encode()),
    "wrong key": Request(*POST, b"{}", credentials=Credentials.WRONG),
    "no key": Request(*POST, b"{}", credentials=Credentials.NONE),
    "own headers": Request(*POST, b"a=b", headers=(("content-type", "text/plain; x='y'"),)),
    "another method": Request("DELETE", "/models/a b"),
    "a listing": Request("GET", "/models"),
    "batch": Request(*POST, json.dumps({"prompt": list(ATTACKS.values())}).encode()),
}


async def sent_by_both(request: Request, shell: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Send a request as the run does and by its command; return what arrived both times."""
    async with serving(respond({})) as loopback:
        base_url = f"{loopback.base_url}?api-version=2024"
        target = Target(base_url, "m", "openai", KEY, headers=HEADERS)
        async with Client(target, may_retry=lambda: False) as client:
            await client.send(request)
        command = curl(request, base_url, "RUN_KEY", SHOWN)
        assert command is not None
        assert KEY not in command
        assert GATEWAY_KEY not in command
        process = await asyncio.create_subprocess_exec(
            *(shell, "-c", command),
            env={**os.environ, **VARIABLES},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate()
    assert printed.startswith(b"HTTP/1.1 200 OK")
    return [arrived(raw) for raw in loopback.requests]


def arrived(raw: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the request line and the body, and the headers that matter."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(b":") for x in lines)}
    kept = {name: value for name, value in headers.items() if name not in OF_THE_CLIENT}
    return first + b"\r\n" + body, kept


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_command_sends_the_same_request(request_: Request, shell: str) -> None:
    run, command = asyncio.run(sent_by_both(request_, shell))
    assert command == run


def requests_of_a_deep_run() -> list[Request]:
    server = FakeServer()
    asyncio.run(findings_of(server, CHECKS.values()))
    return list(dict.fromkeys(server.requests))


@exhaustive
def test_every_request_of_a_run_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = requests_of_a_deep_run()
    assert len(requests) > MIN_REQUESTS
    snippets = 0
    for request in requests:
        run, command = asyncio.run(sent_by_both(request, "bash"))
        assert command == run
        code = snippet(request, BASE, KEY_VARIABLE)
        if code is not None:
            snippets += 1
            sent = sent_by(code, monkeypatch, httpx.Response(400, json={"error": {}}))
            assert json.loads(sent.content) == json.loads(request.body)
    assert snippets > MIN_REQUESTS / 2


@exhaustive
def test_any_bytes_are_sent_unchanged() -> None:
    rng = random.Random(0)
    alphabet = [*(bytes([n]) for n in range(256)), *(text.encode() for text in "一🍎\u202e\u0301")]
    for size in range(1, 120):
        body = b"".join(rng.choices(alphabet, k=size))
        # Longer parts are not found to be repeated.
        body *= rng.choice((1, 300)) if len(body) <= MAX_UNIT_CHARS else 1
        run, command = asyncio.run(sent_by_both(Request(*POST, body), "bash"))
        assert command == run
