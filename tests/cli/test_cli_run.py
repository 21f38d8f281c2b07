"""``conformance run``: files, messages and exit codes."""

import gc
import json
from pathlib import Path

import pytest

from conformance.cli import single_target
from conformance.engine import runner
from conformance.model import Run
from conformance.protocol.trace import RecordedExchange
from conformance.record.ndjson import read_run
from tests.cli.endpoints import NAMED, WithoutStop

STOP = ("--select", "stop.*")


def test_run_writes_record_reports_and_names_the_page(command, fake, tmp_path: Path) -> None:
    fake()
    result = command("run", *NAMED, *STOP)
    (folder,) = (tmp_path / "reports").iterdir()
    assert result.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "index.html",
        "junit.xml",
        "results.json",
        "run.ndjson",
    ]
    assert folder.name.endswith("-fake.example-openai")
    assert result.output.splitlines()[-1] == f"reports/{folder.name}/index.html"
    assert "No failures in" in result.output


def test_endpoint_that_ignores_stop_does_not_conform(command, fake) -> None:
    fake(WithoutStop)
    result = command("run", *NAMED, *STOP, "--out", "out")
    assert result.exit_code == 1
    results = json.loads(Path("out/results.json").read_text())
    assert results["verdict"] == "not conforming"
    states = {row["name"]: row["state"] for row in results["parameters"]}
    assert states["stop"] == "ignored"
    assert "silently ignores stop" in result.output


def test_log_shows_progress_only_if_verbose(command, fake) -> None:
    fake()
    assert "[1/" not in command("run", *NAMED, *STOP, "--out", "plain").output
    assert "[1/" in command("run", *NAMED, *STOP, "--out", "loud", "--verbose").output


def test_quiet_run_prints_verdict_and_paths(command, fake) -> None:
    fake()
    result = command("run", *NAMED, *STOP, "--out", "out", "--format", "json", "-q")
    verdict, blank, path = result.output.splitlines()[-3:]
    assert verdict.startswith("Conforming in the selected checks. ")
    assert (blank, path) == ("", "out/results.json")


def test_only_the_formats_requested_are_written(command, fake) -> None:
    fake()
    result = command("run", *NAMED, *STOP, "--out", "out", "--format", "markdown, json,json")
    assert result.exit_code == 0
    assert {path.name for path in Path("out").iterdir()} == {
        "run.ndjson",
        "summary.md",
        "results.json",
    }


def test_every_run_gets_a_new_folder(command, fake, tmp_path: Path) -> None:
    fake()
    for _ in range(3):
        command("run", *NAMED, "--select", "stop.five-refused")
    assert len(list((tmp_path / "reports").iterdir())) == 3


def test_nonempty_folder_is_not_touched(command, fake) -> None:
    fake()
    Path("out").mkdir()
    Path("out/mine.txt").write_text("precious")
    result = command("run", *NAMED, *STOP, "--out", "out")
    assert result.exit_code == 4
    assert "the folder out is not empty" in result.output
    assert [path.name for path in Path("out").iterdir()] == ["mine.txt"]


def test_folder_that_cannot_be_made_is_named(command, fake) -> None:
    fake()
    Path("file").write_text("")
    result = command("run", *NAMED, *STOP, "--out", "file/out")
    assert result.exit_code == 4
    assert "cannot create the folder file/out (Not a directory)" in result.output


def test_limits_reach_the_run(command, fake) -> None:
    fake()
    limited = ("--max-requests", "1", "--max-spend-tokens", "50", "--seed", "7", "--strict")
    command("run", *NAMED, *STOP, "--out", "out", "--tier", "smoke", *limited)
    header = read_run(Path("out/run.ndjson")).header
    assert (header.limits.requests, header.limits.tokens) == (1, 50)
    assert (header.seed, header.strict, header.tier.value) == (7, True, "smoke")
    assert (header.contract, header.select) == ("openai", ("stop.*",))


def test_base_url_ending_in_completions_is_corrected(command, fake) -> None:
    fake()
    named = ("--base-url", "http://fake.example/v1/completions/", "--model", "tiny")
    result = command("run", *named, *STOP, "--out", "out")
    assert "--base-url should end before /completions" in result.output
    assert read_run(Path("out/run.ndjson")).header.base_url == "http://fake.example/v1"


@pytest.mark.parametrize(
    ("words", "base_url"),
    [
        (("http://fake.example",), "http://fake.example"),
        (("http://fake.example", "--contract", "vllm"), "http://fake.example/v1"),
        (("http://fake.example/v1", "--path", "/beta/completions"), "http://fake.example/beta"),
    ],
)
def test_path_is_of_url_option_or_contract(command, fake, words, base_url: str) -> None:
    fake()
    command("run", "--base-url", *words, "--model", "tiny", *STOP, "--out", "out")
    assert read_run(Path("out/run.ndjson")).header.base_url == base_url


