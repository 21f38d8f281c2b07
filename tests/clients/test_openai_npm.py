"""The openai package from npm against the reference server, run by a Node script."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.npm import installed
from tests.servers import RunningServer

HERE = Path(__file__).parent
SCRIPT = "openai_client.mjs"


@pytest.fixture(scope="session")
def packages() -> Path:
    return installed(HERE)


@pytest.fixture(scope="module")
def seen(packages: Path, server: RunningServer, busy: RunningServer) -> dict[str, Any]:
    """Everything that the client reported."""
    # Node looks for packages beside the script, so the script goes where they are.
    script = Path(shutil.copy(HERE / SCRIPT, packages))
    ended = subprocess.run(
        ["node", str(script)],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={
            **os.environ,
            "BASE_URL": server.base_url,
            "BUSY_URL": busy.base_url,
            "API_KEY": server.key,
        },
    )
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def test_stream_is_the_non_streaming_response(seen: dict[str, Any]) -> None:
    for non_streaming, stream in (("plain", "streamed"), ("unicode", "unicodeStreamed")):
        choices = {str(c["index"]): c["text"] for c in seen[non_streaming]["choices"]}
        assert seen[stream]["texts"] == choices
        assert seen[stream]["usage"] == seen[non_streaming]["usage"]
        assert seen[stream]["finishes"] == [c["index"] for c in seen[non_streaming]["choices"]]


def test_echo_and_logprobs_score_the_prompt(seen: dict[str, Any]) -> None:
    (choice,) = seen["scored"]["choices"]
    assert choice["text"] == "1, 2, 3,"
    assert choice["logprobs"]["token_logprobs"][0] is None
    assert "".join(choice["logprobs"]["tokens"]) == choice["text"]
    prompts = ["春眠不觉晓，", "😀 e\u0301"]
    for choice in seen["unicode"]["choices"]:
        assert choice["text"].startswith(prompts[choice["index"] // 2])


def test_refusals_raise_the_clients_errors(seen: dict[str, Any]) -> None:
    assert [(r["name"], r["status"], r["code"]) for r in seen["refusals"]] == [
        ("BadRequestError", 400, "array_above_max_length"),
        ("NotFoundError", 404, "model_not_found"),
        ("BadRequestError", 400, "decimal_above_max_value"),
        ("AuthenticationError", 401, "invalid_api_key"),
    ]


def test_every_choice_of_the_best_has_its_scores(seen: dict[str, Any]) -> None:
    choices = seen["sampled"]["choices"]
    assert [choice["index"] for choice in choices] == [0, 1]
    means = [
        sum(scores) / len(scores)
        for scores in (choice["logprobs"]["token_logprobs"] for choice in choices)
    ]
    assert means == sorted(means, reverse=True)


def test_raw_response_is_available(seen: dict[str, Any]) -> None:
    raw = seen["raw"]
    assert raw["requestId"].startswith("req_")
    assert raw["types"] == ["application/json", "text/event-stream"]
    assert raw["texts"] == [seen["plain"]["choices"][0]["text"]] * 2
    assert raw["lastLine"] == "data: [DONE]"


def test_rate_limited_client_retries_and_is_served(seen: dict[str, Any]) -> None:
    retried = seen["retried"]
    refusal = retried["refusal"]
    assert (refusal["name"], refusal["status"]) == ("RateLimitError", 429)
    assert set(retried["statuses"][:-1]) == {429}
    assert retried["statuses"][-1] == 200
    assert retried["text"] == seen["plain"]["choices"][0]["text"]


def test_models_are_listed(seen: dict[str, Any]) -> None:
    assert seen["models"] == ["gpt-3.5-turbo-instruct", "davinci-002"]
