"""The profile says of a server what lm-evaluation-harness itself makes of it.

Each server keeps all promises but one, or has a document without what the harness needs.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.lm_eval.running import lm_eval
from tests.clients.readiness import Readiness, readiness_at
from tests.servers import running_server

pytestmark = pytest.mark.heavy_client("640 MB on top of the development environment")

TASKS = ("completions_choices", "completions_answers")

STOPS = [
    ("--fault logprobs-ignored", "prompt-scores", "TypeError"),
    ("--fault logprobs-chat-shape", "prompt-scores", "KeyError: 'token_logprobs'"),
    ("--fault echo-with-logprobs-breaks-server", "prompt-scores", "HTTPError"),
    ("--dialect gpt-ge", "prompt-scores", "HTTPError"),  # its page has no echo: that conforms
]
"""What ends the harness, by the need that the profile says is unmet."""


@dataclass(frozen=True)
class Evaluated:
    """What the harness did, and what the profile says."""

    ended: int
    last_words: str
    scores: list[list[float]]
    exact: float | None
    said: Readiness


def evaluated(options: str, folder: Path, *, batch_size: int = 1) -> Evaluated:
    profile = "lm-eval" if batch_size == 1 else "lm-eval-batch"
    with running_server(*options.split()) as server:
        model = "gpt-3.5-turbo-instruct"
        ended = lm_eval(server, folder, TASKS, batch_size=batch_size, model=model)
        said = readiness_at(server, profile)
    scores: list[list[float]] = []
    exact = None
    if ended.returncode == 0:
        (samples,) = folder.glob("*/samples_completions_choices_*.jsonl")
        rows = [json.loads(line) for line in samples.read_text("utf-8").splitlines()]
        rows.sort(key=lambda row: row["doc_id"])
        scores = [[float(score) for ((score, _),) in row["resps"]] for row in rows]
        (totals,) = folder.glob("*/results_*.json")
        results: dict[str, Any] = json.loads(totals.read_text("utf-8"))["results"]
        exact = results["completions_answers"]["exact_match,none"]
    return Evaluated(ended.returncode, ended.stderr[-4_000:], scores, exact, said)


@pytest.fixture(scope="module")
def conforming(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    return evaluated("", tmp_path_factory.mktemp("conforming"))


def test_harness_works_where_the_profile_says_so(conforming: Evaluated) -> None:
    assert (conforming.said.word, conforming.said.exit_code) == ("ready", 0)
    assert conforming.ended == 0
    assert all(score < 0 for scores in conforming.scores for score in scores)
    assert conforming.exact is not None
    assert conforming.exact > 0


@pytest.mark.parametrize(("options", "need", "error"), STOPS)
def test_harness_stops_as_the_profile_says(
    tmp_path: Path, options: str, need: str, error: str
) -> None:
    seen = evaluated(options, tmp_path)
    assert seen.ended != 0
    assert error in seen.last_words
    assert error in seen.said.without(need)
    assert need in seen.said.unmet
    assert (seen.said.word, seen.said.exit_code) == ("not ready", 1)


def test_scores_are_zero_without_those_of_prompts(tmp_path: Path) -> None:
    seen = evaluated("--fault echo-dropped-with-logprobs", tmp_path)
    assert seen.ended == 0
    assert {score for scores in seen.scores for score in scores} == {0.0}
    assert "every answer scores 0" in seen.said.without("prompt-scores")
    assert "prompt-scores" in seen.said.unmet


def test_ignored_stops_spoil_generated_answers(tmp_path: Path, conforming: Evaluated) -> None:
    seen = evaluated("--fault stop-ignored", tmp_path)
    assert seen.scores == conforming.scores
    assert seen.exact == 0.0
    assert seen.said.unmet == {"generation"}


def test_reversed_indexes_exchange_scores(tmp_path: Path, conforming: Evaluated) -> None:
    seen = evaluated("--fault index-reversed", tmp_path, batch_size=4)
    assert "scores" in seen.said.unmet
    assert seen.ended != 0 or seen.scores != conforming.scores


def test_batches_work_where_the_profile_says_so(tmp_path: Path, conforming: Evaluated) -> None:
    seen = evaluated("", tmp_path, batch_size=4)
    assert seen.said.word == "ready"
    for got, alone in zip(seen.scores, conforming.scores, strict=True):
        assert got == pytest.approx(alone, abs=1e-3)
