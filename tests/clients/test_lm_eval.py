"""lm-evaluation-harness computes the same numbers from the server as from the model.

It reads the server as ``local-completions``: prompts are scored by ``echo`` and ``logprobs`` with
one token generated, so a server that leaves anything out of either scores chance.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lm_eval.direct import Direct, accuracies, perplexities
from tests.clients.lm_eval.running import CHECKPOINT, TASKS, lm_eval
from tests.servers import RunningServer

pytestmark = pytest.mark.heavy_client("640 MB on top of the development environment")

TOLERANCE = 1e-4
"""The server computes in float32."""

SHAPES: Mapping[str, Mapping[str, Any]] = {
    "one at a time": {"batch_size": 1, "num_concurrent": 1, "tokenized_requests": True},
    "batches side by side": {"batch_size": 4, "num_concurrent": 4, "tokenized_requests": True},
    "text instead of tokens": {"batch_size": 3, "num_concurrent": 2, "tokenized_requests": False},
}


@dataclass(frozen=True)
class Evaluation:
    """What the harness wrote down."""

    totals: Mapping[str, Mapping[str, Any]]
    """Metrics by task."""
    responses: Mapping[str, list[list[Any]]]
    """By task and row: one response for each of the row's requests."""


@pytest.fixture(scope="module", params=SHAPES)
def evaluation(
    request: pytest.FixtureRequest,
    server: RunningServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Evaluation:
    folder = tmp_path_factory.mktemp("lm-eval")
    ended = lm_eval(server, folder, tuple(rows_of), **SHAPES[request.param])
    assert ended.returncode == 0, ended.stderr
    (totals,) = folder.glob("davinci-002/results_*.json")
    return Evaluation(
        json.loads(totals.read_text("utf-8"))["results"],
        {task: _responses(folder, task) for task in rows_of},
    )


def _responses(folder: Path, task: str) -> list[list[Any]]:
    (path,) = folder.glob(f"davinci-002/samples_{task}_*.jsonl")
    samples = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    samples.sort(key=lambda sample: sample["doc_id"])
    return [[response for (response,) in sample["resps"]] for sample in samples]


def _rows(name: str) -> list[dict[str, Any]]:
    lines = (TASKS / name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


rows_of = {
    "completions_choices": _rows("choices.jsonl"),
    "completions_rolling": _rows("rolling.jsonl"),
    "completions_answers": _rows("answers.jsonl"),
}


@pytest.fixture(scope="module")
def direct() -> Direct:
    return Direct.of(CHECKPOINT)


@pytest.fixture(scope="module")
def responses(direct: Direct) -> list[str]:
    rows = rows_of["completions_answers"]
    return [direct.greedy(row["prompt"], 24, ["\n", "12"]) for row in rows]


def test_choice_likelihoods_match_the_model(evaluation: Evaluation, direct: Direct) -> None:
    rows = rows_of["completions_choices"]
    expected = [[direct.after(row["question"], f" {c}") for c in row["choices"]] for row in rows]
    for row, wanted, got in zip(
        rows, expected, evaluation.responses["completions_choices"], strict=True
    ):
        assert [float(total) for total, _ in got] == pytest.approx(
            [total for total, _ in wanted], abs=TOLERANCE
        ), row
        assert [greedy == "True" for _, greedy in got] == [greedy for _, greedy in wanted], row
    assert {greedy for likelihoods in expected for _, greedy in likelihoods} == {True, False}
    _same(evaluation.totals["completions_choices"], accuracies(rows, expected))


def test_text_likelihoods_match_the_model(evaluation: Evaluation, direct: Direct) -> None:
    rows = rows_of["completions_rolling"]
    expected = [direct.of_all(row["text"]) for row in rows]
    got = [float(total) for (total,) in evaluation.responses["completions_rolling"]]
    assert got == pytest.approx(expected, abs=TOLERANCE)
    _same(evaluation.totals["completions_rolling"], perplexities(rows, expected))


def test_generated_responses_match_the_model(evaluation: Evaluation, responses: list[str]) -> None:
    rows = rows_of["completions_answers"]
    assert [text for (text,) in evaluation.responses["completions_answers"]] == responses
    right = sum(text == row["answer"] for text, row in zip(responses, rows, strict=True))
    assert 0 < right < len(rows)
    _same(evaluation.totals["completions_answers"], {"exact_match": right / len(rows)})


def _same(totals: Mapping[str, Any], expected: Mapping[str, float]) -> None:
    assert {name: totals[f"{name},none"] for name in expected} == pytest.approx(
        expected, rel=TOLERANCE
    )
