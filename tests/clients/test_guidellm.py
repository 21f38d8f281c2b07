"""GuideLLM measures a server where the profile says that it can."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lm_eval.running import CHECKPOINT
from tests.clients.readiness import Readiness, readiness_at
from tests.environments import python_of
from tests.servers import running_server

pytestmark = pytest.mark.heavy_client("370 MB on top of the development environment")

PINS = Path(__file__).parent / "environments" / "guidellm.txt"
MODEL = "gpt-3.5-turbo-instruct"
REQUESTS, TOKENS = 3, 16


def measured(options: str, folder: Path) -> tuple[dict[str, Any], Readiness]:
    """The metrics of a benchmark of a few requests, and what the profile says of the server."""
    report = folder / "report.json"
    with running_server(*options.split()) as server:
        backend = {
            "kind": "openai_http",
            "target": server.base_url.removesuffix("/v1"),
            "model": MODEL,
            "request_format": "/v1/completions",
            "api_key": server.key,
        }
        settings = {
            "--backend": backend,
            "--profile": {"kind": "synchronous"},
            "--constraint": {"kind": "max_requests", "count": REQUESTS},
            "--tokenizer": {"kind": "huggingface_auto", "model": CHECKPOINT},
            "--data": {"kind": "synthetic_text", "prompt_tokens": 16, "output_tokens": TOKENS},
            "--output": {"kind": "json", "path": report},
        }
        words = [
            word
            for option, values in settings.items()
            for word in (option, ",".join(f"{name}={value}" for name, value in values.items()))
        ]
        ended = subprocess.run(
            [
                str(python_of(PINS, layered=True)),
                "-m",
                "guidellm",
                "run",
                *words,
                "--disable-console",
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
        said = readiness_at(server, "guidellm")
    assert ended.returncode == 0, ended.stderr
    (benchmark,) = json.loads(report.read_text("utf-8"))["benchmarks"]
    metrics: dict[str, Any] = benchmark["metrics"]
    return metrics, said


def test_benchmark_counts_every_token(tmp_path: Path) -> None:
    metrics, said = measured("--dialect vllm", tmp_path)
    assert metrics["request_totals"]["successful"] == REQUESTS
    assert metrics["output_token_count"]["successful"]["total_sum"] == REQUESTS * TOKENS
    assert (said.word, said.exit_code) == ("ready", 0)


def test_rejected_ignore_eos_ends_the_benchmark(tmp_path: Path) -> None:
    """The rejection conforms to OpenAI's contract, and no request is measured."""
    metrics, said = measured("", tmp_path)
    assert metrics["request_totals"] == {
        "successful": 0,
        "errored": REQUESTS,
        "incomplete": 0,
        "total": REQUESTS,
    }
    assert {"request", "exact-length", "usage"} == said.unmet


def test_plan_stands_in_for_missing_usage(tmp_path: Path) -> None:
    metrics, said = measured("--dialect vllm --fault usage-missing", tmp_path)
    successful = metrics["request_totals"]["successful"]
    assert successful > 0
    assert metrics["output_token_count"]["successful"]["total_sum"] == successful * TOKENS
    assert said.unmet == {"usage"}
    assert "reports the planned numbers of tokens as measured" in said.without("usage")


def test_benchmark_needs_no_done(tmp_path: Path) -> None:
    metrics, said = measured("--dialect vllm --fault missing-done", tmp_path)
    assert metrics["request_totals"]["errored"] == 0
    assert said.word == "ready"
