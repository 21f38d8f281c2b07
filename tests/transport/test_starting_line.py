"""Requests of a burst begin at once."""

from __future__ import annotations

import asyncio

from conformance.transport import starting_line
from conformance.transport.starting_line import StartingLine, at_once, current_line


async def _sent(line: StartingLine, body: bytes, events: list[str]) -> bytes:
    received = b""
    async for part in line.held(body):
        received += part
        events.append(f"{body[:1].decode()}{len(part)}")
    return received


def test_last_bytes_wait_for_all_requests() -> None:
    events: list[str] = []

    async def send() -> list[bytes]:
        line = StartingLine(2)
        late = asyncio.ensure_future(_sent(line, b"abc", events))
        await asyncio.sleep(0.01)
        assert events == ["a2"]
        return list(await asyncio.gather(late, _sent(line, b"xyz", events)))

    assert asyncio.run(send()) == [b"abc", b"xyz"]
    assert events == ["a2", "x2", "a1", "x1"]


def test_a_missing_request_delays_the_others_briefly() -> None:
    async def send() -> bytes:
        return await asyncio.wait_for(_sent(StartingLine(3), b"abc", []), 5)

    assert starting_line.MAX_WAIT_SECONDS < 5
    assert asyncio.run(send()) == b"abc"


def test_only_requests_of_the_block_wait() -> None:
    with at_once(2):
        assert current_line.get() is not None
    assert current_line.get() is None
    with at_once(1):
        assert current_line.get() is None
