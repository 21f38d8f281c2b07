"""The profile says of a server what LiteLLM's SDK makes of it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.readiness import Readiness, readiness_at
from tests.clients.scripted_endpoint import JSON, Heard, ScriptedResponse, endpoint_that
from tests.environments import python_of
from tests.servers import running_server

pytestmark = pytest.mark.heavy_client("740 MB")

HERE = Path(__file__).parent
SCRIPT = HERE / "litellm_readiness.py"


def asked(base_url: str, key: str) -> dict[str, Any]:
    """What each call of the SDK returns, or the error that it raises."""
    ended = subprocess.run(
        [str(python_of(HERE / "environments" / "litellm.txt")), str(SCRIPT)],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        env={
            **os.environ,
            "BASE_URL": base_url,
            "API_KEY": key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
    )
    assert ended.returncode == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def compared(*options: str) -> tuple[dict[str, Any], Readiness]:
    """What the SDK makes of a server, and what the profile says of it."""
    with running_server(*options) as server:
        return asked(server.base_url, server.key), readiness_at(server, "litellm")


def test_sdk_works_where_the_profile_says_so() -> None:
    seen, said = compared()
    completion = seen["completion"]["got"]
    assert completion["choices"][0]["text"] == seen["stream"]["got"]
    assert completion["usage"]["completion_tokens"] == 16
    assert seen["refused"]["error"] == "BadRequestError"
    assert seen["stranger"]["error"] == "AuthenticationError"
    assert (said.word, said.exit_code) == ("ready", 0)


def test_chat_shape_has_no_text() -> None:
    seen, said = compared("--fault", "chat-shaped-answer")
    assert seen["completion"]["got"]["choices"][0]["text"] is None
    assert said.unmet == {"completions"}


def test_missing_usage_counts_as_zero() -> None:
    seen, said = compared("--fault", "usage-missing")
    assert seen["completion"]["got"]["usage"]["total_tokens"] == 0
    assert "0" in said.without("usage")
    assert said.unmet == {"usage"}


def test_chunks_of_chat_stream_no_text() -> None:
    seen, said = compared("--fault", "stream-chat-delta")
    assert seen["stream"] == {"got": "", "error": None}
    assert said.unmet == {"streams"}


def test_error_with_200_raises_nothing() -> None:
    seen, said = compared("--fault", "error-as-200")
    assert seen["refused"] == {"got": None, "error": None}
    assert said.unmet == {"errors"}


def test_wrong_key_becomes_a_bad_request() -> None:
    seen, said = compared("--fault", "wrong-key-is-bad-request")
    assert seen["stranger"]["error"] == "BadRequestError"
    assert said.unmet == {"errors"}


@pytest.mark.parametrize("fault", ["unprocessable-for-bad-request", "bare-error-envelope"])
def test_other_rejections_are_bad_requests_too(fault: str) -> None:
    seen, said = compared("--fault", fault)
    assert seen["refused"]["error"] == "BadRequestError"
    assert seen["stranger"]["error"] == "AuthenticationError"
    assert said.word == "ready"


def test_server_fault_for_bad_input_is_repeated() -> None:
    """The SDK is asked for a bad completion once, and sends it three times."""
    body = json.dumps({"error": {"message": "no", "type": "server_error"}}).encode()

    def fails(_: object) -> ScriptedResponse:
        return 500, JSON, body

    heard: list[Heard] = []
    with endpoint_that(fails, heard) as endpoint:
        seen = asked(endpoint.base_url, endpoint.api_key)
    assert seen["refused"]["error"] == "InternalServerError"
    assert sum(one.body["temperature"] == 9 for one in heard) == 3
    with running_server("--fault", "server-error-on-bad-input") as server:
        said = readiness_at(server, "litellm")
    assert "three times" in said.without("retries")
    assert said.unmet == {"retries"}


def test_requests_are_those_of_the_profile() -> None:
    heard: list[Heard] = []
    with endpoint_that(lambda _: (404, JSON, b"{}"), heard) as endpoint:
        asked(endpoint.base_url, endpoint.api_key)
    profile = HERE.parents[1] / "spec" / "profiles" / "litellm.yaml"
    written = yaml.safe_load(profile.read_text("utf-8"))["requests"]
    for sent, request in zip(heard, written.values(), strict=False):
        assert {**sent.body, "model": None} == {**request["body"], "model": None}
