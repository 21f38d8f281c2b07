"""A record is judged again without a network, from the record alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance import __version__
from conformance.contract import load_contract
from conformance.engine import replay as rejudging
from conformance.engine.discovery import all_checks
from conformance.engine.replay import NO_RESPONSE, rejudge
from conformance.engine.runner import Options, run
from conformance.model import (
    Conclusion,
    Exchange,
    Finding,
    Limits,
    Request,
    Run,
    Target,
    Tier,
    Verdict,
)
from conformance.record.ndjson import RunWriter, read_run
from conformance.testing import FakeEndpoint
from tests.lanes import by_default

OPENAI = load_contract("openai")
MODEL = "fake-model"
KEY = "sk-a-key-that-must-not-show"
STANDARD = Options()
GREEDY = "temperature.zero-repeats"
"""Asks the same twice: once for everybody, once for itself."""


def recorded(
    path: Path,
    endpoint: Any = None,
    options: Options = STANDARD,
    contract: str = "openai",
    key: str | None = KEY,
) -> Run:
    """Make a run and read its record."""
    held = load_contract(contract)
    target = Target("http://fake/v1", MODEL, contract, key)

    async def record() -> None:
        with RunWriter(path) as writer:
            async for event in run(target, held, options, transport=endpoint or FakeEndpoint(held)):
                writer.write(event)

    asyncio.run(record())
    return read_run(path)


class Relay:
    """The fake endpoint behind a function that changes its responses."""

    def __init__(self, change: Callable[[int, Exchange], Exchange]) -> None:
        self._change = change
        self._inner = FakeEndpoint(OPENAI)
        self._sent = 0

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        self._sent += 1
        return self._change(self._sent, await self._inner.send(request, fresh=fresh))


def without_usage(_: int, exchange: Exchange) -> Exchange:
    if exchange.status != 200 or not exchange.body.startswith(b"{"):
        return exchange
    response = {k: v for k, v in json.loads(exchange.body).items() if k != "usage"}
    return replace(exchange, body=json.dumps(response).encode())


def served_whatever_comes(_: int, exchange: Exchange) -> Exchange:
    return replace(exchange, status=200)


def limited_now_and_then(number: int, exchange: Exchange) -> Exchange:
    return replace(exchange, status=429, body=b"") if number % 7 == 0 else exchange


def gone_away(number: int, exchange: Exchange) -> Exchange:
    if number < 60:
        return exchange
    return replace(exchange, status=None, body=b"", headers=(), fault="nobody listens")


def dated_long_ago(_: int, exchange: Exchange) -> Exchange:
    """A whole number of seconds, and none of this year."""
    return replace(
        exchange, body=exchange.body.replace(b'"created":', b'"created":1111111111,"x":')
    )


ENDPOINTS = {
    "without usage": without_usage,
    "served whatever comes": served_whatever_comes,
    "limited now and then": limited_now_and_then,
    "gone away": gone_away,
    "dated long ago": dated_long_ago,
}


def verdicts(judged: Run) -> dict[str, Verdict]:
    return {finding.id: finding.verdict for finding in judged.findings}


def finding_of(judged: Run, check: str) -> Finding:
    return next(finding for finding in judged.findings if finding.id == check)


RUNS = [*((tier, "openai") for tier in Tier), (Tier.STANDARD, "zero")]


@pytest.mark.parametrize(
    ("tier", "contract"), by_default([run for run in RUNS if run[0] is not Tier.DEEP], RUNS)
)
def test_same_checks_judge_a_conforming_record_alike(
    tmp_path: Path, tier: Tier, contract: str
) -> None:
    judged = recorded(tmp_path / "run.ndjson", options=Options(tier=tier), contract=contract)
    again = rejudge(judged, load_contract(contract))
    assert verdicts(again) == verdicts(judged)
    assert again.conclusion is judged.conclusion is Conclusion.CONFORMING


@pytest.mark.parametrize("change", ENDPOINTS.values(), ids=ENDPOINTS.keys())
def test_same_checks_judge_a_faulty_record_alike(
    tmp_path: Path, change: Callable[[int, Exchange], Exchange]
) -> None:
    judged = recorded(tmp_path / "run.ndjson", Relay(change))
    assert {Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE} & set(verdicts(judged).values())
    again = rejudge(judged, OPENAI)
    assert verdicts(again) == verdicts(judged)
    assert again.conclusion is judged.conclusion


def test_old_record_is_judged_by_its_recording_time(tmp_path: Path) -> None:
    check = "envelope.created-is-now"
    judged = recorded(tmp_path / "run.ndjson", Relay(dated_long_ago), Options(select=(check,)))
    assert set(verdicts(judged).values()) != {Verdict.PASS}
    older = replace(judged, header=replace(judged.header, started_at="2005-03-18T01:58:30+00:00"))
    assert set(verdicts(rejudge(older, OPENAI)).values()) == {Verdict.PASS}


def test_keyless_or_limited_run_is_judged_alike(tmp_path: Path) -> None:
    options = Options(limits=Limits(requests=40))
    judged = recorded(tmp_path / "run.ndjson", options=options, key=None)
    assert Verdict.SKIPPED in verdicts(judged).values()
    again = rejudge(judged, OPENAI)
    assert [f for f in again.findings if "budget spent" in f.message]
    assert verdicts(again) == verdicts(judged)


def test_replay_keeps_requests_and_names_the_judging_version(tmp_path: Path) -> None:
    judged = recorded(tmp_path / "run.ndjson", options=Options(tier=Tier.SMOKE))
    older = replace(judged, header=replace(judged.header, suite_version="0.0.1"))
    again = rejudge(older, OPENAI)
    assert (again.header.suite_version, again.header.recorded_by) == (__version__, "0.0.1")
    assert again.exchanges == judged.exchanges
    assert again.footer is not None
    assert judged.footer is not None
    assert again.footer.cost == judged.footer.cost
    assert (again.footer.finished_at, again.footer.elapsed) == (
        judged.footer.finished_at,
        judged.footer.elapsed,
    )
    assert rejudge(again, OPENAI).header.recorded_by == "0.0.1"


def test_altered_verdict_is_recomputed(tmp_path: Path) -> None:
    judged = recorded(tmp_path / "run.ndjson", Relay(without_usage), Options(tier=Tier.SMOKE))
    greened = tuple(replace(f, verdict=Verdict.PASS) for f in judged.findings)
    assert verdicts(rejudge(replace(judged, findings=greened), OPENAI)) == verdicts(judged)


def test_failed_preflight_fails_again(tmp_path: Path) -> None:
    refused = Relay(lambda _, exchange: replace(exchange, status=401))
    judged = recorded(tmp_path / "run.ndjson", refused)
    again = rejudge(judged, OPENAI)
    assert again.footer is not None
    assert judged.footer is not None
    assert "the API key was rejected with 401" in (judged.footer.because or "")
    assert again.footer.because == judged.footer.because
    assert again.conclusion is Conclusion.UNDECIDED


def test_incomplete_run_stays_incomplete(tmp_path: Path) -> None:
    judged = recorded(tmp_path / "run.ndjson", options=Options(tier=Tier.SMOKE))
    cut = replace(judged, exchanges=judged.exchanges[:9], findings=(), footer=None)
    again = rejudge(cut, OPENAI)
    assert again.conclusion is Conclusion.INCOMPLETE
    assert NO_RESPONSE in {finding.message for finding in again.findings}
    assert Verdict.FAIL not in verdicts(again).values()


@pytest.mark.parametrize(
    ("then", "now", "message"),
    [
        (Verdict.PASS, Verdict.SKIPPED, NO_RESPONSE),
        (Verdict.FAIL, Verdict.INCONCLUSIVE, NO_RESPONSE),
        (Verdict.WARN, Verdict.INCONCLUSIVE, NO_RESPONSE),
        (Verdict.ERROR, Verdict.INCONCLUSIVE, NO_RESPONSE),
        (Verdict.SKIPPED, Verdict.SKIPPED, "what was said then"),
        (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE, "what was said then"),
    ],
)
def test_missing_responses_cannot_turn_a_verdict_green(
    tmp_path: Path, then: Verdict, now: Verdict, message: str
) -> None:
    judged = recorded(tmp_path / "run.ndjson", options=Options(select=(GREEDY,)))
    last = finding_of(judged, GREEDY).exchanges[-1]
    gapped = replace(
        judged,
        exchanges=tuple(x for x in judged.exchanges if x.id != last),
        findings=tuple(
            replace(f, verdict=then, message="what was said then") for f in judged.findings
        ),
    )
    finding = finding_of(rejudge(gapped, OPENAI), GREEDY)
    assert (finding.verdict, finding.message) == (now, message)


def test_new_check_reads_recorded_responses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = recorded(tmp_path / "run.ndjson", options=Options(tier=Tier.SMOKE))
    seen: list[str] = []
    request = next(x.request for x in judged.exchanges if x.status == 200)

    async def look(api: Any) -> None:
        seen.extend([(await api.send(request)).exchange.id for _ in range(2)])
        await api.send(request, fresh=True)

    made = replace(all_checks()[0], id="aaa.new", run=look, requirement="stop.string")
    made = replace(made, tier=Tier.SMOKE, needs=(), asks=True)
    monkeypatch.setattr(rejudging, "all_checks", lambda: (*all_checks(), made))
    again = rejudge(judged, OPENAI)
    responses = [x.id for x in judged.exchanges if x.request == request]
    assert seen == [responses[0]] * 2
    finding = finding_of(again, "aaa.new")
    # A fresh answer must be another one than the one that it has read already.
    enough = len(responses) > 1
    assert finding.verdict is (Verdict.PASS if enough else Verdict.SKIPPED)
    assert len({x.id for x in again.exchanges}) == len(judged.exchanges)


def test_shared_response_is_seen_once_by_invariants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If invariants saw it twice, they would report a repeated id."""
    judged = recorded(tmp_path / "run.ndjson", options=Options(tier=Tier.SMOKE))
    request = next(x.request for x in judged.exchanges if x.status == 200)

    async def look(api: Any) -> None:
        await api.send(request, fresh=True)

    new = [
        replace(
            all_checks()[0],
            id=f"aaa.new-{number}",
            run=look,
            requirement="stop.string",
            tier=Tier.SMOKE,
            needs=(),
            asks=True,
        )
        for number in range(3)
    ]
    monkeypatch.setattr(rejudging, "all_checks", lambda: (*all_checks(), *new))
    again = rejudge(judged, OPENAI)
    assert {f.verdict for f in again.findings if f.id.startswith("aaa.")} == {Verdict.PASS}
    known = {f.id: f for f in again.findings if not f.id.startswith("aaa.")}
    assert {key: f.verdict for key, f in known.items()} == verdicts(judged)
