"""Where texts end, ids and prompt scores in the vLLM dialect, against transformers in 64 bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from tests.oracle.client import Json
from tests.oracle.oracle import MODEL, Oracle
from tests.servers import running_server

PROMPT = "1, 2, 3, 4, 5,"
ENDED = "The end."


@pytest.fixture(scope="module")
def vllm(oracle: Oracle) -> Iterator[Oracle]:
    with running_server("--dialect", "vllm") as server:
        headers = {"Authorization": f"Bearer {server.key}"}
        with httpx.Client(base_url=server.base_url, headers=headers, timeout=60) as client:
            yield Oracle(client, oracle.model, oracle.vocabulary)


def ask(oracle: Oracle, **body: Any) -> Json:
    whole = {"model": MODEL, "prompt": PROMPT, "temperature": 0, "max_tokens": 8, **body}
    response = oracle.client.post("/completions", json=whole)
    assert response.status_code == 200, response.text
    result: Json = response.json()
    return result


def greedy(oracle: Oracle, prompt: str, count: int, held: dict[int, int]) -> list[int]:
    """The likeliest tokens; ``held`` are those that may not come before a place."""
    ids = list(oracle.vocabulary.encode(prompt))
    taken: list[int] = []
    while len(taken) < count:
        logits = oracle.model.read((*ids, *taken))[-1].logits.copy()
        logits[list(oracle.vocabulary.unspoken)] = -np.inf
        for token, place in held.items():
            if len(taken) < place:
                logits[token] = -np.inf
        taken.append(int(logits.argmax()))
        if taken[-1] == oracle.vocabulary.end:
            break
    return taken


@pytest.mark.parametrize("least", [0, 1, 3, 6])
def test_end_is_held_until_min_tokens(vllm: Oracle, least: int) -> None:
    expected = greedy(vllm, ENDED, 8, {vllm.vocabulary.end: least})
    response = ask(vllm, prompt=ENDED, min_tokens=least, return_token_ids=True)
    assert response["choices"][0]["token_ids"] == expected
    assert response["usage"]["completion_tokens"] == len(expected)


@pytest.mark.parametrize("least", [0, 2, 5])
def test_stop_token_ends_after_min_tokens(vllm: Oracle, least: int) -> None:
    free = greedy(vllm, PROMPT, 8, {})
    stop = free[2]
    expected = greedy(vllm, PROMPT, 8, {stop: least, vllm.vocabulary.end: least})
    expected = expected[: expected.index(stop) + 1] if stop in expected else expected
    choice = ask(vllm, stop_token_ids=[stop], min_tokens=least, return_token_ids=True)["choices"][0]
    assert choice["token_ids"] == expected
    stopped = expected[-1] == stop
    assert choice["finish_reason"] == ("stop" if stopped else "length")
    assert choice["stop_reason"] == (stop if stopped else None)
    spelt = b"".join(vllm.vocabulary.spellings[token] for token in expected)
    assert choice["text"] == spelt.decode()


@pytest.mark.parametrize("stream", [False, True])
def test_stop_sequence_is_kept_whole(vllm: Oracle, stream: bool) -> None:
    usual = ask(vllm)["choices"][0]["text"]
    stop = usual[2:6]
    body = {"stop": stop, "include_stop_str_in_output": True, "stream": stream}
    if not stream:
        assert ask(vllm, **body)["choices"][0]["text"] == usual[: usual.index(stop) + len(stop)]
        return
    whole = {"model": MODEL, "prompt": PROMPT, "temperature": 0, "max_tokens": 8, **body}
    lines = vllm.client.post("/completions", json=whole).text.split("\n\n")
    texts = [httpx.Response(200, text=x[6:]).json()["choices"][0]["text"] for x in lines[:-2]]
    assert "".join(texts) == usual[: usual.index(stop) + len(stop)]


@pytest.mark.parametrize("count", [0, 3, -1])
def test_prompt_scores_are_exact(vllm: Oracle, count: int) -> None:
    ids = vllm.vocabulary.encode(PROMPT)
    rows = vllm.model.read(ids)
    listed = ask(vllm, prompt_logprobs=count, max_tokens=1)["choices"][0]["prompt_logprobs"]
    assert listed[0] is None
    assert len(listed) == len(ids)
    for row, token, entry in zip(rows[:-1], ids[1:], listed[1:], strict=True):
        wanted = len(row.scores) if count < 0 else count
        assert wanted <= len(entry) <= wanted + 1
        own = entry[str(token)]
        assert abs(own["logprob"] - row.scores[token]) <= 2 * row.tolerance
        near = np.abs(row.scores - row.scores[token]) <= 2 * row.tolerance
        above = int((row.scores > row.scores[token]).sum())
        assert abs(own["rank"] - 1 - above) <= int(near.sum())
        for name, one in entry.items():
            assert abs(one["logprob"] - row.scores[int(name)]) <= 2 * row.tolerance


def test_ids_of_the_prompt_are_those_read(vllm: Oracle) -> None:
    choice = ask(vllm, return_token_ids=True)["choices"][0]
    assert tuple(choice["prompt_token_ids"]) == tuple(vllm.vocabulary.encode(PROMPT))
