"""LiteLLM's proxy as a relay in front of the reference server: what arrives, what is lost on the
way, and that a run of the suite finds just that.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.litellm_proxy import KEY, MODEL, litellm_proxy
from tests.servers import RunningServer

pytestmark = pytest.mark.heavy_client("740 MB")

HERE = Path(__file__).parent
GREEDY = {"prompt": "1, 2, 3,", "max_tokens": 6, "temperature": 0}


@dataclass(frozen=True)
class Relay:
    base_url: str
    client: httpx.Client
    direct: httpx.Client
    """The server behind it."""

    def both(self, **request: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The answers of the relay and of the server to the same question."""
        relayed = self.client.post("/completions", json={"model": MODEL, **request})
        body = self.direct.post("/completions", json={"model": "davinci-002", **request})
        assert (relayed.status_code, body.status_code) == (200, 200), relayed.text + body.text
        return relayed.json(), body.json()

    def chunks(self, **request: Any) -> list[dict[str, Any]]:
        response = self.client.post(
            "/completions", json={"model": MODEL, "stream": True, **request}
        )
        assert response.status_code == 200, response.text
        events = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
        assert events[-1] == "[DONE]"
        return [json.loads(event) for event in events[:-1]]


@pytest.fixture(scope="module")
def relay(server: RunningServer) -> Iterator[Relay]:
    with (
        litellm_proxy(server) as base_url,
        httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {KEY}"}, timeout=60
        ) as client,
        httpx.Client(base_url=server.base_url, headers=server.headers, timeout=60) as direct,
    ):
        yield Relay(base_url, client, direct)


def test_non_streaming_responses_are_unchanged(relay: Relay) -> None:
    for request in (
        GREEDY,
        {**GREEDY, "echo": True, "logprobs": 2, "n": 2},
        {"prompt": ["One,", "二，"], "n": 2, "seed": 1, "max_tokens": 4},
        {"prompt": [[5, 6, 7]], "seed": 1, "max_tokens": 4, "top_p": 0.9},
        {**GREEDY, "suffix": " 9, 10", "stop": ["\n"]},
    ):
        relayed, body = relay.both(**request)
        for got, wanted in zip(relayed["choices"], body["choices"], strict=True):
            assert {name: got[name] for name in wanted} == wanted, request
        assert relayed["usage"].items() >= body["usage"].items()


def test_stream_loses_logprobs_and_its_usage_chunk(relay: Relay) -> None:
    _, request = relay.both(**GREEDY)
    chunks = relay.chunks(**GREEDY, logprobs=2)
    texts = [choice.get("text") for chunk in chunks for choice in chunk["choices"]]
    assert "".join(filter(None, texts)) == request["choices"][0]["text"]
    assert texts[-1] is None, "the chunk that finishes has no text"
    assert not any(c.get("logprobs") for chunk in chunks for c in chunk["choices"])
    assert all(chunk.get("usage") for chunk in chunks), "usage comes with every chunk"


@pytest.mark.parametrize("request_", [{**GREEDY, "n": 3}, {**GREEDY, "prompt": ["a", "b"]}])
def test_every_streamed_choice_becomes_number_0(relay: Relay, request_: dict[str, Any]) -> None:
    indexes = {c["index"] for chunk in relay.chunks(**request_) for c in chunk["choices"]}
    assert indexes == {0}


def test_fifth_stop_sequence_is_dropped(relay: Relay) -> None:
    stop = ["§a", "§b", "§c", "§d", " 4"]
    response = relay.client.post("/completions", json={"model": MODEL, **GREEDY, "stop": stop})
    assert response.status_code == 200
    assert " 4" in response.json()["choices"][0]["text"]
    refused = relay.direct.post(
        "/completions", json={"model": "davinci-002", **GREEDY, "stop": stop}
    )
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Authorization": ""}, {"model": MODEL, **GREEDY}, 500),
        ({"Authorization": "Bearer sk-wrong"}, {"model": MODEL, **GREEDY}, 400),
        ({}, {"model": "unknown", **GREEDY}, 400),
        ({}, [], 500),
    ],
    ids=["no key", "a wrong key", "an unknown model", "an array"],
)
def test_proxy_refusals_differ_from_the_documented_ones(
    relay: Relay, headers: dict[str, str], body: object, status: int
) -> None:
    assert relay.client.post("/completions", json=body, headers=headers).status_code == status


def test_run_finds_exactly_what_is_lost(relay: Relay, tmp_path: Path) -> None:
    target = ["--base-url", relay.base_url, "--model", MODEL, "--api-key-env", "RELAY_TEST_KEY"]
    ended = subprocess.run(
        [sys.executable, "-m", "conformance", "run", *target, "--out", str(tmp_path / "run")],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=600,
        env={**os.environ, "RELAY_TEST_KEY": KEY},
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    results = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))
    recorded = yaml.safe_load((HERE / "litellm_proxy.yaml").read_text("utf-8"))
    for kind in ("parameters", "fields"):
        lost = {
            row["name"]: row["state"]
            for row in results[kind]
            if row["state"] not in ("honoured", "accepted", "untested")
        }
        assert lost == recorded[kind]
