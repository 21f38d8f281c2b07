"""``conformance run`` with a file of targets, which are judged concurrently."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.cli.many_results import WORST_FIRST, worst
from conformance.engine import runner
from conformance.engine.selection import Options
from conformance.model import ExitCode
from conformance.record.ndjson import read_run
from tests.cli.endpoints import ScriptedResponse, WithoutStop, serving
from tests.servers import running_server

STOP = ("--select", "stop.*")
ROWS = {"zero", "gpt-ge", "aocheng", "zhizengzeng", "eronmind"}
KEY = "sk-a-key-that-must-not-show"
TWO = """
[targets.zero]
base-url = "http://fake.example/v1"
model = "tiny"
contract = "zero"
api-key-env = "ZERO_KEY"

[targets.mine]
base-url = "http://other.example/v1"
model = "large"
tier = "smoke"
max-requests = 7
"""

Write = Callable[[str], None]


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.setenv("ZERO_KEY", KEY)

    def writing(text: str) -> None:
        Path("conformance.toml").write_text(text, "utf-8")

    return writing


def reported(folder: str = "out") -> dict[str, dict[str, object]]:
    matrix = json.loads(Path(folder, "matrix.json").read_text())
    return {row["name"]: row for row in matrix["targets"]}


def test_every_target_has_a_folder_beside_the_matrix(command, fake, write) -> None:
    fake()
    write(TWO)
    result = command("run", *STOP)
    assert result.exit_code == 0
    (home,) = Path("reports").iterdir()
    assert home.name.endswith("-conformance-targets")
    assert {path.name for path in home.iterdir()} == {"zero", "mine", "index.html", "matrix.json"}
    assert {path.name for path in (home / "zero").iterdir()} == {
        "run.ndjson",
        "index.html",
        "junit.xml",
        "results.json",
    }
    assert result.output.splitlines()[-1] == f"{home}/index.html"
    page = (home / "index.html").read_text()
    assert 'href="zero/index.html"' in page
    rows = reported(str(home))
    assert set(rows) == {"mine", *ROWS}
    assert rows["zero"]["report"] == "zero/index.html"
    assert rows["gpt-ge"]["verdict"] is None
    assert KEY not in "".join(path.read_text() for path in home.rglob("*") if path.is_file())


def test_each_target_has_its_contract_depth_and_budget(command, fake, write) -> None:
    fake()
    write(TWO)
    command("run", *STOP, "--out", "out", "--format", "json")
    zero, mine = (read_run(Path("out", name, "run.ndjson")).header for name in ("zero", "mine"))
    assert (zero.target, zero.contract, zero.tier) == ("zero", "zero", "standard")
    assert (zero.api_key_env, mine.api_key_env) == ("ZERO_KEY", None)
    assert (mine.target, mine.contract, mine.tier) == ("mine", "openai", "smoke")
    assert (mine.limits.requests, zero.limits.requests) == (7, Options().ceiling.requests)


def test_command_line_overrides_the_file(command, fake, write) -> None:
    fake()
    write(TWO)
    typed = ("--tier", "deep", "--contract", "eronmind", "--model", "other", "--max-requests", "5")
    command("run", *STOP, "--out", "out", "--format", "json", *typed, "--strict")
    for name in ("zero", "mine"):
        header = read_run(Path("out", name, "run.ndjson")).header
        assert (header.tier, header.contract, header.model) == ("deep", "eronmind", "other")
        assert (header.limits.requests, header.strict) == (5, True)


def test_one_nonconforming_target_decides(command, fake, write) -> None:
    fake(WithoutStop)
    write(TWO)
    result = command("run", *STOP, "--out", "out")
    assert result.exit_code == 1
    assert reported()["mine"]["verdict"] == "not conforming"
    assert "✗ stop" in result.output


def test_one_target_is_printed_as_one_run(command, fake, write) -> None:
    fake()
    write(TWO)
    result = command("run", *STOP, "--out", "out", "--target", "mine")
    assert "targets" not in result.stdout
    assert "not run" not in result.stdout
    assert "Parameters and response fields" in result.stdout
    assert "http://other.example/v1, large, contract openai" in result.stdout
    quiet = command("run", *STOP, "--target", "mine", "--out", "quiet", "--quiet")
    assert "target" not in quiet.stdout.splitlines()[0]
    assert quiet.stdout.startswith("Conforming")


def test_only_target_with_a_key_is_one_run(
    command, fake, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    write(TWO)
    monkeypatch.delenv("ZERO_KEY")
    result = command("run", *STOP, "--out", "out")
    assert "targets:" not in result.stdout
    assert "Parameters and response fields" in result.stdout
    assert "zero: Environment variable ZERO_KEY is not set" in result.stderr


def test_causes_of_every_target_are_printed(command, fake, write) -> None:
    fake(WithoutStop)
    write(TWO)
    result = command("run", *STOP, "--out", "out")
    assert "2 targets: 2 not conforming." in result.stdout
    assert len(re.findall(r"stop\.string; explains \d+ findings", result.stdout)) == 2
    assert len(result.stdout.splitlines()) <= 45
    quiet = command("run", *STOP, "--out", "quiet", "--quiet")
    assert "about stop" not in quiet.stdout
    assert quiet.stdout.startswith("2 targets: 2 not conforming.\n\nquiet/")


def test_missing_key_does_not_stop_other_targets(
    command, fake, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    write(TWO)
    monkeypatch.delenv("ZERO_KEY")
    result = command("run", *STOP, "--out", "out")
    assert result.exit_code == 3
    rows = reported()
    assert rows["zero"]["because"] == "Environment variable ZERO_KEY is not set or is empty."
    assert (rows["zero"]["verdict"], rows["mine"]["verdict"]) == (None, "conforming")
    assert not Path("out/zero").exists()


def test_targets_are_chosen_by_name(command, fake, write) -> None:
    fake()
    write(TWO)
    assert command("run", *STOP, "--out", "out", "--target", "m*").exit_code == 0
    assert [path.name for path in Path("out").iterdir() if path.is_dir()] == ["mine"]
    assert reported()["zero"]["verdict"] is None


@pytest.mark.parametrize("jobs", [1, 2])
def test_jobs_limit_the_targets_judged_at_once(
    command, fake, write, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    fake()
    write("".join(TWO.replace("zero]", f"zero{i}]").replace("mine]", f"mine{i}]") for i in "123"))
    conforming, under_way, most = runner.run, 0, 0

    async def run(target, contract, options, **more):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        async for event in conforming(target, contract, options, **more):
            yield event
        under_way -= 1

    monkeypatch.setattr(runner, "run", run)
    words = ("--select", "stop.five-refused", "--out", "out", "--format", "json")
    assert command("run", *words, "--jobs", str(jobs)).exit_code == 0
    assert (most, under_way) == (jobs, 0)


def test_another_file_can_be_named(command, fake, write) -> None:
    fake()
    Path("fleet.toml").write_text(TWO.replace("zero]", "fleet]"))
    write("")
    assert command("run", *STOP, "--out", "out", "--config", "fleet.toml").exit_code == 0
    assert Path("out/fleet/run.ndjson").exists()


def test_named_endpoint_ignores_the_file(command, fake, write) -> None:
    fake()
    write("[targets")
    named = ("--base-url", "http://fake.example/v1", "--model", "tiny")
    assert command("run", *named, *STOP, "--out", "out").exit_code == 0
    assert Path("out/run.ndjson").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--target", "zer"], "no target in conformance.toml matches 'zer'; did you mean zero"),
        (
            ["--target", "*x"],
            "conformance.toml matches '*x'; known targets: zero, mine",
        ),
        (["--target", "a", "--base-url", "http://x/v1"], "--base-url and"),
        (["--config", "a", "--dialect", "zero"], "--dialect and --config"),
        (["--config", "missing.toml"], "cannot read missing.toml: No such file"),
        (["--api-key-env", "ANY"], "--api-key-env would send one key to every target"),
        (["--config", "conformance.toml", "--api-key-env", "ANY"], "would send one key to every"),
        (["--jobs", "0"], "0 is not in the range"),
    ],
)
def test_wrong_usage_ends_before_anything_is_sent(
    command, fake, write, words: list[str], sentence: str
) -> None:
    fake()
    write(TWO)
    result = command("run", *words)
    assert result.exit_code == 4
    assert sentence in result.output
    assert not Path("reports").exists()


def test_target_selection_needs_a_file(command) -> None:
    result = command("run", "--target", "zero")
    assert result.exit_code == 4
    assert "does not exist here; create one with `conformance init`" in result.output


def test_every_mistake_in_the_file_is_reported(command, fake, write) -> None:
    fake()
    write(TWO.replace('"zero"', '"zeero"').replace("max-requests = 7", "max-requests = 0"))
    result = command("run")
    assert result.exit_code == 4
    first, second = [line for line in result.output.splitlines() if "target '" in line]
    assert "conformance.toml, target 'zero': contract" in first
    assert "did you mean zero?" in first
    assert "target 'mine': max-requests must be an integer of at least 1" in second
    assert not Path("reports").exists()


def test_selection_of_nothing_is_reported_in_every_row(command, fake, write) -> None:
    fake()
    write(TWO)
    result = command("run", "--select", "no-such.*", "--out", "out")
    assert result.exit_code == 3
    assert "matches no check" in str(reported()["mine"]["because"])


def test_output_uses_the_requested_language(command, fake, write) -> None:
    fake()
    write(TWO)
    result = command("run", *STOP, "--out", "out", "--lang", "zh")
    assert "2 个在已运行的检查中符合契约" in result.output
    assert '<html lang="zh"' in Path("out/index.html").read_text()


# ── what goes wrong at one target ────────────────────────────────────────────────────────────────


def breaking(monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException) -> None:
    """Let the run of one target break after its header."""
    conforming = runner.run

    async def run(target, contract, options, **more):
        async for event in conforming(target, contract, options, **more):
            yield event
            if target.name == name:
                raise error

    monkeypatch.setattr(runner, "run", run)


def test_failure_of_one_target_does_not_affect_others(
    command, fake, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    write(TWO)
    breaking(monkeypatch, "zero", LookupError(f"something with {KEY}"))
    result = command("run", *STOP, "--out", "out", "--jobs", "1")
    assert result.exit_code == 3
    rows = reported()
    assert rows["mine"]["verdict"] == "conforming"
    assert rows["zero"]["verdict"] == "broken off"
    assert "internal error (LookupError)" in str(rows["zero"]["because"])
    (details,) = Path("out/zero").glob("error-*.txt")
    assert "LookupError" in details.read_text()
    assert KEY not in details.read_text()


def test_interruption_keeps_all_results(
    command, fake, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    write(TWO)
    breaking(monkeypatch, "mine", asyncio.CancelledError())
    result = command("run", *STOP, "--out", "out", "--jobs", "1")
    rows = reported()
    assert rows["zero"]["verdict"] == "conforming"
    assert rows["mine"]["verdict"] == "broken off"
    assert result.exit_code == 2


def test_interruption_between_two_targets_is_recorded(
    command, fake, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake()
    write(TWO)
    conforming = runner.run

    async def never():
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()
        yield

    def run(target, contract, options, **more):
        return never() if target.name == "mine" else conforming(target, contract, options, **more)

    monkeypatch.setattr(runner, "run", run)
    # Who runs these tests in workers has them ignore what a terminal sends.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = command("run", *STOP, "--out", "out", "--jobs", "1")
    finally:
        signal.signal(signal.SIGINT, before)
    rows = reported()
    assert rows["zero"]["verdict"] == "conforming"
    assert rows["mine"]["because"] == "Interrupted before it started."
    assert result.exit_code == 2


def test_worst_of_several_decides() -> None:
    # A contract is proposed for one endpoint, before any run.
    assert set(WORST_FIRST) == set(ExitCode) - {ExitCode.USAGE, ExitCode.PROPOSED}
    assert worst([ExitCode.CONFORMING, ExitCode.UNDECIDED]) is ExitCode.UNDECIDED
    assert worst([ExitCode.INTERRUPTED, ExitCode.NOT_CONFORMING]) is ExitCode.NOT_CONFORMING
    assert worst([ExitCode.UNDECIDED, ExitCode.INTERRUPTED]) is ExitCode.INTERRUPTED
    assert worst([ExitCode.CONFORMING, ExitCode.NOTHING_RAN]) is ExitCode.NOTHING_RAN
    assert worst([]) is ExitCode.NOTHING_RAN


# ── from end to end ──────────────────────────────────────────────────────────────────────────────


def test_faulty_server_fails_beside_a_conforming_one(process, tmp_path: Path) -> None:
    with (
        running_server(key=KEY) as conforming,
        running_server("--fault", "echo-dropped", key=KEY) as faulty,
    ):
        targets = "".join(
            f'[targets.{name}]\nbase-url = "{server.base_url}"\nmodel = "gpt-3.5-turbo-instruct"\n'
            'api-key-env = "KEY"\ntier = "smoke"\n'
            for name, server in (("honest", conforming), ("faulty", faulty))
        )
        (tmp_path / "conformance.toml").write_text(targets)
        ended = process("run", "--out", "out", "--reference", "none", KEY=KEY)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    rows = reported(str(tmp_path / "out"))
    assert rows["honest"]["verdict"] == "conforming"
    assert rows["faulty"]["verdict"] == "not conforming"
    assert rows["faulty"]["states"]["echo"]["state"] == "ignored"
    assert "✗ echo" in ended.stdout
    assert KEY not in ended.stdout + ended.stderr


def test_ctrl_c_ends_all_and_leaves_the_matrix(tmp_path: Path) -> None:
    """The first request of each target interrupts the command, which is then surely under way."""
    request: list[subprocess.Popen[str]] = []

    def interrupting() -> ScriptedResponse:
        request[0].send_signal(signal.SIGINT)
        return ScriptedResponse()

    with serving(interrupting) as url:
        (tmp_path / "conformance.toml").write_text(
            "".join(
                f'[targets.{name}]\nbase-url = "{url}"\nmodel = "tiny"\n' for name in ("a", "b")
            )
        )
        command = [sys.executable, "-m", "conformance", "run", "--out", "out", "--jobs", "1"]
        with subprocess.Popen(
            [*command, "--reference", "none"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OPENAI_API_KEY": ""},
        ) as running:
            request.append(running)
            out, err = running.communicate(timeout=120)
    assert running.returncode == 2, out + err
    assert "Traceback" not in out + err
    rows = reported(str(tmp_path / "out"))
    assert rows["a"]["verdict"] == "broken off"
    assert rows["b"]["because"] == "Interrupted before it started."
