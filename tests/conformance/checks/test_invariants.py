"""Invariants find what shows only here or there, once, and nothing where all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing

import pytest

from conformance.checks._shared.changed_texts import is_broken_form
from conformance.checks.text.invariants import is_stripped_form
from conformance.events import ExchangeMade, FindingMade
from conformance.imagined import ImaginedEndpoint
from conformance.imagined.endpoint import MODEL
from conformance.model import Exchange, Finding, Level, Request, Target, Tier, Verdict
from conformance.runner import Options, run
from tests.conformance.checks.honest_variants import VARIANTS
from tests.conformance.checks.invariant_faults import endpoint_with
from tests.conformance.checks.invariant_requests import INVARIANTS, OPENAI, answers_of, look
from tests.conformance.checks.rewriting import Endpoint, Rewriting
from tests.conformance.checks.test_response_faults import MISSHAPEN

FOUND_BY = {
    "suffix-appended@plain": "suffix.not-appended-everywhere",
    "suffix-appended@non-ascii": "suffix.not-appended-everywhere",
    "stream-ignored@batch": "stream.streams-everywhere",
    "plain-answer-streamed@every-third": "stream.plain-everywhere",
    "stream-as-json@batch": "streaming.content-type-everywhere",
    "bare-line@non-ascii": "streaming.framing-everywhere",
    "stream-in-gb18030@batch": "streaming.framing-everywhere",
    "missing-done@batch": "streaming.done-everywhere",
    "delta@non-ascii": "streaming.chunk-shape-everywhere text.present-everywhere",
    "finish-twice@every-third": "streaming.one-finish-everywhere",
    "no-finish-reason@batch": "streaming.one-finish-everywhere",
    "id-per-chunk@batch": "streaming.id-constant-everywhere",
    "created-per-chunk@non-ascii": "streaming.created-constant-everywhere",
    "include-usage-ignored@batch": "stream-options.usage-everywhere",
    "usage-strings@stream": "stream-options.usage-everywhere",
    "usage-on-every-chunk@batch": (
        "stream-options.only-one-bill-everywhere stream-options.unasked-everywhere"
    ),
    "stream-dies-leaking@stream": "errors.no-leak-in-streams-everywhere",
    "stream-dies-wordless@stream": "streaming.error-framed-everywhere",
    "stream-dies-bare@batch": "streaming.error-framed-everywhere",
    "index-all-zero@batch": "index.each-once-everywhere",
    "index-zero-streamed": "index.each-once-everywhere",
    "index-swapped@batch": "index.prompt-major-everywhere",
    "choices-dropped@batch": "n.choices-everywhere prompt.choices-everywhere",
    "n-ignored@stream": "n.choices-everywhere",
    "choice-doubled@every-third": "envelope.choices-everywhere n.default-one-everywhere",
    "choice-doubled@candidates": "best-of.returns-everywhere",
    "text-missing@every-third": "text.present-everywhere",
    "finish-null@second-choice": "finish-reason.known-everywhere",
    "finish-always-stop@second-choice": (
        "finish-reason.all-tokens-everywhere finish-reason.cut-everywhere "
        "finish-reason.one-token-everywhere finish-reason.same-text-everywhere"
    ),
    "stopped-called-length@stream": "finish-reason.stop-everywhere",
    "few-called-length": "finish-reason.few-tokens-everywhere",
    "ends-early": "finish-reason.natural-end-everywhere",
    "usage-missing@batch": "usage.present-everywhere",
    "total-mismatch@echo": "usage.total-everywhere",
    "completion-zero@every-third": "usage.text-counted-everywhere",
    "completion-billed-by-the-way@every-third": (
        "usage.limit-everywhere usage.choices-summed-everywhere"
    ),
    "completion-billed-at-length@stop": "usage.limit-everywhere",
    "completion-billed-by-the-way@stream": "usage.stream-counts-everywhere",
    "completion-billed-by-the-way@echo": "usage.echo-not-completion-everywhere",
    "prompt-billed-by-the-way@every-third": "usage.prompt-alike-everywhere",
    "prompt-billed-by-the-way@stream": "usage.stream-prompt-everywhere",
    "prompt-billed-by-the-way@batch": "usage.batch-sum-everywhere",
    "prompt-times-n@plain": "usage.prompt-once-everywhere",
    "id-constant@every-third": "envelope.id-unique-everywhere",
    "id-empty@batch": "envelope.id-everywhere",
    "id-unprefixed@batch": "envelope.id-prefix-everywhere",
    "object-chat@echo": "envelope.object-everywhere",
    "created-float@stream": "envelope.created-everywhere",
    "time-stands-still@every-third": "envelope.created-is-now-everywhere",
    "model-empty@non-ascii": "envelope.model-everywhere",
    "model-other@every-third": "model.named-everywhere",
    "fingerprint-number@batch": "envelope.system-fingerprint-everywhere",
    "broken-byte@batch": "envelope.strict-json-everywhere",
    "plain-as-text@echo": "headers.content-type-everywhere errors.content-type-everywhere",
    "special-token-leak@second-choice": "text.no-special-tokens-everywhere",
    "leading-space-stripped@batch": (
        "text.leading-space-everywhere text.same-space-everywhere logprobs-arrays.join-everywhere"
    ),
    "characters-broken@non-ascii": "text.whole-characters-everywhere",
    "characters-split@stream": "streaming.whole-characters-everywhere",
    "second-character-broken@longest": "text.same-characters-everywhere",
    "second-piece-broken@non-ascii": "streaming.same-characters-everywhere",
    "stop-returned@stream": "stop.excluded-everywhere",
    "stop-begun@plain": "stop.exact-everywhere",
    "stop-begun@stream": "stop.streams-never-leak-everywhere",
    "fifth-stop-dropped": "stop.none-dropped-everywhere",
    "held-text-lost": "stop.held-text-released-everywhere",
    "echo-dropped@every-third": "echo.prompt-first-everywhere",
    "echo-dropped@batch": "echo.own-prompt-everywhere echo.streamed-everywhere",
    "echo-twice": "echo.once-everywhere",
    "zero-generates": "echo.zero-everywhere",
    "echo-unasked@longest": "echo.unasked-everywhere",
    "logprobs-dropped@batch": "logprobs.returned-everywhere",
    "logprobs-zero-disabled": "logprobs.zero-everywhere",
    "logprobs-unasked@every-third": "logprobs.absent-everywhere",
    "logprobs-always-one@non-ascii": "logprobs.count-everywhere",
    "array-missing@stream": "logprobs-arrays.parallel-everywhere",
    "stream-tokens-stripped": "logprobs-arrays.join-streamed-everywhere",
    "flattened@batch": "logprobs-arrays.one-entry-everywhere",
    "bytes-as-replacement@non-ascii": "logprobs-arrays.partial-everywhere",
    "first-token-twice": "max-tokens.entries-everywhere",
    "one-token-more@stream": "max-tokens.text-everywhere",
    "one-token-more@batch": "max-tokens.text-everywhere",
    "one-token-less@batch": "max-tokens.text-everywhere",
    "one-token-less@plain": "max-tokens.text-everywhere",
    "echo-always@plain": "echo.unasked-tokens-everywhere",
    "suffix-lost@plain": "suffix.conditions-everywhere",
    "stop-begun-is-met@stop": "stop.cut-at-match-everywhere",
    "echo-prompt-null@non-ascii": "echo-logprobs.covers-everywhere",
    "echo-first-scored@batch": "echo-logprobs.first-null-everywhere",
    "positive@second-choice": "logprobs-arrays.never-positive-everywhere",
    "top-certain@batch": "logprobs-arrays.mass-everywhere",
    "top-reversed@stream": "logprobs-arrays.sampled-in-top-everywhere",
    "scores-per-mille@batch": "logprobs-arrays.greedy-is-top-everywhere",
    "offset-bytes@non-ascii": "text-offset.everywhere",
    "offset-shifted@echo": "text-offset.echo-from-zero-everywhere",
    "html@batch": "errors.envelope-everywhere",
    "param-missing@non-ascii": "errors.four-members-everywhere",
    "code-list@batch": "errors.schema-everywhere",
    "type-foreign@batch": "errors.type-everywhere",
    "param-null-and-unnamed@batch": "errors.param-everywhere",
    "refused-in-events": "errors.stream-as-json-everywhere",
    "error-as-success@batch": "errors.never-as-success-everywhere",
    "upstream-leak@every-third": "errors.no-leak-everywhere",
    "unprocessable@echo": "errors.bad-input-is-400-everywhere",
}
"""Which invariants find which fault, as ``NAME@MODIFIER``."""

BROKEN = {Verdict.FAIL, Verdict.WARN}


def looked_at(endpoint: Endpoint, names: Iterable[str] = tuple(INVARIANTS)) -> dict[str, Finding]:
    answers = asyncio.run(answers_of(endpoint))
    return asyncio.run(look(answers, tuple(INVARIANTS[name] for name in names)))


@pytest.mark.parametrize("fault", FOUND_BY)
def test_a_fault_that_shows_here_or_there_is_found(fault: str) -> None:
    found = looked_at(endpoint_with(fault, ImaginedEndpoint(OPENAI)), FOUND_BY[fault].split())
    assert {key: f.message for key, f in found.items() if f.verdict not in BROKEN} == {}
    assert all(1 <= len(finding.exchanges) <= 5 for finding in found.values())


def test_every_invariant_finds_a_fault() -> None:
    assert {check for finders in FOUND_BY.values() for check in finders.split()} == set(INVARIANTS)


@pytest.mark.parametrize("name", VARIANTS)
def test_no_freedom_is_called_a_breach(name: str) -> None:
    found = looked_at(Rewriting(VARIANTS[name]))
    accused = {
        key: f.message
        for key, f in found.items()
        if f.verdict not in {Verdict.PASS, Verdict.SKIPPED} and f.level is not Level.MAY
    }
    assert accused == {}


def test_numbers_that_are_wrong_are_no_choices_that_are_missing() -> None:
    names = ("n.choices-everywhere", "prompt.choices-everywhere")
    found = looked_at(endpoint_with("index-zero-streamed", ImaginedEndpoint(OPENAI)), names)
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
def test_a_text_with_broken_characters_is_known_by_the_rest(
    text: str, usual: str, broken: bool
) -> None:
    assert is_broken_form(text, usual) is broken


@pytest.mark.parametrize(
    ("text", "usual", "stripped"),
    [
        ("red green", "\nred green blue", True),
        ("red green blue red", " red green", True),
        ("red green", "red green blue", False),
        ("red", " red green", False),  # too little to tell
        ("red green", "\n", False),
        ("green red", " red green", False),
    ],
)
def test_a_text_without_its_space_is_known_by_the_rest(
    text: str, usual: str, stripped: bool
) -> None:
    assert is_stripped_form(text, usual) is stripped


def test_nearly_all_invariants_have_something_to_look_at() -> None:
    found = looked_at(ImaginedEndpoint(OPENAI))
    idle = {key for key, finding in found.items() if finding.verdict is Verdict.SKIPPED}
    assert idle == {
        "errors.no-leak-in-streams-everywhere",
        "stop.none-dropped-everywhere",
        "streaming.error-framed-everywhere",
    }


@pytest.mark.parametrize("name", MISSHAPEN)
def test_no_answer_breaks_an_invariant(name: str) -> None:
    found = looked_at(endpoint_with(name, ImaginedEndpoint(OPENAI)))
    assert {key: f.message for key, f in found.items() if f.verdict is Verdict.ERROR} == {}


# ── in a whole run ───────────────────────────────────────────────────────────────────────────────


class Alone:
    """A transport for a run, over one that knows nothing of sharing."""

    def __init__(self, inner: Endpoint) -> None:
        self._inner = inner

    async def send(self, request: Request, *, fresh: bool = False) -> Exchange:
        """Carry one request; what is shared is the run's own affair."""
        del fresh
        return await self._inner.send(request)


