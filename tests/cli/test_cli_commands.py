"""``plan``, ``list``, ``explain``, ``report``, and the command without a subcommand."""

import json
from pathlib import Path

import pytest

from conformance import __version__
from conformance.contract import CONTRACTS
from conformance.engine.discovery import all_checks
from conformance.record.ndjson import write_run
from tests.report.builders import a_failure, a_finding, a_run, an_exchange


def test_version_is_printed(command) -> None:
    assert command("--version").output == f"conformance {__version__}\n"


def test_help_is_shown_without_a_command(command) -> None:
    result = command()
    assert result.exit_code == 4
    assert "conformance run --base-url" in result.output


@pytest.mark.parametrize(
    "name", ["run", "plan", "list", "explain", "report", "compare", "selftest"]
)
def test_every_command_has_help_with_an_example(command, name: str) -> None:
    result = command(name, "--help")
    assert result.exit_code == 0
    assert f"Examples:\n    conformance {name}" in result.output


def test_unknown_command_is_named(command) -> None:
    result = command("rnu")
    assert result.exit_code == 4
    assert "No such command 'rnu'" in result.output


def test_plan_counts_requests_and_tokens_without_a_network(command) -> None:
    result = command("plan", "--select", "stop.*")
    assert result.exit_code == 0
    assert "stop.five-refused" in result.output
    assert "openai contract, standard tier:" in result.output
    assert "up to 220 requests and 12,000 tokens in total" in " ".join(result.output.split())


def test_plan_for_programs_is_json(command) -> None:
    plan = json.loads(command("plan", "--contract", "zero", "--format", "json").output)
    assert plan["contract"] == "zero"
    assert plan["requests"] > 0
    assert plan["tokens"] > 0
    assert plan["ceiling"] == {"requests": 220, "tokens": 12_000}
    parts = {"prompt_tokens", "completion_tokens"}
    assert {"id", "requests", "tokens", "skip", *parts} == plan["checks"][0].keys()


def test_plan_draws_with_the_seed_of_the_run(command) -> None:
    drawn = [
        json.loads(
            command(
                *("plan", "--tier", "deep", "--select", "relations.*", "--select", "schema.*"),
                *("--stage", "generated", "--seed", seed, "--format", "json"),
            ).output
        )
        for seed in ("0", "7", "7")
    ]
    assert [plan.pop("seed") for plan in drawn] == [0, 7, 7]
    assert drawn[0] != drawn[1] == drawn[2]


def test_plan_names_checks_that_the_contract_excludes(command) -> None:
    result = command("plan", "--contract", "gpt-ge", "--select", "stop.five-refused")
    assert "1 check skipped" in result.output
    assert "gpt-ge does not document `stop`" in result.output


@pytest.mark.parametrize("name", ["plan", "list"])
def test_selection_of_nothing_ends_with_5(command, name: str) -> None:
    result = command(name, "--select", "no-such-area.*")
    assert result.exit_code == 5
    assert "matches no check" in result.output


def test_list_holds_every_check_under_its_area(command) -> None:
    output = command("list").output
    assert all(check.id in output for check in all_checks())
    assert "stop" in output.splitlines()
    assert (
        output.index("\nstop\n")
        < output.index("\n  stop.five-refused")
        < output.index("\nstream\n")
    )
    assert output.splitlines()[-1].startswith(f"{len(all_checks())} checks;")


def test_list_for_programs_is_json(command) -> None:
    listed = json.loads(command("list", "--select", "stop.five-refused", "--json").output)
    (check,) = listed
    assert check["id"] == "stop.five-refused"
    assert (check["area"], check["tier"]) == ("stop", "smoke")
    assert check["requirement"] == "stop.at-most-four"
    assert check["title_zh"] == "比文档规定的数目多一个停止序列时会被拒绝。"


