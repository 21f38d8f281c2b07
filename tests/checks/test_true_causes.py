"""A fault of one thing is not reported as the fault of another."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

import pytest

from conformance.checks._shared.error_bodies import is_named
from conformance.contract import load_contract
from conformance.engine.runner import Options, run
from conformance.model import Effect, Explanation, Finding, Target, Tier, Verdict
from conformance.record.events import FindingMade, RunFinished
from conformance.record.explained import apply_explanations
from tests.checks.catalogue import CHECKS, findings
from tests.fake_server import MODEL, FakeServer

OPENAI = load_contract("openai")
BROKEN = {Verdict.FAIL, Verdict.WARN}


@pytest.mark.parametrize(
    ("fault", "innocent"),
    [
        ("usage-of-batch-unsummed", "prompt.token-batch-served"),
        ("usage-of-batch-unsummed", "max-tokens.each-of-batch"),
        ("usage-multiplied", "max-tokens.each-of-batch"),
        ("prompt-of-first", "prompt.token-batch-served"),
    ],
)
def test_short_bill_leaves_other_promises_kept(fault: str, innocent: str) -> None:
    assert findings(fault, [CHECKS[innocent]])[innocent].verdict is Verdict.PASS


def test_shared_limit_is_found_by_the_texts() -> None:
    found = findings("max-tokens-shared", [CHECKS["max-tokens.each-of-batch"]])
    assert found["max-tokens.each-of-batch"].verdict is Verdict.FAIL


def test_another_default_is_altered_not_ignored() -> None:
    found = findings("temperature-default-zero", [CHECKS["temperature.default-as-one"]])
    assert found["temperature.default-as-one"].verdict is Verdict.WARN
    assert found["temperature.default-as-one"].effect is Effect.ALTERED


@pytest.mark.parametrize(
    ("fault", "once"),
    [
        ("unprocessable-for-bad-request", {"errors.bad-input-is-400"}),
        ("text-error", {"errors.envelope"}),
        (
            "text-error+unprocessable-for-bad-request",
            {"errors.envelope", "errors.bad-input-is-400"},
        ),
    ],
)
def test_form_of_a_refusal_is_told_once(fault: str, once: set[str]) -> None:
    found = asyncio.run(told_of(fault))
    assert {one.requirement for one in found if one.verdict in BROKEN} == once
    assert Verdict.INCONCLUSIVE not in {one.verdict for one in found}


@pytest.mark.parametrize("fault", ["chunk-object-foreign", "role-chunk-first"])
def test_shape_of_chunks_is_told_once(fault: str) -> None:
    found = asyncio.run(told_of(fault))
    told = {one.id for one in found if one.requirement == "streaming.chunk-shape"}
    assert {one.id for one in found if one.verdict in BROKEN} & told == {"streaming.chunk-shape"}


async def told_of(fault: str) -> tuple[Finding, ...]:
    """Return the findings of a whole run, those with a known cause as explained."""
    target = Target("http://fake/v1", MODEL, "openai", "sk-Zk3hT9wQ1vB7nM5xL2cD8f")
    made: list[Finding] = []
    explained: Mapping[str, Explanation] = {}
    events_of = run(target, OPENAI, Options(Tier.STANDARD), transport=FakeServer(fault))
    async with aclosing(events_of) as events:
        async for event in events:
            match event:
                case FindingMade(finding):
                    made.append(finding)
                case RunFinished(footer):
                    explained = footer.explained
    return tuple(apply_explanations(made, explained))


@pytest.mark.parametrize(
    ("parameter", "text", "named"),
    [
        ("top_p", "Top-p must be at most 1", True),
        ("frequency_penalty", "The frequency penalty is too high", True),
        ("max_tokens", "maxTokens: expected integer", True),
        ("temperature", "Temperature is not a number", True),
        ("temperature", "温度必须是数字", True),
        ("n", "the number of completions must be positive", True),
        ("n", "'n' must be positive", True),
        ("n", "no such thing", False),
        ("stop", "nonstop", False),
        ("temperature", "Bad Request", False),
    ],
)
def test_parameter_may_be_named_in_words(parameter: str, text: str, named: bool) -> None:
    assert is_named(parameter, text) is named


@pytest.mark.parametrize("scores", ["", "+no-logprobs"])
def test_cut_seeds_are_told_without_scores(scores: str) -> None:
    checks = ("seed.others-differ", "seed.large-told-apart", "seed.negative-told-apart")
    found = findings(f"seed-32-bits{scores}", [CHECKS[name] for name in checks])
    assert {name: finding.verdict for name, finding in found.items()} == {
        "seed.others-differ": Verdict.PASS,
        "seed.large-told-apart": Verdict.WARN,
        "seed.negative-told-apart": Verdict.PASS,
    }


def test_wrong_type_is_about_its_parameter() -> None:
    about = {one.id: one.subject for one in CHECKS.values() if one.id.endswith("word-refused")}
    assert about["best-of.word-refused"] == "best_of"
    assert "" not in about.values()
    found = findings("best-of-ignored", [CHECKS["best-of.word-refused"]])
    assert found["best-of.word-refused"].subject == "best_of"