async def findings_of(fault: str, tier: Tier = Tier.STANDARD) -> tuple[list[Finding], int]:
    """Run the suite, and return its findings and how many exchanges it made."""
    target = Target("http://imagined/v1", MODEL, "openai", "sk-Zk3hT9wQ1vB7nM5xL2cD8f")
    inner = ImaginedEndpoint(OPENAI)
    endpoint: Endpoint = endpoint_with(fault, inner) if fault else inner
    findings, made = [], 0
    async with aclosing(run(target, OPENAI, Options(tier), transport=Alone(endpoint))) as events:
        async for event in events:
            made += isinstance(event, ExchangeMade)
            if isinstance(event, FindingMade):
                findings.append(event.finding)
    return findings, made


def test_what_no_check_asked_about_is_found_by_who_asks_nothing() -> None:
    findings, _ = asyncio.run(findings_of("total-mismatch@echo"))
    accused = {f.id: f for f in findings if f.verdict in BROKEN}
    assert accused.keys() == {"usage.total-everywhere"}
    finding = accused["usage.total-everywhere"]
    assert "those with `echo`" in str(finding.seen)
    assert 1 <= len(finding.exchanges) <= 5


def test_what_a_check_has_found_is_not_told_again() -> None:
    findings, _ = asyncio.run(findings_of("usage-missing", Tier.SMOKE))
    assert {f.id for f in findings if f.verdict in BROKEN} == {"usage.present"}
    told = {f.id: f.message for f in findings if f.verdict is Verdict.SKIPPED}
    assert told["usage.present-everywhere"] == "usage.present found this already"


def test_looking_sends_nothing_and_comes_last() -> None:
    findings, made = asyncio.run(findings_of("", Tier.SMOKE))
    asking = [finding for finding in findings if finding.id not in INVARIANTS]
    assert made == len({exchange for finding in asking for exchange in finding.exchanges})
    positions = [i for i, finding in enumerate(findings) if finding.id in INVARIANTS]
    assert positions
    assert all(finding.exchanges == () for finding in findings if finding.id in INVARIANTS)


def test_log_probabilities_that_are_missing_altogether_are_told_once() -> None:
    findings, _ = asyncio.run(findings_of("logprobs-dropped"))
    accused = {f.id for f in findings if f.verdict in BROKEN and f.subject == "logprobs"}
    assert {key for key in accused if not key.endswith("-refused")} == {"logprobs.returned"}
