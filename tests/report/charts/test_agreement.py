"""Two log-probabilities of one token are paired by text and offset."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.report.charts import agreement
from tests.report.charts.exchanges import non_streaming, record_of

FIRST = "one two"
TOKENS = [" three", " four", " five", " six", " seven"]
SCORES = [-0.1, -0.5, -2.0, -0.01, -4.0]


def offsets_from(start: int, tokens: list[str]) -> list[int]:
    return [start + sum(map(len, tokens[:place])) for place in range(len(tokens))]


def answer_with(key: str, tokens: Any, offsets: Any, scores: Any, **request: Any):
    logprobs = {"tokens": tokens, "text_offset": offsets, "token_logprobs": scores}
    choice = {"text": "", "index": 0, "logprobs": logprobs}
    return non_streaming(key, choices=[choice], logprobs=1, **request)


def generated(start: int = len(FIRST), scores: Any = SCORES, **request: Any):
    offsets = offsets_from(start, TOKENS)
    return answer_with("g", TOKENS, offsets, scores, **{"prompt": FIRST, **request})


def scored(scores: Any = SCORES, tokens: Any = TOKENS, **request: Any):
    listed = ["one", " two", *tokens]
    request = {"prompt": FIRST + "".join(TOKENS), "echo": True, **request}
    return answer_with("s", listed, offsets_from(0, listed), [None, -1.0, *scores], **request)


def test_tokens_are_paired_by_text_offset() -> None:
    found = agreement.numbers(record_of(generated(), scored()))
    assert found is not None
    assert [(token.generated, token.scored) for token in found] == list(
        zip(SCORES, SCORES, strict=True)
    )
    assert "For all 5 tokens" in agreement.draw(found).says.en
    assert "at most 0.001" in agreement.draw(found).says.en


def test_offsets_may_start_at_the_completion() -> None:
    found = agreement.numbers(record_of(generated(start=0), scored()))
    assert found is not None
    assert len(found) == 5


def test_different_score_is_reported() -> None:
    other = [*SCORES[:3], -1.01, -4.0]
    found = agreement.numbers(record_of(generated(), scored(other)))
    assert found is not None
    says = agreement.draw(found).says
    assert "For 1 of 5 tokens" in says.en
    assert "differ by more than 0.05; maximum 1, " in says.en
    assert "5 个 token 中有 1 个" in says.zh
    assert agreement.ALARM in agreement.draw(found).svg


def test_tokens_after_a_difference_are_not_compared() -> None:
    tokens = [" three", " four", " five", " sax", " seven"]
    assert agreement.numbers(record_of(generated(), scored(tokens=tokens))) is None


@pytest.mark.parametrize(
    "body",
    [
        {"logit_bias": {"5": 1}},
        {"presence_penalty": 1},
        {"frequency_penalty": 1},
        {"prompt": "another"},
        {"prompt": [1, 2]},
        {"suffix": "end"},
    ],
)
def test_other_or_modified_generations_are_not_compared(body: dict) -> None:
    assert agreement.numbers(record_of(generated(**body), scored())) is None


def test_echoed_prompt_is_no_generation() -> None:
    assert agreement.numbers(record_of(scored(), scored())) is None


@pytest.mark.parametrize("scores", ["abc", None, {}, [None] * 5, ["-1"] * 5, [1.0] * 5, [-1e9] * 5])
def test_invalid_score_is_not_drawn(scores: Any) -> None:
    assert agreement.numbers(record_of(generated(scores=scores), scored())) is None


@pytest.mark.parametrize("logprobs", [None, [], "x", {"tokens": TOKENS}])
def test_invalid_logprobs_are_left_out(logprobs: Any) -> None:
    outlier = non_streaming(
        "g", prompt=FIRST, choices=[{"text": "", "logprobs": logprobs}, 7, None]
    )
    assert agreement.numbers(record_of(outlier, scored())) is None
