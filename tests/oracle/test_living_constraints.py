"""Constrained decoding, against Python's own `re` and `json`, jsonschema and 64-bit logits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.oracle.client import Json
from tests.oracle.oracle import MODEL, Oracle
from tests.servers import running_server

PROMPT = "1, 2, 3, 4, 5,"
CHOICES = ["red tea", "red bean", "green tea", "六七八", "六🌸"]
EXPRESSION = r"(六|[0-9]{2}|é+)-[a-f]{1,3}(🌸|\n)?"
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 4},
        "kind": {"enum": ["六", 'a"b', None, 3]},
        "counts": {
            "type": "array",
            "items": {"type": "integer", "minimum": 0, "maximum": 99},
            "maxItems": 2,
        },
    },
    "required": ["name", "kind", "counts"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def vllm(oracle: Oracle) -> Iterator[Oracle]:
    with running_server("--dialect", "vllm") as server:
        headers = {"Authorization": f"Bearer {server.key}"}
        with httpx.Client(base_url=server.base_url, headers=headers, timeout=60) as client:
            yield Oracle(client, oracle.model, oracle.vocabulary)


def ask(oracle: Oracle, constraint: dict[str, Any], **body: Any) -> Json:
    whole = {"model": MODEL, "prompt": PROMPT, "max_tokens": 64, **body}
    response = oracle.client.post("/completions", json={**whole, "structured_outputs": constraint})
    assert response.status_code == 200, response.text
    result: Json = response.json()
    return result


def texts(oracle: Oracle, constraint: dict[str, Any]) -> list[str]:
    """Sixteen sampled texts, at a temperature that makes unlikely tokens likely."""
    choices = ask(oracle, constraint, n=16, temperature=2, seed=3)["choices"]
    assert {choice["finish_reason"] for choice in choices} == {"stop"}
    return [choice["text"] for choice in choices]


def greedy(oracle: Oracle, choices: list[str]) -> tuple[list[int], list[float]]:
    """The likeliest allowed tokens, by trying each of the vocabulary, and their log probabilities.

    Those are of all tokens: a constraint changes what is taken, not what is likely.
    """
    vocabulary = oracle.vocabulary
    allowed = [choice.encode() for choice in choices]
    spoken = [t for t in range(vocabulary.size) if t not in vocabulary.unspoken]
    ids = list(vocabulary.encode(PROMPT))
    taken: list[int] = []
    scores: list[float] = []
    text = b""
    while not taken or taken[-1] != vocabulary.end:
        logits = oracle.model.read((*ids, *taken))[-1].logits
        fits = [
            t
            for t in spoken
            if (
                text in allowed
                if t == vocabulary.end
                else any(one.startswith(text + vocabulary.spellings[t]) for one in allowed)
            )
        ]
        taken.append(max(fits, key=lambda t: float(logits[t])))
        scores.append(float(logits[taken[-1]] - np.logaddexp.reduce(logits)))
        text += b"" if taken[-1] == vocabulary.end else vocabulary.spellings[taken[-1]]
    return taken, scores


def test_greedy_text_takes_the_likeliest_allowed_tokens(vllm: Oracle) -> None:
    tokens, scores = greedy(vllm, CHOICES)
    answer = ask(vllm, {"choice": CHOICES}, temperature=0, logprobs=0, return_token_ids=True)
    (choice,) = answer["choices"]
    assert choice["token_ids"] == tokens
    assert choice["logprobs"]["token_logprobs"] == pytest.approx(scores, abs=1e-3)
    assert answer["usage"]["completion_tokens"] == len(tokens)


def test_sampled_choices_are_among_the_choices(vllm: Oracle) -> None:
    sampled = set(texts(vllm, {"choice": CHOICES}))
    assert sampled <= set(CHOICES)
    assert len(sampled) > 2


def test_sampled_texts_match_the_expression(vllm: Oracle) -> None:
    assert all(re.fullmatch(EXPRESSION, text) for text in texts(vllm, {"regex": EXPRESSION}))


def test_sampled_json_is_valid_under_the_schema(vllm: Oracle) -> None:
    for text in texts(vllm, {"json": SCHEMA}):
        Draft202012Validator(SCHEMA).validate(json.loads(text))


def test_grammar_may_contain_itself(vllm: Oracle) -> None:
    grammar = 'root ::= "(" root ")" | [xy]'
    for choice in ask(vllm, {"grammar": grammar}, n=16, seed=3)["choices"]:
        opened = len(choice["text"]) - len(choice["text"].lstrip("("))
        if choice["finish_reason"] == "stop":
            assert re.fullmatch(rf"\({{{opened}}}[xy]\){{{opened}}}", choice["text"])


@pytest.mark.parametrize(
    "more",
    [{"ignore_eos": True}, {"min_tokens": 40}, {"logit_bias": {str(i): -100 for i in range(4096)}}],
)
def test_constraint_ends_a_text_against_others(vllm: Oracle, more: dict[str, Any]) -> None:
    (choice,) = ask(vllm, {"choice": ["red", "green"]}, temperature=0, **more)["choices"]
    assert (choice["text"] in ("red", "green"), choice["finish_reason"]) == (True, "stop")


def test_stream_and_seed_repeat_the_text(vllm: Oracle) -> None:
    first, again = (ask(vllm, {"regex": EXPRESSION}, seed=5)["choices"] for _ in range(2))
    body = {"model": MODEL, "prompt": PROMPT, "max_tokens": 64, "seed": 5, "stream": True}
    constraint = {"structured_outputs": {"regex": EXPRESSION}}
    lines = vllm.client.post("/completions", json={**body, **constraint}).text.split("\n\n")
    chunks = [json.loads(line[6:]) for line in lines if line[6:7] == "{"]
    streamed = "".join(chunk["choices"][0]["text"] for chunk in chunks)
    assert first[0]["text"] == again[0]["text"] == streamed
