"""A run survives whatever a check raises, and still ends at once when it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Any

import pytest

from conformance.api import Api
from conformance.engine.runner import run
from conformance.engine.scheduling import CHECKS_PER_SLOT
from conformance.generation.threads import in_daemon_thread
from conformance.judgement import Failure
from conformance.model import Verdict
from conformance.record.events import CheckStarted
from conformance.record.line import to_line
from conformance.testing import FakeEndpoint
from tests.engine.test_runner import (
    ALL,
    ONE_BY_ONE,
    OPENAI,
    TARGET,
    a_check,
    events_of,
    findings_in,
    finished,
    passes,
)

UNFORESEEN: dict[str, Callable[[], BaseException]] = {
    "cancelled": asyncio.CancelledError,
    "exits": lambda: SystemExit(0),
    "closes": GeneratorExit,
    "group": lambda: BaseExceptionGroup("several", [asyncio.CancelledError()]),
    "memory": MemoryError,
    "recursion": RecursionError,
    "own": type("Own", (BaseException,), {}),
}


@pytest.mark.parametrize("name", UNFORESEEN)
def test_whatever_a_check_raises_is_its_error(name: str) -> None:
    async def raises(_: Api) -> None:
        raise UNFORESEEN[name]()

    events = events_of(a_check("a.one", raises), a_check("b.two", passes), options=ONE_BY_ONE)
    findings = findings_in(events)
    assert findings["a.one"].verdict is Verdict.ERROR
    assert findings["b.two"].verdict is Verdict.PASS
    assert finished(events).footer.counts["error"] == 1


def test_cancelled_child_task_is_an_error() -> None:
    async def cancels(_: Api) -> None:
        child = asyncio.ensure_future(asyncio.sleep(60))
        child.cancel()
        await child

    findings = findings_in(events_of(a_check("a.one", cancels), a_check("b.two", passes)))
    assert findings["a.one"].verdict is Verdict.ERROR
    assert findings["b.two"].verdict is Verdict.PASS


def test_check_cannot_swallow_the_end() -> None:
    ran: list[str] = []

    async def swallows(_: Api) -> None:
        ran.append("a.one")
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    async def never(_: Api) -> None:
        ran.append("b.two")

    async def stop_early() -> None:
        stuck = [a_check(f"a.{number}", swallows) for number in range(CHECKS_PER_SLOT)]
        checks = [*stuck, a_check("b.two", never)]
        events = run(TARGET, OPENAI, ONE_BY_ONE, transport=FakeEndpoint(OPENAI), checks=checks)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, CheckStarted):
                    await asyncio.sleep(0)
                    break

    started = time.monotonic()
    asyncio.run(stop_early())
    assert time.monotonic() - started < 5
    assert "a.one" in ran
    assert "b.two" not in ran


def test_thread_that_computes_delays_no_end() -> None:
    async def cancelled() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await in_daemon_thread(time.sleep, 3)

    started = time.monotonic()
    asyncio.run(cancelled())
    assert time.monotonic() - started < 2


def test_daemon_thread_returns_and_raises() -> None:
    assert asyncio.run(in_daemon_thread(int, "12")) == 12
    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(in_daemon_thread(int, "twelve"))


@pytest.mark.parametrize(
    "sent",
    ["word " * 50_000, "\x01" * 100_000, "字" * 100_000, "\ud800" * 50_000, "\u2028" * 9_999],
)
def test_finding_holds_few_kilobytes(sent: str) -> None:
    async def quotes(_: Api) -> None:
        raise Failure(f"not {sent}", sent)

    finding = findings_in(events_of(a_check("a.one", quotes)))["a.one"]
    assert len(to_line("finding", finding)) < 20_000
    assert len(finding.message) <= 1_000
    assert finding.seen is not None
    assert finding.seen.endswith("…")


def test_ordinary_finding_is_not_cut() -> None:
    async def fails(_: Api) -> Any:
        raise Failure("a" * 400, "b" * 400)

    finding = findings_in(events_of(a_check("a.one", fails), options=ALL))["a.one"]
    assert finding.expected == "a" * 400
    assert finding.seen == "b" * 400
