"""``vllm bench serve`` measures a server where the profile says that it can."""

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
from tests.field.servers import ENVIRONMENTS
from tests.servers import running_server

pytestmark = pytest.mark.heavy_client("1.5 GB on top of the development environment")

REQUESTS, TOKENS = 3, 16
TOTAL = REQUESTS * TOKENS
SERVES = "--dialect vllm"
"""Its page has `ignore_eos`, which each request of the benchmark contains."""

PROGRAM = """
from vllm.benchmarks.serve import add_cli_args, main
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = FlexibleArgumentParser()
add_cli_args(parser)
main(parser.parse_args())
"""
"""What the command runs. The command itself asks for the version of a package called vllm, which
the build for processors is not."""


def measured(options: str, folder: Path) -> tuple[dict[str, Any], Readiness]:
    """The benchmark's results for a few requests, and what the profile says of the server."""
    python = python_of(ENVIRONMENTS / "vllm.txt", layered=True, complete=True)
    report = folder / "report.json"
    with running_server(*options.split()) as server:
        command = [
            *(python, "-c", PROGRAM, "--backend", "openai", "--endpoint", "/v1/completions"),
            *("--base-url", server.base_url.removesuffix("/v1")),
            *("--model", "gpt-3.5-turbo-instruct", "--tokenizer", CHECKPOINT),
            *("--dataset-name", "random", "--random-input-len", TOKENS),
            *("--random-output-len", TOKENS, "--num-prompts", REQUESTS, "--ignore-eos"),
            *("--temperature", 0, "--max-concurrency", 1, "--disable-tqdm"),
            *("--save-result", "--save-detailed", "--result-filename", report),
        ]
        ended = subprocess.run(
            [str(word) for word in command],
            check=False,
            capture_output=True,
            text=True,
            timeout=300,
            env={
                **os.environ,
                "OPENAI_API_KEY": server.key,
                "HF_HUB_OFFLINE": "1",
                "VLLM_TARGET_DEVICE": "cpu",
                "VLLM_NO_USAGE_STATS": "1",
            },
        )
        said = readiness_at(server, "vllm-bench")
    assert ended.returncode == 0, ended.stderr
    results: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return results, said


def test_benchmark_counts_every_token(tmp_path: Path) -> None:
    results, said = measured(SERVES, tmp_path)
    assert (results["completed"], results["failed"]) == (REQUESTS, 0)
    assert results["total_output_tokens"] == TOTAL
    assert (said.word, said.exit_code) == ("ready", 0)


def test_rejected_ignore_eos_fails_every_request(tmp_path: Path) -> None:
    """The rejection conforms to OpenAI's contract."""
    results, said = measured("", tmp_path)
    assert (results["completed"], results["failed"]) == (0, REQUESTS)
    assert set(results["errors"]) == {"Bad Request"}
    assert "counts every request as failed" in said.without("request")
    assert said.unmet == {"request", "exact-length", "usage"}
    assert (said.word, said.exit_code) == ("not ready", 1)


def test_short_completion_is_a_smaller_load(tmp_path: Path) -> None:
    results, said = measured(f"{SERVES} --fault ignore-eos-one-short", tmp_path)
    assert results["total_output_tokens"] == TOTAL - REQUESTS
    assert said.unmet == {"exact-length"}


def test_doubled_usage_is_reported_as_load(tmp_path: Path) -> None:
    results, said = measured(f"{SERVES} --fault usage-multiplied", tmp_path)
    assert results["total_output_tokens"] == 2 * TOTAL
    assert said.unmet == {"exact-length"}


def test_usage_beside_a_choice_is_overlooked(tmp_path: Path) -> None:
    """The doubled counts do not arrive: the benchmark counts with its own tokenizer."""
    faults = "--fault usage-chunk-with-choice --fault usage-multiplied"
    results, said = measured(f"{SERVES} {faults}", tmp_path)
    assert results["total_output_tokens"] == TOTAL
    assert "its own tokenizer" in said.without("usage")
    assert "usage" in said.unmet


@pytest.mark.parametrize("fault", ["stream-chat-delta", "usage-chunk-without-choices"])
def test_benchmark_needs_neither_text_nor_choices(tmp_path: Path, fault: str) -> None:
    results, said = measured(f"{SERVES} --fault {fault}", tmp_path)
    assert (results["completed"], results["total_output_tokens"]) == (REQUESTS, TOTAL)
    assert said.word == "ready"
