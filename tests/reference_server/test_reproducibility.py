"""Equal requests get equal texts, usage and logprobs under any load."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.reference_server.api import Api
from tests.reference_server.load import respond, responses
from tests.reference_server.request_strategies import END
from tests.servers import RunningServer, running_server

LONG = "The package manager keeps a list. " * 60
ON = {str(END): -100}

REQUESTS: list[dict[str, Any]] = [
    {"prompt": "1, 2, 3,", "temperature": 0, "max_tokens": 90, "logprobs": 5},
    {"prompt": "春眠不觉晓，", "seed": 1, "max_tokens": 40, "logprobs": 3, "logit_bias": ON},
    {
        "prompt": ["one", "二", "👩‍👩‍👧"],
        "seed": 2,
        "n": 2,
        "max_tokens": 12,
        "echo": True,
        "logprobs": 0,
    },
    {"prompt": LONG, "temperature": 0, "max_tokens": 8, "echo": True, "logprobs": 1},
    {"prompt": "and", "seed": 3, "max_tokens": 70, "presence_penalty": 1, "frequency_penalty": 1},
    {"prompt": "Once", "seed": -9, "max_tokens": 16, "n": 2, "best_of": 5, "logprobs": 2},
    {"prompt": "Monday, ", "suffix": ", Wednesday", "seed": 4, "max_tokens": 9, "logprobs": 2},
    {"prompt": [40, 41, 42], "seed": 5, "top_p": 0.8, "temperature": 1.4, "stop": ["e", "的"]},
]


def alone(server: RunningServer, body: dict[str, Any], *, streamed: bool = False) -> dict[str, Any]:
    async def ask() -> dict[str, Any]:
        async with httpx.AsyncClient(
            base_url=server.base_url, headers=server.headers, timeout=60
        ) as client:
            return await respond(client, body, streamed=streamed)

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def expected(server: RunningServer) -> list[dict[str, Any]]:
    """Each request's response without other load."""
    return [alone(server, body) for body in REQUESTS]


@pytest.fixture(scope="module", params=["1", "64"])
def other(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """Servers that run fewer sequences at once, and more."""
    with running_server("--max-running", request.param) as server:
        yield server


def test_repeated_requests_return_the_same(
    server: RunningServer, expected: list[dict[str, Any]]
) -> None:
    assert [alone(server, body) for body in REQUESTS] == expected
    assert [alone(server, body, streamed=True) for body in REQUESTS] == expected


@pytest.mark.parametrize("seed", range(2))
def test_concurrent_requests_do_not_change_the_response(
    server: RunningServer, expected: list[dict[str, Any]], seed: int
) -> None:
    assert asyncio.run(responses(server, REQUESTS, seed)) == expected


def test_row_count_does_not_change_the_response(
    other: RunningServer, expected: list[dict[str, Any]]
) -> None:
    assert [alone(other, body) for body in REQUESTS] == expected
    assert asyncio.run(responses(other, REQUESTS, 7)) == expected


GREEDY = {"temperature": 0, "max_tokens": 20, "logprobs": 4, "logit_bias": ON}
BATCH = ["1, 2, 3,", "甲、乙、", "", LONG, "🎉 🎈", "1, 2, 3,", "a", "The end", "Say", "two"]


@pytest.mark.parametrize(
    "extra", [{}, {"echo": True}, {"suffix": " and so on."}, {"n": 3}], ids=str
)
def test_greedy_batch_equals_its_single_prompts(api: Api, extra: dict[str, Any]) -> None:
    body = {**GREEDY, **extra}
    batch = api.complete(prompt=BATCH, **body)
    single = [api.complete(prompt=prompt, **body) for prompt in BATCH]
    choices = [choice for one in single for choice in one["choices"]]
    assert batch["choices"] == [{**choice, "index": i} for i, choice in enumerate(choices)]
    for name, count in batch["usage"].items():
        assert count == sum(one["usage"][name] for one in single)


SEEDED = {"seed": 17, "max_tokens": 16, "logprobs": 2, "logit_bias": ON}


def test_seeded_choices_depend_only_on_their_position(
    api: Api,
) -> None:
    batch = api.complete(prompt=["Once upon", "Once upon", "a time"], **SEEDED, n=2)["choices"]
    assert batch[:2] == api.complete(prompt="Once upon", **SEEDED, n=2)["choices"]
    assert len({choice["text"] for choice in batch[:4]}) == 4
    again = api.complete(prompt=["else", "Once upon", "a time"], **SEEDED, n=2)["choices"]
    assert again[2:] == batch[2:], "a choice depends on its place, not on the other prompts"


def test_choice_is_independent_of_the_number_of_choices(api: Api) -> None:
    most = api.complete(prompt="Once upon a time", **SEEDED, n=40)["choices"]
    assert len({choice["text"] for choice in most}) > 35
    for n in (1, 2, 7, 39):
        assert api.complete(prompt="Once upon a time", **SEEDED, n=n)["choices"] == most[:n]


@pytest.mark.parametrize(("n", "best_of"), [(1, 2), (1, 20), (3, 7), (19, 20)])
def test_best_of_returns_the_best_candidates(api: Api, n: int, best_of: int) -> None:
    body = {"prompt": "Once upon a time", **SEEDED}

    def content(choice: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in choice.items() if name != "index"}

    def mean(choice: dict[str, Any]) -> float:
        scores: list[float] = choice["logprobs"]["token_logprobs"]
        return sum(scores) / len(scores)

    candidates = [content(choice) for choice in api.complete(**body, n=best_of)["choices"]]
    winners = api.complete(**body, n=n, best_of=best_of)["choices"]
    assert [choice["index"] for choice in winners] == list(range(n))
    assert [content(choice) for choice in winners] == sorted(candidates, key=mean)[::-1][:n]


def test_other_seeds_give_other_texts(api: Api) -> None:
    body = {"prompt": "Once upon a time", "max_tokens": 16, "logit_bias": ON}
    seeds = [0, 1, -1, 2**63 - 1, -(2**63), 2**32, 12345]
    texts = [api.text(**body, seed=seed) for seed in seeds]
    assert len(set(texts)) == len(seeds)
    assert [api.text(**body, seed=seed) for seed in seeds] == texts
    assert len({api.text(**body) for _ in range(5)}) == 5
