"""Each variant is visible, and most leave the texts unchanged."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from reference_server.behaviour.registry import all_variants
from tests.reference_server.variants.variant_client import COUNTING, Shown, chunks_of, texts_of

TIMED = {
    "slow-first-token",
    "jitter",
    "bursts",
    "far-away",
    "one-at-a-time",
    "odd-portions",
    "one-portion",
    "uneven-arrivals",
    "near-ties-in-batches",
    "idle-closed-soon",
}
"""Variants that show in the course of time alone; `test_pace.py` looks at them."""
RARE = {
    name
    for name, known in all_variants().items()
    if known.area in ("transient-errors", "near-ties")
}
"""Variants that show now and then."""
OTHER_TEXTS = {known.name for known in all_variants().values() if known.area == "models"} | {
    "cut-tail-dropped",
    "filtered",
    "near-ties-often",
    "near-ties",
    "near-ties-when-cached",
}
"""Variants whose very point it is that another text comes back."""

CLOCKS = {"clock-behind", "clock-ahead"}
"""Variants that show in what is new in every answer."""

NEW_EACH_TIME = {"date", "x-request-id", "openai-processing-ms", "content-length"}
NEW = re.compile(r'(?<="cmpl-)[^"]+|(?<="created":)\s*\d+')
"""What is new in every answer: the rest of the id, and the second."""

REPORTED = {"logprobs": 3, "max_tokens": 12}
CHINESE = "汉字:龘靐齉爩鱻麤"
PROBES: list[dict[str, Any]] = [
    {**REPORTED, "n": 2},
    {"stream": True, "n": 2, "max_tokens": 3},
    {**REPORTED, "stream": True, "n": 2, "stream_options": {"include_usage": True}},
    {**REPORTED, "echo": True, "prompt": [COUNTING, "Once upon a time"]},
    {**REPORTED, "stream": True, "echo": True},
    {"stream": True, "echo": True, "max_tokens": 1},
    {"stop": "9", **REPORTED},
    {"prompt": "The", "logprobs": 0, "max_tokens": 16},
    {"prompt": CHINESE, "max_tokens": 3, "logprobs": 2},
    {"prompt": list("abcdefgh"), "max_tokens": 1},
    {"prompt": [16, 17], "max_tokens": 1},
    {"prompt": [13, 190, 191], "max_tokens": 1, "echo": True, "logprobs": 1},
    {"temperature": 1, "seed": 3, "logprobs": 2, "best_of": 3},
    {"n": 5, "temperature": 1, "seed": 1},
    {"max_tokens": 508},
    {"stop": "", "prompt": [COUNTING, "Once upon a time"], "max_tokens": 2},
    {"max_tokens": 0},
    {"max_tokens": 0, "echo": True},
    {"logprobs": 9},
    {"suffix": " and so on", "max_tokens": 2},
    {"suffix": " and so on", "max_tokens": 2, "echo": True},
    {"logit_bias": {"16": 1}, "max_tokens": 1},
    {"presence_penalty": 0.5, "max_tokens": 1},
    {"user": "someone", "max_tokens": 1},
    {"unknown": 1, "max_tokens": 1},
    {"stop": "", "max_tokens": 1},
    {"prompt": "", "max_tokens": 1},
    {"temperature": 9},
    {"max_tokens": 10_000_000},
    {"stream": True, "max_tokens": 1, "stream_options": {"include_usage": 1}},
    {"model": "no-such-model"},
    {"key": "sk-wrong"},
]
EXTENDED: list[dict[str, Any]] = [
    {"top_k": 1, "max_tokens": 1},
    {"min_tokens": 1, "max_tokens": 1},
    {"stop_token_ids": [15], "max_tokens": 4},
    {"structured_outputs": {"json": {"enum": [{"a": 1, "b": "汉"}]}}, "max_tokens": 30},
    {"structured_outputs": {"regex": "("}, "max_tokens": 1},
]
"""Requests with parameters of living servers; the id 15 is the comma, the second token."""


def seen(response: httpx.Response) -> str:
    """What a client gets, without what is new in every answer."""
    headers = sorted(
        (name, "" if name in NEW_EACH_TIME else value) for name, value in response.headers.items()
    )
    text = NEW.sub("", response.text)
    return f"{response.status_code} {headers} {text}"


@pytest.mark.parametrize("name", sorted(all_variants().keys() - TIMED - RARE - CLOCKS))
def test_each_variant_is_visible(shown: Shown, name: str) -> None:
    dialect = all_variants()[name].dialect
    for probe in PROBES if dialect == "reference" else [*EXTENDED, *PROBES]:
        plain = shown.post("none", dialect=dialect, **probe)
        if seen(shown.post(name, dialect=dialect, **probe)) != seen(plain):
            return
    pytest.fail("it answers every request as the plain server does")


@pytest.mark.parametrize("name", sorted(all_variants().keys() - RARE - OTHER_TEXTS - {"gzip"}))
def test_variant_has_the_texts_of_the_unmodified_server(shown: Shown, name: str) -> None:
    for body in ({"n": 2}, {"logprobs": 2, "echo": True}, {"prompt": CHINESE}):
        right = {c["index"]: c["text"] for c in shown.non_streaming("none", **body)["choices"]}
        non_streaming, stream = shown.post(name, **body), shown.post(name, stream=True, **body)
        for response in (non_streaming, stream):
            if response.status_code != 200:
                assert all_variants()[name].refuses, response.text
                assert response.status_code == 400
                assert response.json()["error"]["message"]
        if non_streaming.status_code == 200:
            assert {c["index"]: c["text"] for c in non_streaming.json()["choices"]} == right
        if stream.status_code == 200:
            assert texts_of(chunks_of(stream.text)) == right


@pytest.mark.parametrize(("name", "by"), [("clock-behind", -2), ("clock-ahead", 2)])
def test_clock_variants_have_other_times(shown: Shown, name: str, by: int) -> None:
    # The clocks are read one after the other, around the one in question.
    before = shown.non_streaming("none")["created"]
    other = shown.non_streaming(name)["created"]
    after = shown.non_streaming("none")["created"]
    assert before + by <= other <= after + by
