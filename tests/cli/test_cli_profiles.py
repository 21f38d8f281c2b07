"""``conformance profiles``, and runs and plans for a client."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.model import ExitCode
from conformance.profiles import bundled_names
from tests.profiles.test_profile_data import OWN, written


def test_clients_are_listed(command) -> None:
    result = command("profiles")
    assert result.exit_code == 0
    assert [name for name in bundled_names() if f"\n{name}  " not in f"\n{result.output}"] == []
    assert "conformance run --profile NAME" in result.output


def test_client_is_described_in_chinese(command) -> None:
    result = command("profiles", "lm-eval", "--lang", "zh")
    assert "需求" in result.output
    assert "lm_eval/models/openai_completions.py, 0.4.13" in result.output
    assert '"seed": 1234' in result.output


def test_clients_are_listed_for_programs(command) -> None:
    (one,) = json.loads(command("profiles", "tabby", "--json").output)
    assert one["name"] == "tabby"
    assert one["needs"][0]["shown_by"][0]["request"] == "fill"


def test_unknown_client_is_a_usage_error(command) -> None:
    for words in (("profiles", "tubby"), ("run", "--profile", "tubby")):
        result = command(*words)
        assert result.exit_code == ExitCode.USAGE
        assert "did you mean tabby?" in result.output


def test_profile_selects_its_own_checks(command) -> None:
    result = command("plan", "--profile", "lm-eval", "--select", "stop.*")
    assert result.exit_code == ExitCode.USAGE
    assert "a profile selects what its client needs" in result.output


def test_check_that_a_profile_names_must_exist(command, tmp_path: Path) -> None:
    needs = [{**OWN["needs"][0], "checks": ["stop.no-such"]}]
    result = command("plan", "--profile", written(tmp_path, {**OWN, "needs": needs}))
    assert result.exit_code == ExitCode.USAGE
    assert "names the check stop.no-such, which does not exist" in result.output


def test_two_profiles_of_one_name_are_refused(command, tmp_path: Path) -> None:
    first = written(tmp_path, OWN)
    second = Path(first).rename(tmp_path / "other.yaml")
    result = command("plan", "--profile", written(tmp_path, OWN), "--profile", str(second))
    assert result.exit_code == ExitCode.USAGE
    assert "two profiles have the name mine" in result.output


def test_plan_counts_what_a_client_sends(command) -> None:
    result = command("plan", "--profile", "lm-eval", "--format", "json")
    planned = json.loads(result.output)
    assert planned["profiles"] == ["lm-eval"]
    assert 0 < planned["requests"] <= 25


@pytest.mark.parametrize(
    ("name", "code", "word"),
    [("lm-eval", ExitCode.CONFORMING, "ready"), ("guidellm", ExitCode.NOT_CONFORMING, "not ready")],
)
def test_exit_code_answers_for_the_client(
    command, fake: Callable[..., None], name: str, code: ExitCode, word: str
) -> None:
    fake()
    result = command(
        *("run", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--out", "out"),
        *("--profile", name, "--format", "json,markdown,html"),
    )
    assert result.exit_code == code
    assert f"{word}  " in result.output
    written_result = json.loads(Path("out/results.json").read_text("utf-8"))
    (client,) = written_result["clients"]
    assert (client["profile"], client["readiness"]) == (name, word)
    assert written_result["exit_code"] == code
    assert client["title"] in Path("out/index.html").read_text("utf-8")


def test_budget_that_ends_early_leaves_the_client_untested(
    command, fake: Callable[..., None]
) -> None:
    fake()
    result = command(
        *("run", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--out", "out"),
        *("--profile", "lm-eval", "--max-requests", "4", "--quiet"),
    )
    assert result.exit_code == ExitCode.UNDECIDED
    assert "lm-evaluation-harness (local-completions): not tested" in result.output
