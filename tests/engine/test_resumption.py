"""An interrupted run is continued: what is recorded is not sent again, and the end is the same."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from conformance.contract import load_contract
from conformance.engine.replay import rejudge
from conformance.engine.resumption import (
    NOTHING_EARLIER,
    Earlier,
    RecordedFirst,
    UndatedRunError,
    earlier_of,
    has_ended,
    is_open,
)
from conformance.engine.runner import Options, run
from conformance.model import (
    Attempt,
    Conclusion,
    Exchange,
    Request,
    Resumption,
    Run,
    Target,
    Tier,
    Verdict,
)
from conformance.record.events import ExchangeMade
from conformance.record.line import SCHEMA
from conformance.record.ndjson import RunWriter, read_run
from conformance.record.resumed import ResumedWriter
from conformance.transport.starting_line import at_once
from tests.fake_server import KEY, MODEL, FakeServer
from tests.lanes import by_default
from tests.report.builders import a_failure, a_finding, a_run, an_exchange

OPENAI = load_contract("openai")
TARGET = Target("http://fake/v1", MODEL, "openai", KEY)
STANDARD = Options()


class Counting:
    """An endpoint that keeps what it is sent."""

    def __init__(self, fault: str = "none") -> None:
        self._server = FakeServer(fault)
        self.requests: list[Request] = []

    def renewed(self) -> Counting:
        """Return the same endpoint for the next process, and count anew."""
        other = Counting()
        other._server = self._server
        return other

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        self.requests.append(request)
        return await self._server.send(request, fresh=fresh)


def made(
    path: Path,
    endpoint: Counting,
    options: Options = STANDARD,
    earlier: Earlier = NOTHING_EARLIER,
    *,
    after: int | None = None,
) -> Run:
    """Run against an endpoint, to the end or until so many exchanges are recorded; read it."""

    async def record() -> None:
        exchanges = 0
        writer = ResumedWriter(path, earlier.exchanges) if earlier.header else RunWriter(path)
        with writer:
            async for event in run(
                TARGET, OPENAI, options, transport=endpoint, earlier=earlier, is_live=False
            ):
                writer.write(event)
                exchanges += isinstance(event, ExchangeMade)
                if exchanges == after:
                    return

    asyncio.run(record())
    return read_run(path)


def verdicts(run: Run) -> dict[str, Verdict]:
    return {finding.id: finding.verdict for finding in run.findings}


@pytest.mark.parametrize("fault", by_default(["stop-included"], ["none", "stop-included"]))
@pytest.mark.parametrize("after", by_default([60], [1, 7, 30, 60, 90]))
def test_resumed_run_finds_the_same(fault: str, after: int, tmp_path: Path) -> None:
    quiet = made(tmp_path / "quiet.ndjson", Counting(fault))
    first = Counting(fault)
    broken = made(tmp_path / "run.ndjson", first, after=after)
    assert broken.footer is None
    second = first.renewed()
    whole = made(tmp_path / "run.ndjson", second, earlier=earlier_of(broken, OPENAI))
    assert verdicts(whole) == verdicts(quiet)
    assert whole.conclusion == quiet.conclusion
    (part,) = whole.header.resumed
    assert part.exchanges == len(broken.exchanges)
    assert whole.header.started_at == broken.header.started_at
    # In flight when it was interrupted, and so not recorded.
    lost = len(first.requests) - len(broken.exchanges)
    assert len(first.requests) + len(second.requests) == quiet.footer.cost.requests + lost


def test_resumed_record_is_judged_again_alike(tmp_path: Path) -> None:
    first = Counting("stop-included")
    broken = made(tmp_path / "run.ndjson", first, after=40)
    whole = made(tmp_path / "run.ndjson", first.renewed(), earlier=earlier_of(broken, OPENAI))
    assert verdicts(rejudge(whole, OPENAI)) == verdicts(whole)


def test_run_is_taken_up_more_than_once(tmp_path: Path) -> None:
    smoke = Options(Tier.SMOKE)
    quiet = made(tmp_path / "quiet.ndjson", Counting(), smoke)
    endpoint, record = Counting(), tmp_path / "run.ndjson"
    run = made(record, endpoint, smoke, after=5)
    for after in (12, None):
        endpoint = endpoint.renewed()
        run = made(record, endpoint, smoke, earlier_of(run, OPENAI), after=after)
    assert verdicts(run) == verdicts(quiet)
    first, second = run.header.resumed
    assert first.exchanges < second.exchanges
    assert len({exchange.id for exchange in run.exchanges}) == len(run.exchanges)
    assert run.footer.cost == quiet.footer.cost
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    for line in record.read_text("utf-8").splitlines():
        validator.validate(json.loads(line))


def test_nothing_is_sent_for_recorded_answers(tmp_path: Path) -> None:
    smoke, record = Options(Tier.SMOKE), tmp_path / "run.ndjson"
    quiet = made(record, Counting(), smoke)
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join(lines[:-1]))
    again = Counting()
    whole = made(record, again, smoke, earlier_of(read_run(record), OPENAI))
    assert again.requests == []
    assert verdicts(whole) == verdicts(quiet)
    assert whole.footer.cost == quiet.footer.cost


def test_record_cut_in_a_line_is_taken_up(tmp_path: Path) -> None:
    smoke, record, endpoint = Options(Tier.SMOKE), tmp_path / "run.ndjson", Counting()
    quiet = made(record, endpoint, smoke)
    *_, middle, _ = [line for line in record.read_bytes().splitlines() if b'"exchange"' in line]
    whole_lines, _, _ = record.read_bytes().partition(middle)
    record.write_bytes(whole_lines + middle[: len(middle) // 2])
    whole = made(record, endpoint.renewed(), smoke, earlier_of(read_run(record), OPENAI))
    assert verdicts(whole) == verdicts(quiet)


class Unreliable(Counting):
    """An endpoint that answers 429 to requests with `stop`."""

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        exchange = await super().send(request, fresh=fresh)
        return replace(exchange, status=429) if b'"stop"' in request.body else exchange


def test_inconclusive_checks_are_repeated_alone(tmp_path: Path) -> None:
    smoke, record, endpoint = Options(Tier.SMOKE), tmp_path / "run.ndjson", Unreliable()
    quiet = made(tmp_path / "quiet.ndjson", Counting(), smoke)
    first = made(record, endpoint, smoke)
    assert has_ended(first)
    assert is_open(first)
    again = endpoint.renewed()
    whole = made(record, again, smoke, earlier_of(first, OPENAI, repeat=True))
    assert verdicts(whole) == verdicts(quiet)
    assert not is_open(whole)
    assert 0 < len(again.requests) < len(quiet.exchanges) / 2
    assert all(b'"stop"' in request.body for request in again.requests)
    assert whole.footer.cost.requests == first.footer.cost.requests + len(again.requests)


def a_record(*findings, exchanges=(), **more) -> Run:
    return a_run(*findings, exchanges=tuple(exchanges), **more)


def taken_from(run: Run, *, repeat: bool = False) -> set[str]:
    return {exchange.id for exchange in earlier_of(run, OPENAI, repeat=repeat).exchanges}


def test_missing_answers_are_asked_again_unless_judged() -> None:
    exchanges = [
        an_exchange("x0001"),
        an_exchange("x0002", status=None),
        an_exchange("x0003", status=429),
        an_exchange("x0004", status=None),
        an_exchange("x0005", status=500),
    ]
    judged = a_failure(exchanges=("x0004",))
    assert taken_from(a_record(judged, exchanges=exchanges, incomplete=True)) == {
        "x0001",
        "x0004",
        "x0005",
    }


def test_answer_that_ended_a_run_is_left() -> None:
    reason = "since request x0002, 0.8 s into the run, the endpoint answers 402 (quota): pay"
    found = a_finding(verdict="inconclusive", message=reason, exchanges=("x0001", "x0002"))
    exchanges = (an_exchange("x0001"), an_exchange("x0002", status=402))
    run = a_record(found, exchanges=exchanges, reason=reason, conclusion=Conclusion.UNDECIDED)
    assert not has_ended(run)
    assert taken_from(run) == {"x0001"}


def test_failed_preflight_hands_nothing_on() -> None:
    run = a_record(
        exchanges=(an_exchange("x0001", status=401),),
        reason="the key was rejected",
        conclusion=Conclusion.UNDECIDED,
    )
    earlier = earlier_of(run, OPENAI)
    assert earlier.exchanges == ()
    assert earlier.last_number == 1
    assert earlier.spent == earlier.unrecorded == run.footer.cost


def test_stopped_run_has_ended() -> None:
    run = a_record(a_failure(), reason="the run was to end at 1 failures")
    stopped = replace(run, footer=replace(run.footer, is_stopped=True))
    assert has_ended(stopped)
    assert not has_ended(a_record(a_failure(), incomplete=True))


@pytest.mark.parametrize(("known", "is_sent"), [(True, False), (False, True)])
def test_half_a_burst_is_sent_anew(known: bool, is_sent: bool) -> None:
    exchanges = (an_exchange("x0001"), an_exchange("x0002"))
    finished = [a_finding("isolation.burst", exchanges=("x0001", "x0002"))] if known else []
    earlier = earlier_of(a_record(*finished, exchanges=exchanges, incomplete=True), OPENAI)
    recorded, sent = RecordedFirst(earlier), []

    async def send(request: Request) -> Exchange:
        sent.append(request)
        return an_exchange("x0003")

    async def burst() -> None:
        recorded.begin_burst("isolation.burst")
        with at_once(2):
            await recorded.around(send)(exchanges[0].request)

    asyncio.run(burst())
    assert bool(sent) is is_sent


def test_clock_of_a_recorded_answer_is_the_record() -> None:
    run = a_record(exchanges=(an_exchange("x0001"),), incomplete=True)
    recorded = RecordedFirst(earlier_of(run, OPENAI))
    made_so_far: list[Exchange] = []
    clock = recorded.clock_of(made_so_far, lambda: 5.0)
    assert clock() == 5.0
    made_so_far.append(run.exchanges[0])
    began = datetime.fromisoformat(run.header.started_at).timestamp()
    assert clock() == pytest.approx(began + 0.75)
    made_so_far.append(an_exchange("x0002"))
    assert clock() == 5.0


def test_times_go_on_from_the_start() -> None:
    run = a_record(exchanges=(an_exchange("x0007"),), incomplete=True)
    began = datetime.fromisoformat(run.header.started_at).astimezone(UTC)
    earlier = earlier_of(run, OPENAI, at=began + timedelta(hours=1))
    assert (earlier.began, earlier.elapsed, earlier.last_number) == (3600.0, 0.75, 7)
    before = earlier_of(run, OPENAI, at=began - timedelta(hours=1))  # the clock was set back
    assert before.began == 0.75


def test_elapsed_leaves_out_the_break() -> None:
    run = a_record(exchanges=(an_exchange("x0001"),), incomplete=True)
    part = Resumption("2026-12-02T00:00:00+00:00", began=86_400.0, exchanges=1, elapsed=2.0)
    late = an_exchange("x0002", attempts=(Attempt(86_403.0, 1.0, 200, None),))
    resumed = replace(
        run,
        header=replace(run.header, resumed=(part,)),
        exchanges=(*run.exchanges, late),
    )
    assert resumed.elapsed == 6.0


def test_cost_of_what_is_dropped_is_kept() -> None:
    exchanges = (an_exchange("x0001"), an_exchange("x0002", status=None))
    earlier = earlier_of(a_record(exchanges=exchanges, incomplete=True), OPENAI)
    assert earlier.spent.requests == 2
    assert earlier.unrecorded.requests == 1
    assert earlier.unrecorded.estimated_tokens > 0


def test_undated_record_is_refused() -> None:
    with pytest.raises(UndatedRunError, match="not a valid start time"):
        earlier_of(a_record(incomplete=True, started_at="yesterday"), OPENAI)
    with pytest.raises(UndatedRunError, match="too long ago"):
        earlier_of(a_record(incomplete=True, started_at="1970-01-01T00:00:07+00:00"), OPENAI)