def test_explanation_has_sentence_sources_and_code(command) -> None:
    output = command("explain", "stop.five-refused").output
    (check,) = [check for check in all_checks() if check.id == "stop.five-refused"]
    assert f"{check.title}\n{check.title_zh}\n" in output
    assert "stop.at-most-four" in output
    assert "async def " in output
    assert all(f"  {document} " in output for document in CONTRACTS)
    assert "not in force: gpt-ge does not document `stop`" in output


@pytest.mark.parametrize(
    ("contract", "first", "then"),
    [
        ("zhizengzeng", "not stated in this document; about max_tokens it says: integer", "zero"),
        ("aocheng", "default 16", "zero"),
        ("openai", "default 16", "zero"),
        (
            "gpt-ge",
            "not stated in this document; about max_tokens it says: number, optional",
            "zero",
        ),
    ],
)
def test_own_document_is_the_first_source(command, contract: str, first: str, then: str) -> None:
    output = command("explain", "max-tokens.default", "--contract", contract).output
    _, _, written = output.partition("Sources\n")
    lines = [line.split(maxsplit=1) for line in written.splitlines()[:2]]
    assert lines[0][0] == contract
    assert lines[0][1].startswith(first)
    assert lines[1][0] == then


def test_every_check_can_be_explained(command) -> None:
    assert {command("explain", check.id).exit_code for check in all_checks()[::20]} == {0}


def test_mistyped_check_gets_the_nearest_name(command) -> None:
    result = command("explain", "stop.five-refsed")
    assert result.exit_code == 4
    assert "unknown check 'stop.five-refsed'; did you mean stop.five-refused" in result.output


def test_unknown_check_gets_the_list_command(command) -> None:
    assert "run `conformance list` to see all checks" in command("explain", "@@@@@@@").output


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    write_run(a_run(a_failure()), folder / "run.ndjson")
    return folder


def test_recorded_run_is_rendered_beside_its_record(command, recorded: Path) -> None:
    result = command("report", str(recorded))
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == str(recorded / "index.html")
    assert "Not conforming" in (recorded / "index.html").read_text()


def test_report_uses_the_recorded_or_named_key_variable(command, recorded: Path) -> None:
    run = a_run(a_failure(exchanges=("x1",)), exchanges=(an_exchange(),), api_key_env="VENDOR_KEY")
    write_run(run, recorded / "run.ndjson")
    command("report", str(recorded))
    assert "Bearer $VENDOR_KEY" in (recorded / "index.html").read_text()
    command("report", str(recorded), "--api-key-env", "MY_KEY")
    assert "Bearer $MY_KEY" in (recorded / "index.html").read_text()


def test_report_can_have_another_folder_and_format(command, recorded: Path) -> None:
    words = ("--format", "markdown", "--out", "new/place")
    result = command("report", str(recorded / "run.ndjson"), *words)
    assert result.exit_code == 0
    assert [path.name for path in Path("new/place").iterdir()] == ["summary.md"]


def test_incomplete_run_is_rendered_and_marked(command, recorded: Path) -> None:
    write_run(a_run(a_finding(), incomplete=True), recorded / "run.ndjson")
    assert "Incomplete." in command("report", str(recorded)).output
    assert "This run is incomplete" in (recorded / "index.html").read_text()


def test_missing_run_is_named(command) -> None:
    result = command("report", "nowhere")
    assert result.exit_code == 4
    assert "cannot read nowhere: No such file or directory" in result.output


def test_invalid_record_is_named_with_its_line(command, tmp_path: Path) -> None:
    (tmp_path / "run.ndjson").write_text("not a run\n")
    result = command("report", str(tmp_path))
    assert result.exit_code == 4
    assert "run.ndjson, line 1: not JSON" in result.output


def test_unwritable_report_is_named(command, recorded: Path) -> None:
    (recorded / "index.html").mkdir()
    result = command("report", str(recorded))
    assert result.exit_code == 4
    assert f"cannot write {recorded / 'index.html'}: Is a directory" in result.output
