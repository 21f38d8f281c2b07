"""Sampling parameters of today's servers, token by token in 64 bits.

vLLM (v1/sample/sampler.py, 0.32): the repetition penalty scales the biased logits of all tokens of
the prompt and the completion, then the other penalties count the completion; the temperature
applies, then ``min_p``, ``top_k`` and ``top_p``, each to what is left. llama.cpp (the order of
``--samplers`` in tools/server/README.md): penalties of the last 64 tokens, ``top_k``, ``top_p``,
``min_p``, and the temperature last.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from tests.oracle import probability
from tests.oracle.client import ask
from tests.oracle.model import Floats
from tests.oracle.oracle import MODEL, Oracle
from tests.oracle.request import Prompt
from tests.servers import running_server

SEED = 11
LENGTH = 20
PROMPT = "The old king sees the small cat.\nThe old king"
WINDOW = 64


@pytest.fixture(scope="module", params=["vllm", "llama-cpp"])
def living(request: pytest.FixtureRequest, oracle: Oracle) -> Iterator[tuple[str, Oracle]]:
    with running_server("--dialect", request.param) as server:
        headers = {"Authorization": f"Bearer {server.key}"}
        with httpx.Client(base_url=server.base_url, headers=headers, timeout=60) as client:
            yield request.param, Oracle(client, oracle.model, oracle.vocabulary)


def penalised(logits: Floats, given: dict[str, Any], prompt: list[int], new: list[int]) -> Floats:
    """The logits with all penalties, by the formulas of Keskar et al. and of OpenAI."""
    result = logits.copy()
    is_llama = "repeat_penalty" in given
    counted = [*prompt, *new][-WINDOW:] if is_llama else new
    scaled = counted if is_llama else [*prompt, *new]
    factor = given.get("repetition_penalty", given.get("repeat_penalty", 1.0))
    for token in set(scaled):
        result[token] = result[token] / factor if result[token] > 0 else result[token] * factor
    for token in set(counted):
        result[token] -= counted.count(token) * given.get("frequency_penalty", 0.0)
        result[token] -= given.get("presence_penalty", 0.0)
    return result


def distribution(logits: Floats, given: dict[str, Any], name: str, slack: float) -> Floats:
    """What each token is drawn with; ``slack`` widens or narrows the borders."""
    temperature = given.get("temperature", 1.0)
    steps = {"top_k": _likeliest, "min_p": _relative, "top_p": _nucleus}
    order = ("min_p", "top_k", "top_p") if name == "vllm" else ("top_k", "top_p", "min_p")
    defaults = {"top_k": 40, "top_p": 0.95, "min_p": 0.05} if name == "llama-cpp" else {}
    likely = probability.probabilities(logits, temperature if name == "vllm" else 1.0)
    for step in order:
        limit = given.get(step, defaults.get(step))
        if limit is not None:
            likely = steps[step](likely, limit, slack)
    if name == "llama-cpp":
        left = np.where(likely > 0, logits, -np.inf)
        likely = np.where(likely > 0, probability.probabilities(left, temperature), 0.0)
    return likely / likely.sum()


def _likeliest(likely: Floats, count: int, slack: float) -> Floats:
    border = np.sort(likely)[-count] if count < len(likely) else 0.0
    return np.where(likely >= border * (1 - slack), likely, 0.0)


def _relative(likely: Floats, share: float, slack: float) -> Floats:
    return np.where(likely >= share * likely.max() * (1 - slack), likely, 0.0)


def _nucleus(likely: Floats, top_p: float, slack: float) -> Floats:
    return probability.nucleus(likely / likely.sum(), min(1.0, top_p + slack))


REQUESTS = {
    "vllm": [
        {"top_k": 3, "temperature": 2.0},
        {"min_p": 0.2, "temperature": 2.0},
        {"top_k": 6, "min_p": 0.02, "top_p": 0.8, "temperature": 1.7},
        {"repetition_penalty": 1.8, "temperature": 1.2},
        {"repetition_penalty": 0.7, "frequency_penalty": 0.6, "presence_penalty": -0.4},
        {"repetition_penalty": 1.3, "temperature": 0},
    ],
    "llama-cpp": [
        {"top_k": 3, "top_p": 1, "min_p": 0, "temperature": 2.0, "repeat_penalty": 1},
        {"min_p": 0.3, "top_k": 0, "temperature": 2.0, "repeat_penalty": 1},
        {"temperature": 1.5, "repeat_penalty": 1.4, "frequency_penalty": 0.3},
        {"temperature": 0, "repeat_penalty": 1.2},
    ],
}


def test_each_token_is_drawn_as_documented(living: tuple[str, Oracle]) -> None:
    name, oracle = living
    vocabulary = oracle.vocabulary
    ids = list(vocabulary.encode(PROMPT))
    for given in REQUESTS[name]:
        body = {"model": MODEL, "prompt": PROMPT, "max_tokens": LENGTH, "seed": SEED, **given}
        response = ask(oracle.client, {**body, "logprobs": 0})
        tokens = [vocabulary.ids[t] for t in response["choices"][0]["logprobs"]["tokens"]]
        candidate = oracle._candidate(Prompt(tuple(ids), tuple(ids), 0), tuple(tokens))
        draws = probability.uniforms(SEED, 0, 0, len(tokens))
        rows = candidate.rows[len(ids) - 1 :]
        for place, token in enumerate(tokens):
            logits = rows[place].logits.copy()
            logits[list(vocabulary.unspoken)] = -np.inf
            logits = penalised(logits, given, ids, tokens[:place])
            seen = f"{name} {given}: token {place}, {token}"
            if given.get("temperature") == 0:
                assert logits[token] > logits.max() - 2 * rows[place].tolerance, seen
                continue
            slack = 4 * rows[place].tolerance
            tried = [distribution(logits, given, name, s) for s in (0.0, slack, -slack)]
            assert any(_draws(likely, token, draws[place], slack) for likely in tried), seen


def _draws(likely: Floats, token: int, draw: float, slack: float) -> bool:
    first, end = probability.drawn_between(likely, token)
    return bool(likely[token] and first - slack <= draw < end + slack)


@pytest.mark.parametrize(
    "given", [{"top_k": 12}, {"min_p": 0.5}, {"repetition_penalty": 1.5}], ids=min
)
def test_each_parameter_changes_the_distribution(given: dict[str, Any]) -> None:
    logits = np.linspace(-1, 3, 40)
    one, other = (
        distribution(penalised(logits, each, [39, 0], []), each, "vllm", 0) for each in (given, {})
    )
    assert not np.allclose(one, other)
