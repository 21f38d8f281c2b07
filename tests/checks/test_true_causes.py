"""A fault of one thing is not told as the fault of another, and a doubt is settled by what is known."""

from __future__ import annotations

import pytest

from conformance.model import Effect, Verdict
from tests.checks.catalogue import CHECKS, findings

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


@pytest.mark.parametrize("scores", ["", "+no-logprobs"])
def test_cut_seeds_are_told_without_scores(scores: str) -> None:
    checks = ("seed.others-differ", "seed.large-told-apart", "seed.negative-told-apart")
    found = findings(f"seed-32-bits{scores}", [CHECKS[name] for name in checks])
    assert {name: finding.verdict for name, finding in found.items()} == {
        "seed.others-differ": Verdict.PASS,
        "seed.large-told-apart": Verdict.WARN,
        "seed.negative-told-apart": Verdict.PASS,
    }
