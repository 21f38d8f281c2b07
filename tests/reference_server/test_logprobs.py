"""Scores of tokens: from the model, ranked, and always with the sampled token."""

import math

import numpy as np
import pytest

from reference_server.engine.logprobs import render, score

LOGITS = np.array([[1.0, 3.0, 2.0, 3.0, -50.0], [0.0, 0.0, 0.0, 0.0, 200.0]], np.float32)
TOTAL = math.log(math.e + 2 * math.e**3 + math.e**2 + math.e**-50)


def test_sampled_token_is_added_to_the_likeliest() -> None:
    (scored,) = score(LOGITS[:1], [0], 2)
    assert [token for token, _ in scored.top] == [1, 3, 0]
    assert scored.logprob == scored.top[-1][1] == pytest.approx(1 - TOTAL, abs=1e-6)


def test_likely_sampled_token_is_not_duplicated() -> None:
    (scored,) = score(LOGITS[:1], [3], 2)
    assert [token for token, _ in scored.top] == [1, 3]


def test_without_alternatives_only_the_token_is_listed() -> None:
    assert [s.top for s in score(LOGITS, [1, 4], 0)] == [
        ((1, score(LOGITS, [1, 4], 0)[0].logprob),),
        ((4, 0.0),),
    ]


def test_certain_token_has_logprob_zero() -> None:
    scored = score(LOGITS, [1, 4], 5)[1]
    assert scored.logprob == 0.0
    assert all(value <= 0 for _, value in scored.top)
    assert [token for token, _ in scored.top] == [4, 0, 1, 2, 3], "equals by their ids"


@pytest.mark.parametrize(
    ("token", "name"),
    [
        (b" the", " the"),
        ("世".encode(), "世"),
        (b"\xe2\x80", "bytes:\\xe2\\x80"),
        (b"a\xf0", "bytes:\\x61\\xf0"),
        (b"<|endoftext|>", "<|endoftext|>"),
    ],
)
def test_parts_of_characters_are_shown_as_bytes(token: bytes, name: str) -> None:
    assert render(token) == name
