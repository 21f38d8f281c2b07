"""The reference is requested last, at a separate cost, and its errors do not end a run."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.api import Api
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.engine.comparison import Reference, ReferenceMissingError
from conformance.engine.comparison import reference as comparison_reference
from conformance.engine.runner import Options, run
from conformance.judgement import Failure
from conformance.language import same
from conformance.model import Exchange, Limits, Request, Target, Tier
from conformance.record.events import (
    ExchangeMade,
    FindingMade,
    ReferenceAnswered,
    ReferenceMissing,
    RunEvent,
    RunFinished,
    RunStarted,
)
from conformance.record.ndjson import RunWriter, read_run
from conformance.testing import FakeEndpoint
from tests.transport.loopback import reset, respond, serving

OPENAI = load_contract("openai")
THEIR_KEY = "sk-theirs-that-must-not-show"
OUR_KEY = "sk-ours-that-must-not-show"
TARGET = Target("http://fake/v1", "fake-model", "openai", THEIR_KEY)
DEFAULTS = Options()
OURS = Target("http://reference/v1", "our-model", "openai", OUR_KEY)


async def passes(api: Api) -> None:
    (await api.complete(prompt="1, 2,", max_tokens=1)).expect_ok()


async def deviates(api: Api) -> None:
    for limit in (2, 3):
        response = await api.complete(prompt="1, 2,", max_tokens=limit)
    raise Failure("another text", str(response.exchange.status))


def a_check(check_id: str, run_it: Callable[[Api], Any]) -> Check:
    return Check(check_id, "stop.string", Tier.SMOKE, "It holds.", "成立。", (), run_it)


GOOD = a_check("a.good", passes)
BAD = a_check("b.bad", deviates)


@contextmanager
def opened(target: Target = OURS) -> Iterator[Target]:
    yield target


def fake_reference(**more: Any) -> tuple[Reference, FakeEndpoint]:
    endpoint = FakeEndpoint(OPENAI, OURS.model)
    return Reference("bundled", opened, sender=endpoint.send, **more), endpoint


def events_of(
    *checks: Check, reference: Reference | None, options: Options = DEFAULTS
) -> list[RunEvent]:
    async def collect() -> list[RunEvent]:
        endpoint = FakeEndpoint(OPENAI)
        stream = run(
            TARGET, OPENAI, options, transport=endpoint, checks=checks, reference=reference
        )
        return [event async for event in stream]

    return asyncio.run(collect())


def answered(events: list[RunEvent]) -> list[ReferenceAnswered]:
    return [event for event in events if isinstance(event, ReferenceAnswered)]


def missing(events: list[RunEvent]) -> list[str]:
    return [event.because.en for event in events if isinstance(event, ReferenceMissing)]


def footer_of(events: list[RunEvent]) -> Any:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last.footer


def test_reference_gets_the_failing_requests_with_its_model() -> None:
    reference, endpoint = fake_reference()
    events = events_of(GOOD, BAD, reference=reference)
    shown = next(e.finding for e in events if isinstance(e, FindingMade) and e.finding.id == BAD.id)
    result = answered(events)
    assert [event.comparison.exchange for event in result] == list(shown.exchanges)
    for event in result:
        assert event.comparison.answer.status == 200
    made = {e.exchange.id: e.exchange for e in events if isinstance(e, ExchangeMade)}
    for event, request in zip(result, endpoint.requests, strict=True):
        theirs = json.loads(made[event.comparison.exchange].request.body)
        assert json.loads(request.body) == {**theirs, "model": "our-model"}
    assert [event.comparison.answer.id for event in result] == ["r0001", "r0002"]


def test_reference_is_requested_before_the_footer() -> None:
    reference, _ = fake_reference()
    kinds = [type(event) for event in events_of(BAD, GOOD, reference=reference)]
    first = kinds.index(ReferenceAnswered)
    assert set(kinds[first:-1]) == {ReferenceAnswered}
    assert kinds[-1] is RunFinished


def test_reference_changes_neither_verdict_nor_usage() -> None:
    reference, _ = fake_reference()
    alone = footer_of(events_of(GOOD, BAD, reference=None))
    compared = footer_of(events_of(GOOD, BAD, reference=reference))
    assert compared.conclusion == alone.conclusion
    assert compared.counts == alone.counts
    assert compared.cost == alone.cost
    assert alone.reference_cost is None
    assert compared.reference_cost.requests == 2
    assert compared.reference_cost.completion_tokens == 5


def test_header_names_the_reference() -> None:
    reference, _ = fake_reference()
    for request, name in ((reference, "bundled"), (None, None)):
        started = events_of(GOOD, reference=request)[0]
        assert isinstance(started, RunStarted)
        assert started.header.reference == name


def test_reference_is_not_opened_without_failures() -> None:
    def never() -> AbstractContextManager[Target]:
        raise AssertionError("nothing is to be compared")

    events = events_of(GOOD, reference=Reference("bundled", never))
    assert not answered(events)
    assert footer_of(events).reference_cost is None


def test_unavailable_reference_does_not_end_the_run() -> None:
    @contextmanager
    def broken() -> Iterator[Target]:
        raise ReferenceMissingError(same("it is not installed"))
        yield OURS

    events = events_of(GOOD, BAD, reference=Reference("bundled", broken))
    assert missing(events) == ["it is not installed"]
    assert footer_of(events).counts == footer_of(events_of(GOOD, BAD, reference=None)).counts
    assert footer_of(events).reference_cost is None


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "the reference server returned status 401: check its URL, model and key"),
        (404, "the reference server returned status 404: check its URL, model and key"),
        (302, "the reference server returned status 302: check its URL, model and key"),
        (None, "the reference server does not respond: gone"),
    ],
)
def test_reference_that_rejects_the_key_is_requested_once(
    status: int | None, sentence: str
) -> None:
    body: list[Request] = []

    async def send(request: Request) -> Exchange:
        body.append(request)
        return Exchange("x0001", request, (), status, (), b"", (), 0.1, None if status else "gone")

    events = events_of(BAD, reference=Reference("http://reference/v1", opened, sender=send))
    assert missing(events) == [sentence]
    assert len(body) == 1
    assert not answered(events)


def test_missing_response_is_no_comparison() -> None:
    conforming = FakeEndpoint(OPENAI, OURS.model)

    async def send(request: Request) -> Exchange:
        came = await conforming.send(request)
        return came if len(conforming.requests) == 1 else replace(came, status=None, fault="gone")

    events = events_of(BAD, reference=Reference("http://reference/v1", opened, sender=send))
    assert len(conforming.requests) == 2
    assert len(answered(events)) == 1
    assert not missing(events)


def test_reference_cost_is_limited_by_the_run() -> None:
    reference, endpoint = fake_reference()

    async def many(api: Api) -> None:
        for limit in (1, 2, 3):
            await api.complete(prompt="1", max_tokens=limit)
        raise Failure("a", "b")

    # The request that every run begins with is the fourth.
    options = Options(limits=Limits(requests=4, tokens=1_000))
    two = [a_check(f"b.{number}", many) for number in range(2)]
    events = events_of(*two, reference=reference, options=options)
    assert len(endpoint.requests) == 3
    assert footer_of(events).reference_cost.requests == 3


def test_hanging_reference_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(request: Request) -> Exchange:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(comparison_reference, "TIMEOUT_SECONDS", 0.01)
    events = events_of(BAD, reference=Reference("http://reference/v1", opened, sender=send))
    assert missing(events) == ["the reference server did not finish within 0 seconds"]
    assert isinstance(events[-1], RunFinished)


def test_late_reference_is_stopped_after_cancellation() -> None:
    begun, go_on = threading.Event(), threading.Event()
    stopped: list[bool] = []

    @contextmanager
    def slow() -> Iterator[Target]:
        begun.set()
        go_on.wait(30)
        yield OURS
        stopped.append(True)

    async def leave_early() -> None:
        async def judge() -> None:
            stream = run(
                TARGET,
                OPENAI,
                Options(),
                transport=FakeEndpoint(OPENAI),
                checks=[BAD],
                reference=Reference("bundled", slow),
            )
            async for _ in stream:
                pass

        judging = asyncio.create_task(judge())
        await asyncio.to_thread(begun.wait, 30)
        judging.cancel()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await judging

    asyncio.run(leave_early())
    assert stopped == [True]


def test_each_endpoint_gets_only_its_key(tmp_path: Path) -> None:
    """A gateway in front of the reference may well show the reference's key, and the other way."""
    talking = {"error": {"message": f"{THEIR_KEY} is not {OUR_KEY}", "type": "x"}}
    completion = {
        "id": "c",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"text": f"{THEIR_KEY} {OUR_KEY}", "index": 0, "finish_reason": "stop"}],
    }

    async def judge() -> tuple[list[bytes], list[bytes]]:
        leak = respond(completion, "200 OK", f"X-Upstream: {OUR_KEY} {THEIR_KEY}")
        async with (
            serving(leak, respond(talking, "400 Bad Request")) as theirs,
            serving(leak, respond(talking, "400 Bad Request")) as ours,
        ):
            target = replace(TARGET, base_url=theirs.base_url)
            other = replace(OURS, base_url=ours.base_url)
            reference = Reference(ours.base_url, lambda: opened(other), secrets=(OUR_KEY,))
            with RunWriter(tmp_path / "run.ndjson") as writer:
                stream = run(target, OPENAI, Options(), checks=[BAD], reference=reference)
                async for event in stream:
                    writer.write(event)
            return theirs.requests, ours.requests

    to_theirs, to_ours = asyncio.run(judge())
    assert len(read_run(tmp_path / "run.ndjson").comparisons) == 2
    record = (tmp_path / "run.ndjson").read_text("utf-8")
    assert THEIR_KEY not in record
    assert OUR_KEY not in record
    assert to_theirs
    assert all(f"Bearer {THEIR_KEY}".encode() in sent for sent in to_theirs)
    assert to_ours
    assert all(f"Bearer {OUR_KEY}".encode() in sent for sent in to_ours)
    assert not any(THEIR_KEY.encode() in sent for sent in to_ours)
    assert not any(OUR_KEY.encode() in sent for sent in to_theirs)


def test_reference_transport_error_is_reported(tmp_path: Path) -> None:
    async def judge() -> list[RunEvent]:
        async with serving(reset) as ours:
            other = replace(OURS, base_url=ours.base_url)
            stream = run(
                TARGET,
                OPENAI,
                Options(limits=Limits(requests=1, tokens=1_000)),
                transport=FakeEndpoint(OPENAI),
                checks=[a_check("b.bad", deviates_at_once)],
                reference=Reference(ours.base_url, lambda: opened(other)),
            )
            return [event async for event in stream]

    (reason,) = missing(asyncio.run(judge()))
    assert reason.startswith("the reference server does not respond: ")


async def deviates_at_once(api: Api) -> None:
    """Repeat what every run begins with, so that one request is enough."""
    await api.complete(prompt="1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,", max_tokens=1, temperature=0)
    raise Failure("a", "b")
