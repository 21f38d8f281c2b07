"""The runner: from checks to a stream of events, on endpoints in memory."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conformance.api import Api
from conformance.checks import Check
from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.judgement import Failure, NotApplicable, expect
from conformance.model import (
    Conclusion,
    Effect,
    Exchange,
    Finding,
    Level,
    Limits,
    Request,
    Target,
    Tier,
    TransportOptions,
    Verdict,
)
from conformance.protocol.completion import Completion
from conformance.record.events import (
    CheckStarted,
    ExchangeMade,
    FindingMade,
    RunEvent,
    RunFinished,
    RunStarted,
)
from conformance.record.ndjson import RunWriter, read_run
from conformance.testing import FakeEndpoint
from conformance.transport.circuit_breaker import MAX_UNANSWERED_REQUESTS

OPENAI = load_contract("openai")
TARGET = Target("http://fake/v1", "fake-model", "openai", "sk-a-key-that-must-not-show")
ALL = Options(tier=Tier.DEEP)
ONE_BY_ONE = replace(ALL, transport=TransportOptions(concurrency=1))


def a_check(
    check_id: str,
    run_it: Callable[[Api], Any],
    requirement: str = "stop.string",
    tier: Tier = Tier.SMOKE,
    needs: tuple[str, ...] = (),
) -> Check:
    return Check(check_id, requirement, tier, "It holds.", "成立。", needs, run_it)


async def passes(api: Api) -> None:
    (await api.complete(prompt="1, 2,", max_tokens=1)).expect_ok()


async def fails(api: Api) -> None:
    completion = (await api.complete(prompt="1, 2,", max_tokens=2)).expect_ok()
    raise Failure("another text", completion.text)


async def fails_at_once(_: Api) -> None:
    raise Failure("another text", "this")


async def crashes(_: Api) -> None:
    raise LookupError("our own fault")


def events_of(*checks: Check, options: Options = ALL, transport: Any = None) -> list[RunEvent]:
    async def collect() -> list[RunEvent]:
        endpoint = transport or FakeEndpoint(OPENAI)
        stream = run(TARGET, OPENAI, options, transport=endpoint, checks=checks)
        return [event async for event in stream]

    return asyncio.run(collect())


def findings_in(events: list[RunEvent]) -> dict[str, Finding]:
    return {event.finding.id: event.finding for event in events if isinstance(event, FindingMade)}


def exchanges_in(events: list[RunEvent]) -> dict[str, Exchange]:
    made = [event.exchange for event in events if isinstance(event, ExchangeMade)]
    return {exchange.id: exchange for exchange in made}


def finished(events: list[RunEvent]) -> RunFinished:
    last = events[-1]
    assert isinstance(last, RunFinished)
    return last


# ── the stream of events ─────────────────────────────────────────────────────────────────────────


def test_run_begins_with_header_and_ends_with_footer() -> None:
    events = events_of(a_check("a.one", passes), a_check("b.two", fails))
    assert isinstance(events[0], RunStarted)
    assert events[0].checks == ("a.one", "b.two")
    kinds = Counter(type(event) for event in events)
    assert kinds == {
        RunStarted: 1,
        CheckStarted: 2,
        ExchangeMade: 4,  # the last one is the list of models
        FindingMade: 2,
        RunFinished: 1,
    }
    assert finished(events).footer.conclusion is Conclusion.NOT_CONFORMING


def test_exchange_is_reported_before_its_finding() -> None:
    result: set[str] = set()
    for event in events_of(*(a_check(f"a.{i}", passes) for i in range(9))):
        match event:
            case ExchangeMade():
                result.add(event.exchange.id)
            case FindingMade():
                assert set(event.finding.exchanges) <= result
                assert event.finding.exchanges


def test_header_has_the_contract_and_the_options() -> None:
    options = Options(Tier.SMOKE, ("stop",), Limits(9, 99), seed=7, strict=True)
    started = events_of(a_check("stop.x", passes), options=options)[0]
    assert isinstance(started, RunStarted)
    header = started.header
    assert (header.contract, header.tier, header.select) == ("openai", Tier.SMOKE, ("stop",))
    assert (header.limits, header.seed, header.strict) == (Limits(9, 99), 7, True)
    assert {subject.name for subject in header.subjects} >= {"stop", "choices[].text"}
    assert len([s for s in header.subjects if s.kind == "parameter"]) == 18
    assert {r.id for r in header.requirements} == set(OPENAI.requirements)


def test_report_texts_are_recorded_in_both_languages() -> None:
    started, *_, last = events_of(a_check("a.one", passes))
    assert isinstance(started, RunStarted)
    assert started.header.contract_title_zh == OPENAI.title_zh
    subjects = {subject.name: subject for subject in started.header.subjects}
    assert subjects["stop"].promise_zh.startswith("字符串、数组或 null")
    assert isinstance(last, RunFinished)
    (finding,) = findings_in(events_of(a_check("a.one", passes))).values()
    assert (finding.title, finding.title_zh) == ("It holds.", "成立。")


def test_equal_requests_of_checks_are_sent_once() -> None:
    endpoint = FakeEndpoint(OPENAI)
    events = events_of(a_check("a.one", passes), a_check("b.two", passes), transport=endpoint)
    one, two = findings_in(events).values()
    assert one.exchanges == two.exchanges
    # Theirs and the preflight; the list of models is free.
    assert [request.method for request in endpoint.requests] == ["POST", "POST", "GET"]
    assert finished(events).footer.cost.requests == 2


def test_checks_share_what_was_read_of_a_response() -> None:
    completions: list[Completion] = []

    async def keeps(api: Api) -> None:
        completions.append((await api.complete(prompt="1, 2,", max_tokens=1)).expect_ok())

    keeps.__module__ = "conformance.checks.stop.directed"
    events_of(a_check("a.one", keeps), a_check("b.two", keeps))
    assert completions[0] is completions[1]


def test_checks_of_plugins_change_no_other_response() -> None:
    async def changes(api: Api) -> None:
        (await api.complete(prompt="1, 2,", max_tokens=1)).expect_ok().raw.clear()

    async def reads(api: Api) -> None:
        expect((await api.complete(prompt="1, 2,", max_tokens=1)).expect_ok().raw, "body").contains(
            "id"
        )

    reads.__module__ = "conformance.checks.stop.directed"
    found = findings_in(events_of(a_check("a.one", changes), a_check("b.two", reads)))
    assert {finding.verdict for finding in found.values()} == {Verdict.PASS}


def test_what_checks_share_is_prepared_once() -> None:
    calls: list[str] = []

    async def prepare(api: Api) -> None:
        calls.append(api.model)
        raise NotApplicable("nothing to prepare from")

    checks = [replace(a_check(name, passes), prepare=prepare) for name in ("a.one", "b.two")]
    found = findings_in(events_of(*checks))
    assert {finding.verdict for finding in found.values()} == {Verdict.PASS}
    assert calls == ["fake-model"]


def test_no_more_requests_are_in_flight_than_requested() -> None:
    class Counting:
        now = most = 0

        async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            return await FakeEndpoint(OPENAI).send(request, fresh=fresh)

    async def asks(api: Api, number: int) -> None:
        await api.complete(prompt=f"{number}", max_tokens=1)

    counting = Counting()
    checks = [a_check(f"a.{i}", partial(asks, number=i)) for i in range(20)]
    three = replace(ALL, transport=TransportOptions(concurrency=3))
    events_of(*checks, options=three, transport=counting)
    assert counting.most == 3


# ── verdicts ─────────────────────────────────────────────────────────────────────────────────────


def test_crashing_check_is_an_error_and_others_run() -> None:
    events = events_of(a_check("a.one", crashes), a_check("b.two", passes))
    findings = findings_in(events)
    assert findings["a.one"].verdict is Verdict.ERROR
    assert findings["a.one"].message == "internal error in the check: LookupError: our own fault"
    assert findings["b.two"].verdict is Verdict.PASS
    assert finished(events).footer.conclusion is Conclusion.UNDECIDED


def test_requirement_not_in_force_is_skipped_with_reason() -> None:
    check = a_check("a.one", crashes, requirement="max-tokens.default-unlimited")
    finding = findings_in(events_of(check))["a.one"]
    assert finding.verdict is Verdict.SKIPPED
    assert finding.message == OPENAI.why_not_in_force("max-tokens.default-unlimited")


def beyond_zero(*checks: Check, options: Options = ALL) -> list[RunEvent]:
    """Judge an ideal endpoint by a document that does not mention the seed."""
    zero = load_contract("zero")

    async def collect() -> list[RunEvent]:
        stream = run(TARGET, zero, options, transport=FakeEndpoint(zero), checks=checks)
        return [event async for event in stream]

    return asyncio.run(collect())


def test_undocumented_parameter_is_checked_for_information() -> None:
    async def looks(api: Api) -> None:
        assert api.contract.parameter("seed").documented
        (await api.complete(prompt="1", seed=7)).expect_ok()
        raise Failure("the same text", "another", effect=Effect.IGNORED)

    judged = a_check("a.one", passes)
    events = beyond_zero(judged, a_check("b.seed", looks, "seed.repeats", Tier.STANDARD))
    assert [e.finding.id for e in events if isinstance(e, FindingMade)] == ["a.one", "b.seed"]
    seen = findings_in(events)["b.seed"]
    assert (seen.verdict, seen.effect, seen.seen) == (Verdict.INFO, Effect.IGNORED, "another")
    assert finished(events).footer.conclusion is Conclusion.CONFORMING


@pytest.mark.parametrize(
    ("options", "requirement"),
    [
        (Options(Tier.STANDARD), "seed.repeats"),  # only a deep run looks
        (ALL, "max-tokens.default-unlimited"),  # another document's reading of what zero documents
        (ALL, "seed.default-one"),  # a reading that the live API does not share
    ],
)
def test_other_undocumented_features_are_not_requested(options: Options, requirement: str) -> None:
    events = beyond_zero(a_check("a.one", crashes, requirement), options=options)
    assert findings_in(events)["a.one"].verdict is Verdict.SKIPPED
    assert not exchanges_in(events)


def test_check_needing_undocumented_features_is_skipped() -> None:
    zero = load_contract("gpt-ge")
    check = a_check("a.one", crashes, requirement="prompt.string", needs=("model", "echo"))

    async def collect() -> list[RunEvent]:
        stream = run(TARGET, zero, ALL, transport=FakeEndpoint(zero), checks=[check])
        return [event async for event in stream]

    events = asyncio.run(collect())
    finding = findings_in(events)["a.one"]
    assert finding.verdict is Verdict.SKIPPED
    assert finding.message == "this document does not mention echo, which the check needs"
    assert finished(events).footer.conclusion is Conclusion.NOTHING_RAN
    assert not exchanges_in(events)


def test_warning_counts_only_in_strict_mode() -> None:
    lesser = next(key for key, r in OPENAI.requirements.items() if r.level is Level.SHOULD)
    check = a_check("a.one", fails, requirement=lesser)
    lenient, strict = (
        finished(events_of(check, options=replace(ALL, strict=strict))).footer
        for strict in (False, True)
    )
    assert lenient.counts["warn"] == strict.counts["warn"] == 1
    assert lenient.conclusion is Conclusion.CONFORMING
    assert strict.conclusion is Conclusion.NOT_CONFORMING


# ── selection ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("globs", "chosen"),
    [
        ((), {"a.one", "b.two", "b.deep"}),
        (("a.*",), {"a.one"}),
        (("*.two", "a.one"), {"a.one", "b.two"}),
        (("stop",), {"a.one"}),
        (("echo.own-prompt-in-batch",), {"b.two"}),
        (("echo", "stop.s*"), {"a.one", "b.two", "b.deep"}),
        (("nothing",), set()),
    ],
)
def test_globs_select_by_check_requirement_or_area(
    globs: tuple[str, ...], chosen: set[str]
) -> None:
    checks = (
        a_check("a.one", passes, "stop.string"),
        a_check("b.two", passes, "echo.own-prompt-in-batch"),
        a_check("b.deep", passes, "echo.off-by-default", Tier.DEEP),
    )
    events = events_of(*checks, options=replace(ALL, select=globs))
    assert set(findings_in(events)) == chosen


def test_tier_includes_cheaper_ones_and_runs_them_first() -> None:
    checks = [
        a_check("a.deep", passes, tier=Tier.DEEP),
        a_check("b.standard", passes, tier=Tier.STANDARD),
        a_check("c.smoke", passes, tier=Tier.SMOKE),
    ]
    started = events_of(*checks, options=Options(Tier.STANDARD))[0]
    assert isinstance(started, RunStarted)
    assert started.checks == ("c.smoke", "b.standard")


def test_empty_selection_is_never_green() -> None:
    events = events_of(a_check("a.one", passes), options=replace(ALL, select=("nothing",)))
    assert finished(events).footer.conclusion is Conclusion.NOTHING_RAN


# ── money ────────────────────────────────────────────────────────────────────────────────────────


def test_spent_budget_skips_the_remaining_checks() -> None:
    checks = a_check("a.one", passes), a_check("b.two", fails)
    events = events_of(*checks, options=replace(ONE_BY_ONE, limits=Limits(requests=2)))
    verdicts = {finding.verdict for finding in findings_in(events).values()}
    skipped = [f for f in findings_in(events).values() if f.verdict is Verdict.SKIPPED]
    assert len(verdicts) == 2
    assert [f.message for f in skipped] == ["budget spent: 2 requests were allowed"]
    assert finished(events).footer.cost.requests == 2


async def asks_again_and_again(api: Api) -> None:
    for _ in range(60):
        await api.complete(prompt="A", max_tokens=1, fresh=True)


def test_default_limit_is_twice_the_tiers_budget() -> None:
    """Unless the user says otherwise."""
    greedy = a_check("a.one", asks_again_and_again)
    smoke = replace(ALL, tier=Tier.SMOKE)
    events = events_of(greedy, options=smoke)
    (finding,) = findings_in(events).values()
    assert finding.message == "budget spent: 50 requests were allowed"
    assert finished(events).footer.cost.requests == 50
    events = events_of(greedy, options=replace(smoke, limits=Limits(requests=70)))
    assert finished(events).footer.cost.requests > 60


def test_zero_budget_judges_nothing() -> None:
    events = events_of(a_check("a.one", passes), options=replace(ALL, limits=Limits(requests=0)))
    assert finished(events).footer.conclusion is Conclusion.NOTHING_RAN
    assert not exchanges_in(events)


def test_cost_is_the_endpoints_usage() -> None:
    events = events_of(a_check("a.one", fails))
    bodies = [json.loads(exchange.body) for exchange in exchanges_in(events).values()]
    usages = [body["usage"] for body in bodies if "usage" in body]
    cost = finished(events).footer.cost
    assert cost.prompt_tokens == sum(usage["prompt_tokens"] for usage in usages)
    assert cost.completion_tokens == sum(usage["completion_tokens"] for usage in usages)
    assert cost.estimated_tokens == 0


# ── what is left of a run that did not end ───────────────────────────────────────────────────────


def test_cancelled_run_keeps_findings_without_a_footer(tmp_path: Path) -> None:
    async def hangs(_: Api) -> None:
        await asyncio.Event().wait()

    async def leave() -> None:
        checks = [a_check("a.one", passes), a_check("b.two", hangs)]
        stream = run(TARGET, OPENAI, ALL, transport=FakeEndpoint(OPENAI), checks=checks)
        with RunWriter(tmp_path / "run.ndjson") as writer:
            async with aclosing(stream):
                async for event in stream:
                    writer.write(event)
                    if isinstance(event, FindingMade):
                        break

    asyncio.run(leave())
    result = read_run(tmp_path / "run.ndjson")
    assert [finding.id for finding in result.findings] == ["a.one"]
    assert len(result.exchanges) == 2
    assert result.conclusion is Conclusion.INCOMPLETE


async def asks_whether_there_is_a_key(api: Api) -> None:
    await passes(api)
    if not api.has_key:
        raise NotApplicable("no key to do without")


@pytest.mark.parametrize(
    ("secrets", "verdict"), [((), Verdict.PASS), (("of-a-header",), Verdict.SKIPPED)]
)
def test_other_secrets_make_has_key_false(secrets: tuple[str, ...], verdict: Verdict) -> None:
    headers = tuple(("X-1", secret) for secret in secrets)
    target = replace(
        TARGET, name="ours", headers=headers, secrets=secrets, shown_headers={"X-1": "$ONE"}
    )

    async def collect() -> list[RunEvent]:
        checks = [a_check("a.one", asks_whether_there_is_a_key)]
        stream = run(target, OPENAI, ALL, transport=FakeEndpoint(OPENAI), checks=checks)
        return [event async for event in stream]

    events = asyncio.run(collect())
    assert findings_in(events)["a.one"].verdict is verdict
    assert isinstance(events[0], RunStarted)
    assert events[0].header.target == "ours"
    assert events[0].header.headers == {"X-1": "$ONE"}


def test_invalid_target_ends_the_run_with_a_sentence() -> None:
    target = replace(TARGET, base_url="http://me:p4ssw0rd@127.0.0.1/v1")

    async def collect() -> list[RunEvent]:
        stream = run(target, OPENAI, ALL, checks=[a_check("a.one", crashes)])
        return [event async for event in stream]

    events = asyncio.run(collect())
    footer = finished(events).footer
    assert footer.conclusion is Conclusion.UNDECIDED
    assert footer.because is not None
    assert "must not contain a user name" in footer.because
    assert "p4ssw0rd" not in repr(events)
    assert not findings_in(events)
    assert len(exchanges_in(events)) == 1


def test_run_stops_when_the_endpoint_goes_away() -> None:
    class GoesAway:
        sent = 0

        async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
            answered = await FakeEndpoint(OPENAI).send(request, fresh=fresh)
            self.sent += 1
            lost = replace(answered, status=None, fault="the connection broke off")
            return answered if self.sent == 1 else replace(lost, id=f"x{self.sent}")

    async def asks(api: Api, number: int) -> None:
        (await api.complete(prompt=f"{number}", max_tokens=1)).expect_ok()

    endpoint = GoesAway()
    checks = [a_check(f"a.{i}", partial(asks, number=i)) for i in range(30)]
    events = events_of(*checks, options=ONE_BY_ONE, transport=endpoint)
    assert endpoint.sent == 1 + MAX_UNANSWERED_REQUESTS
    assert {finding.verdict for finding in findings_in(events).values()} == {Verdict.INCONCLUSIVE}
    assert finished(events).footer.conclusion is Conclusion.UNDECIDED


def test_last_failure_leaves_nothing_out() -> None:
    enough = replace(ONE_BY_ONE, max_failures=1)
    alone = finished(events_of(a_check("stop.a", fails_at_once), options=enough)).footer
    assert (alone.because, alone.is_stopped) == (None, False)
    both = (a_check("stop.a", fails_at_once), a_check("stop.b", passes))
    assert finished(events_of(*both, options=enough)).footer.is_stopped
