"""Model variants (sure, terse, near-ties and others) are as consistent as real models."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.reference_server.variants.variant_client import COUNTING, Shown, texts_of

STORY = "Once upon a time"


def scores(choice: dict[str, Any]) -> list[tuple[str, float, dict[str, float]]]:
    """Token, its log probability and the alternatives, of each entry that has a score."""
    arrays = choice["logprobs"]
    rows = zip(arrays["tokens"], arrays["token_logprobs"], arrays["top_logprobs"], strict=True)
    return [row for row in rows if row[1] is not None]


def test_terse_model_ends_after_five_tokens(shown: Shown) -> None:
    whole = shown.non_streaming("terse-model", max_tokens=8, logprobs=2)
    (choice,) = whole["choices"]
    right = shown.choice("none", max_tokens=5, logprobs=2)
    assert choice["finish_reason"] == "stop"
    assert choice["text"] == right["text"]
    *before, end = scores(choice)
    assert before == scores(right)
    assert end[0] == "<|endoftext|>"
    assert len(end[2]) == 2
    assert whole["usage"]["completion_tokens"] == 6
    short = shown.choice("terse-model", max_tokens=5)
    assert (short["text"], short["finish_reason"]) == (right["text"], "length")


def test_early_end_applies_to_streams_and_echoes(shown: Shown) -> None:
    body = {"n": 2, "echo": True, "logprobs": 1, "max_tokens": 9}
    non_streaming = shown.non_streaming("terse-model", **body)
    chunks = shown.chunks("terse-model", stream_options={"include_usage": True}, **body)
    assert texts_of(chunks) == {c["index"]: c["text"] for c in non_streaming["choices"]}
    assert chunks[-1]["usage"] == non_streaming["usage"]
    for choice in non_streaming["choices"]:
        parts = [p for c in chunks for p in c["choices"] if p["index"] == choice["index"]]
        assert [p["finish_reason"] for p in parts if p["finish_reason"]] == ["stop"]
        assert [t for p in parts for t in p["logprobs"]["tokens"]] == choice["logprobs"]["tokens"]


def test_stream_can_end_before_its_first_token(shown: Shown) -> None:
    ending = {"logit_bias": {"0": 100}}  # the end of a text
    whole = shown.choice("end-token-unseen", **ending)
    chunks = shown.chunks("end-token-unseen", **ending)
    assert (whole["text"], whole["finish_reason"]) == ("", "stop")
    parts = [part for chunk in chunks for part in chunk["choices"]]
    assert [(part["text"], part["finish_reason"]) for part in parts] == [("", "stop")]


@pytest.mark.parametrize(
    ("name", "reason"), [("silent-model", "stop"), ("filtered", "content_filter")]
)
def test_some_prompts_get_no_text(shown: Shown, name: str, reason: str) -> None:
    prompts = [f"{letter} and" for letter in "abcdefghijklmnop"]
    choices = shown.non_streaming(name, prompt=prompts, max_tokens=2)["choices"]
    empty = {c["index"] for c in choices if not c["text"]}
    assert 1 <= len(empty) <= 8
    assert {c["finish_reason"] for c in choices if c["index"] in empty} == {reason}
    again = shown.choice(name, prompt=prompts[min(empty)], max_tokens=2)
    assert again["text"] == ""


def test_document_can_begin_with_an_empty_completion(shown: Shown) -> None:
    body = {"prompt": None, "max_tokens": 9}
    choice, right = (shown.choice(which, **body) for which in ("terse-model", "none"))
    assert right["text"].startswith(choice["text"])
    assert len(choice["text"]) < len(right["text"])
    echoed = shown.choice("terse-model", echo=True, **body)
    assert echoed["text"] == f"<|endoftext|>{choice['text']}"


def test_sure_model_repeats_at_temperature_one(shown: Shown) -> None:
    def differing(name: str) -> int:
        whole = shown.non_streaming(name, prompt=STORY, temperature=1, n=12, seed=1, max_tokens=8)
        return len({choice["text"] for choice in whole["choices"]})

    assert differing("sure-model") < differing("none")


def test_sure_model_has_matching_log_probabilities(shown: Shown) -> None:
    body = {"prompt": STORY, "echo": True, "logprobs": 3, "max_tokens": 8}
    rows, usual = (scores(shown.choice(name, **body)) for name in ("sure-model", "none"))
    for (token, value, top), (same, _, other) in zip(rows, usual, strict=True):
        assert token == same
        assert value == top[token] <= 0
        assert sum(map(math.exp, top.values())) <= 1 + 1e-9
        best, second = sorted(top.values(), reverse=True)[:2]
        assert best - second >= 9 * (max(other.values()) - sorted(other.values())[-2])


def test_small_context_ends_at_its_limit(shown: Shown) -> None:
    count = shown.non_streaming("none", prompt=COUNTING, max_tokens=1)["usage"]["prompt_tokens"]
    fits = shown.post("small-context", max_tokens=512 - count)
    over = shown.post("small-context", max_tokens=513 - count)
    far = shown.post("small-context", prompt=COUNTING * 400)
    assert (fits.status_code, over.status_code, far.status_code) == (200, 400, 400)
    assert "512" in over.json()["error"]["message"]
    assert "512" in far.json()["error"]["message"]


def test_only_near_ties_flip(shown: Shown) -> None:
    body = {"prompt": STORY, "max_tokens": 10, "logprobs": 2}
    right = scores(shown.choice("none", **body))
    flipped = 0
    for _ in range(12):
        choice = shown.choice("near-ties-often", **body)
        rows = scores(choice)
        assert "".join(token for token, _, _ in rows) == choice["text"]
        if rows == right:
            continue
        flipped += 1
        at = next(i for i, (one, two) in enumerate(zip(rows, right, strict=True)) if one != two)
        (token, value, top), (usual, usually, _) = rows[at], right[at]
        assert token != usual
        assert 0 < top[usual] - value < 0.5
        assert top[usual] == pytest.approx(usually, abs=1e-4)
        on = STORY + "".join(token for token, _, _ in rows[: at + 1])
        rest = shown.choice("none", prompt=on, max_tokens=len(rows) - at - 1 or 1)["text"]
        assert at + 1 == len(rows) or choice["text"].endswith(rest)
    assert 1 <= flipped < 12
