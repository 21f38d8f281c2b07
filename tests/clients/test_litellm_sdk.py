"""LiteLLM's SDK against the reference server, in a separate environment."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.environments import python_of
from tests.servers import RunningServer

pytestmark = pytest.mark.heavy_client("740 MB")

HERE = Path(__file__).parent
MODEL = "gpt-3.5-turbo-instruct"
GREEDY: dict[str, Any] = {"model": MODEL, "prompt": "1, 2, 3,", "max_tokens": 6, "temperature": 0}


@pytest.fixture(scope="module")
def seen(server: RunningServer) -> dict[str, Any]:
    """Everything that the client reported."""
    ended = subprocess.run(
        [str(python_of(HERE / "environments" / "litellm.txt")), str(HERE / "litellm_client.py")],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        env={
            **os.environ,
            "BASE_URL": server.base_url,
            "API_KEY": server.key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
    )
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


@pytest.fixture
def direct(server: RunningServer) -> Iterator[openai.OpenAI]:
    """A client for the same requests without LiteLLM."""
    with openai.OpenAI(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
        yield client


def choices_of(response: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(c["index"], c["text"], c["finish_reason"]) for c in response["choices"]]


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        (
            "plain",
            {**GREEDY, "user": "someone", "presence_penalty": 0.1, "logit_bias": {"0": -100}},
        ),
        ("scored", {**GREEDY, "logprobs": 2, "echo": True, "n": 2}),
        ("batch", {"model": MODEL, "prompt": ["One,", "二，"], "max_tokens": 3, "seed": 1}),
        ("best", {**GREEDY, "temperature": 1, "best_of": 3, "seed": 1, "top_p": 0.9}),
        ("inserted", {**GREEDY, "suffix": " 9, 10", "stop": ["\n"]}),
    ],
)
def test_response_is_unchanged(
    seen: dict[str, Any], direct: openai.OpenAI, name: str, request_: dict[str, Any]
) -> None:
    expected = direct.completions.create(**request_).model_dump()
    assert choices_of(seen[name]) == choices_of(expected)
    for got, wanted in zip(seen[name]["choices"], expected["choices"], strict=True):
        assert got["logprobs"] == wanted["logprobs"]
    for count in ("prompt_tokens", "completion_tokens", "total_tokens"):
        assert seen[name]["usage"][count] == expected["usage"][count]


def test_stream_joins_to_the_non_streaming_response(
    seen: dict[str, Any], direct: openai.OpenAI
) -> None:
    (choice,) = direct.completions.create(**GREEDY).choices
    parts = [part["choices"][0] for part in seen["streamed"]]
    assert "".join(part["text"] or "" for part in parts) == choice.text
    assert [part["finish_reason"] for part in parts if part["finish_reason"]] == ["length"]


def test_asynchronous_responses_are_the_same(seen: dict[str, Any], direct: openai.OpenAI) -> None:
    (choice,) = direct.completions.create(**GREEDY).choices
    assert [choices_of(response) for response in seen["asynchronous"]] == [
        [(0, choice.text, "length")]
    ] * 4


def test_refusals_raise_the_clients_exceptions(seen: dict[str, Any]) -> None:
    assert seen["refusals"] == {
        "temperature": {"name": "BadRequestError", "status": 400},
        "key": {"name": "AuthenticationError", "status": 401},
        "model": {"name": "NotFoundError", "status": 404},
    }
