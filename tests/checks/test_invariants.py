"""Invariants find partial faults once, and report no conforming server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from conformance.checks._shared.changed_texts import is_broken_form
from conformance.checks._shared.invariants import inspect_each, traits
from conformance.checks.text.invariants import is_stripped_form
from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.judgement import Failure, NotApplicable
from conformance.model import Exchange, Finding, Request, Target, Tier, Verdict
from conformance.protocol.trace import RecordedExchange
from conformance.record.events import ExchangeMade, FindingMade, RunFinished
from conformance.record.explained import as_concluded
from tests.checks.catalogue import CHECKS, findings
from tests.fake_server import MODEL, FakeServer

OPENAI = load_contract("openai")
BROKEN = {Verdict.FAIL, Verdict.WARN}
INVARIANTS = [check for check in CHECKS.values() if not check.asks]


def looked_at(shown: str, *only: str) -> dict[str, Finding]:
    return findings(shown, [CHECKS[name] for name in only] or INVARIANTS)


def test_wrong_indexes_do_not_count_as_missing_choices() -> None:
    found = looked_at("stream-index-zero", "n.choices-everywhere", "prompt.choices-everywhere")
    assert {finding.verdict for finding in found.values()} == {Verdict.PASS}


@pytest.mark.parametrize(
    ("text", "usual", "broken"),
    [
        ("八\ufffd\ufffd十。", "八九十。一", True),
        ("\ufffd\ufffd九十", "八九十", True),
        ("八\ufffd十。一二三", "八九十。", True),  # what is known ends first
        ("八九十\ufffd", "八九十。", False),  # the limit may have cut it
        ("八\ufffd百", "八九十。", False),  # another text
        ("八\ufffd十", "八\ufffd十。", False),  # the model's own
        ("\ufffd\ufffd", "八九", False),
    ],
)
def test_broken_characters_are_recognised_by_the_remaining_text(
    text: str, usual: str, broken: bool
) -> None:
    assert is_broken_form(text, usual) is broken


@pytest.mark.parametrize(
    ("text", "usual", "stripped"),
    [
        ("red green", "\nred green blue", True),
        ("red green blue red", " red green", True),
        ("red green", "red green blue", False),
        ("red", " red green", False),  # too short to compare
        ("red green", "\n", False),
        ("green red", " red green", False),
    ],
)
def test_stripped_text_is_recognised_by_the_remaining_text(
    text: str, usual: str, stripped: bool
) -> None:
    assert is_stripped_form(text, usual) is stripped


@pytest.mark.parametrize(
    ("shown", "depends"), [("total-mismatch@echo", False), ("total-mismatch@every-third", True)]
)
def test_finding_that_requests_do_not_decide(shown: str, depends: bool) -> None:
    finding = looked_at(shown)["usage.total-everywhere"]
    assert finding.verdict in BROKEN
    assert finding.needs_run is depends


@pytest.mark.parametrize(
    ("shown", "depends"), [("id-constant", False), ("truncated-response-cached", True)]
)
def test_id_of_a_cached_response_depends_on_others(shown: str, depends: bool) -> None:
    finding = looked_at(shown)["envelope.id-unique-everywhere"]
    assert finding.verdict in BROKEN
    assert finding.needs_run is depends


def test_nearly_all_invariants_have_traffic_to_inspect() -> None:
    idle = {key for key, finding in looked_at("none").items() if finding.verdict is Verdict.SKIPPED}
    assert idle == {
        "errors.no-leak-in-streams-everywhere",
        "errors.rate-limit",
        "errors.retry-after",
        "finish-reason.natural-end-everywhere",
        "isolation.refused-beside-others",
        "stop.no-token-behind-everywhere",
        "stop.none-dropped-everywhere",
        "streaming.error-framed-everywhere",
        "temperature.zero-repeats-everywhere",
        "usage.cached-in-prompt-everywhere",
        "usage.cached-sums-batch-everywhere",
        "usage.cached-within-prompt-everywhere",
    }


# ── in a whole run ───────────────────────────────────────────────────────────────────────────────


async def run_against(shown: str, tier: Tier = Tier.STANDARD) -> tuple[list[Finding], int]:
    """Run the suite, and return its findings and how many exchanges it made."""
    target = Target("http://fake/v1", MODEL, "openai", "sk-Zk3hT9wQ1vB7nM5xL2cD8f")
    made_findings: list[Finding] = []
    made = 0
    events_of = run(target, OPENAI, Options(tier), transport=FakeServer(shown))
    async with aclosing(events_of) as events:
        async for event in events:
            made += isinstance(event, ExchangeMade)
            if isinstance(event, FindingMade):
                made_findings.append(event.finding)
            if isinstance(event, RunFinished):
                made_findings = list(as_concluded(made_findings, event.footer))
    return made_findings, made


def test_invariant_finds_what_no_check_requests() -> None:
    result, _ = asyncio.run(run_against("total-mismatch@echo"))
    reported = {f.id: f for f in result if f.verdict in BROKEN}
    assert reported.keys() == {"usage.total-everywhere"}
    finding = reported["usage.total-everywhere"]
    assert "those with `echo`" in str(finding.seen)
    assert 1 <= len(finding.exchanges) <= 5


def test_list_of_one_prompt_is_no_several() -> None:
    request = Request("POST", "/completions", b'{"prompt":["1"],"echo":true}')
    exchange = Exchange("x1", request, (), 200, (), b"", (), 0.1)
    assert sorted(map(str, traits(RecordedExchange(exchange, OPENAI)))) == [
        "`echo`",
        "a list as prompt",
    ]


def test_invariant_with_a_found_cause_is_explained() -> None:
    result, _ = asyncio.run(run_against("usage-missing@plain", Tier.SMOKE))
    assert {f.id for f in result if f.verdict in BROKEN} == {"usage.present"}
    explained = {f.id: f.explained_by for f in result if f.verdict is Verdict.EXPLAINED}
    assert explained["usage.present-everywhere"] == "usage.present"


def test_invariants_send_nothing_and_come_last() -> None:
    result, made = asyncio.run(run_against("none", Tier.SMOKE))
    looking = {check.id for check in INVARIANTS}
    asking = [finding for finding in result if finding.id not in looking]
    own = {exchange for finding in asking for exchange in finding.exchanges}
    # The list of models, which notes are read from, is no check's.
    assert made == len(own) + 1
    positions = [i for i, finding in enumerate(result) if finding.id in looking]
    assert positions
    assert all(finding.exchanges == () for finding in result if finding.id in looking)


def test_missing_logprobs_are_reported_once() -> None:
    result, _ = asyncio.run(run_against("logprobs-ignored"))
    reported = {f.id for f in result if f.verdict in BROKEN and f.subject == "logprobs"}
    assert {key for key in reported if not key.endswith("-refused")} == {"logprobs.returned"}


def test_kept_failures_hold_no_response() -> None:
    """A traceback would keep the parsed response of every violation at once."""

    def judge(exchange: RecordedExchange) -> None:
        raise Failure("1", exchange.exchange.id) from NotApplicable("the scores cannot be read")

    request = Request("POST", "/completions", b"{}")
    exchanges = [
        RecordedExchange(Exchange(name, request, (), 200, (), b"{}", (), 0.0, None), OPENAI)
        for name in ("x1", "x2")
    ]
    violations = inspect_each(judge, None, exchanges).violations
    assert [violation.failure.seen for violation in violations] == ["x1", "x2"]
    for violation in violations:
        failure = violation.failure
        assert (failure.__traceback__, failure.__context__, failure.__cause__) == (None,) * 3