def test_key_is_read_from_its_variable_and_hidden(
    command, fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    monkeypatch.setenv("VENDOR_KEY", "sk-very-secret-000111222")
    result = command("run", *NAMED, *STOP, "--out", "out", "--api-key-env", "VENDOR_KEY")
    assert "sending the API key in $VENDOR_KEY to fake.example" in result.output
    assert "$VENDOR_KEY" in Path("out/index.html").read_text()
    assert read_run(Path("out/run.ndjson")).header.api_key_env == "VENDOR_KEY"
    everything = [result.output, *(path.read_text() for path in Path("out").iterdir())]
    assert not any("sk-very-secret" in text for text in everything)


def test_selection_of_nothing_runs_nothing(command, fake, tmp_path: Path) -> None:
    fake()
    result = command("run", *NAMED, "--select", "no-such-area.*")
    assert result.exit_code == 5
    assert "--select 'no-such-area.*' matches no check in the standard tier" in result.output
    assert not (tmp_path / "reports").exists()


def test_internal_error_keeps_results_and_hides_the_key(
    command, monkeypatch: pytest.MonkeyPatch
) -> None:
    conforming = runner.run

    async def failing(target, contract, options, **_):
        async for event in conforming(target, contract, options):
            yield event
            raise RuntimeError(f"cannot send Bearer {target.api_key}")

    monkeypatch.setattr(runner, "run", failing)
    monkeypatch.setenv("VENDOR_KEY", "sk-very-secret-000111222")
    result = command("run", *NAMED, *STOP, "--out", "out", "--api-key-env", "VENDOR_KEY")
    assert result.exit_code == 3
    assert "internal error (RuntimeError)" in result.output
    assert "Traceback" not in result.output
    (details,) = Path("out").glob("error-*.txt")
    assert "RuntimeError" in details.read_text()
    assert "sk-very-secret" not in details.read_text()
    assert "This run is incomplete" in Path("out/index.html").read_text()


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 2), (RuntimeError, 3)])
def test_run_that_never_began_has_no_report(
    command, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], code: int
) -> None:
    def failing(target, contract, options, **_):
        raise error

    monkeypatch.setattr(runner, "run", failing)
    result = command("run", *NAMED, *STOP, "--out", "out")
    assert result.exit_code == code
    assert len(result.output.splitlines()) == 1
    assert not Path("out/index.html").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--base-url", "http://x/v1"], "--model is required with --base-url"),
        (["--model", "m"], "--model and --api-key-env require --base-url"),
        (["--base-url", "x/v1", "--model", "m"], "needs http:// or https:// and a host"),
        (["--base-url", "http://[x/v1", "--model", "m"], "is not a URL"),
        (["--base-url", "http://x:99999/", "--model", "m"], "is not a URL"),
        (["--base-url", "http://me:pw@x/v1", "--model", "m"], "must not contain a user name"),
        (["--path", "/v1/completions"], "--path needs --base-url"),
        (["--base-url", "http://x", "--path", "/v1", "--model", "m"], "must end in /completions"),
        (["--base-url", "http://x/v1?a=b", "--model", "m"], "or fragment; use 'http://x/v1'"),
        (["--base-url", "http://x/v 1", "--model", "m"], "must not contain blanks"),
        ([*NAMED, "--contract", "nobody"], "choose one of zero, gpt-ge, aocheng"),
        ([*NAMED, "--tier", "abyss"], "'abyss' is not one of"),
        ([*NAMED, "--format", "html,pdf"], "unknown format 'pdf'; choose from html, junit"),
        ([*NAMED, "--format", ","], "give at least one of html"),
        ([*NAMED, "--max-requests", "-1"], "-1 is not at least 1"),
        ([*NAMED, "--max-spend-tokens", "0"], "0 is not at least 1"),
        ([*NAMED, "--concurrency", "many"], "'many' is not a valid integer"),
        ([*NAMED, "--rate", "nan"], "nan is not a number greater than 0"),
        ([*NAMED, "--rate", "1e-300"], "1e-300 is not from 0.001 to 86400"),
        ([*NAMED, "--timeout", "-3"], "-3.0 is not a number greater than 0"),
        ([*NAMED, "--timeout", "1e300"], "1e+300 is not from 0.001 to 86400"),
        ([*NAMED, "--timeout", "1e-300"], "1e-300 is not from 0.001 to 86400"),
        ([*NAMED, "--api-key-env", "NOT_SET"], "environment variable NOT_SET is not set"),
        ([*NAMED, "--no-such-flag"], "No such option"),
        ([*NAMED, "-v", "-q"], "--verbose and --quiet cannot be combined"),
        ([*NAMED, "stray"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_ends_with_one_sentence_and_4(command, words: list[str], sentence: str) -> None:
    result = command("run", *words)
    assert result.exit_code == 4
    (line,) = result.output.splitlines()
    assert line.startswith("conformance: ")
    assert sentence in line


@pytest.mark.parametrize(
    "key",
    ["sk-abcdef", "abcdef0123456789abcdef0123456789", "sk-proj-" + "a1" * 40, "two words", ""],
)
def test_key_passed_as_a_name_is_never_echoed(command, key: str) -> None:
    result = command("run", *NAMED, "--api-key-env", key)
    assert result.exit_code == 4
    assert "not the key itself" in result.output
    assert not key or key not in result.output


def test_reports_begin_without_the_memory_of_the_run(command, fake, monkeypatch) -> None:
    """What a run held is gone before its record is read again."""
    held: list[int] = []

    def read(path: Path) -> Run:
        held.append(sum(type(each) is RecordedExchange for each in gc.get_objects()))
        return read_run(path)

    before = sum(type(each) is RecordedExchange for each in gc.get_objects())
    fake()
    monkeypatch.setattr(single_target, "read_run", read)
    where = ("--base-url", "http://fake.example/v1", "--model", "m", "--tier", "standard")
    result = command("run", *where, "--select", "stop.*", "--format", "json", "--out", "out")
    assert result.exit_code == 0, result.output
    assert len(read_run(Path("out/run.ndjson")).exchanges) > 3
    assert held[0] <= before
