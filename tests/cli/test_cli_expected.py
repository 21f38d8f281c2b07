"""A pipeline that is green with known deviations, and red on the day something changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from conformance.contract import Contract
from conformance.record.ndjson import read_run
from tests.cli.conftest import Process
from tests.fake_server import FakeServer
from tests.lanes import by_default
from tests.servers import running_server

MODEL = "gpt-3.5-turbo-instruct"
FAULTS = ("created-missing", "echo-dropped", "object-chat", "n-ignored", "stop-ignored")
SIXTH = "model-missing"
AREAS = ("created", "echo", "envelope", "model", "n", "stop")
GATE = (
    *("--model", MODEL, "--tier", "smoke", "--expected", "expected.yaml"),
    *(word for area in AREAS for word in ("--select", area)),
)

Gate = Callable[..., tuple[int, str]]
Pipeline = Callable[..., AbstractContextManager[Gate]]


@pytest.fixture
def in_memory(command, fake) -> Pipeline:
    """Run the gate of a pipeline in this process, against an endpoint in memory."""

    @contextmanager
    def at(*faults: str) -> Iterator[Gate]:
        fake(endpoint_with(*faults))

        def gate(*more: str) -> tuple[int, str]:
            done = command("run", "--base-url", "http://127.0.0.1:9/v1", *GATE, *more)
            return done.exit_code, done.output

        yield gate

    return at


@pytest.fixture
def as_process(process: Process) -> Pipeline:
    """Run the gate of a pipeline as a process, against the bundled server."""

    @contextmanager
    def at(*faults: str) -> Iterator[Gate]:
        with running_server(*(word for fault in faults for word in ("--fault", fault))) as server:

            def gate(*more: str) -> tuple[int, str]:
                endpoint = ("--base-url", server.base_url, "--api-key-env", "VENDOR_KEY")
                done = process("run", *endpoint, *GATE, *more, VENDOR_KEY=server.key)
                return done.returncode, done.stdout + done.stderr

            yield gate

    return at


@pytest.mark.parametrize("kind", by_default(["in_memory"], ["in_memory", "as_process"]))
def test_pipeline_is_green_until_something_changes(
    kind: str, request: pytest.FixtureRequest
) -> None:
    pipeline: Pipeline = request.getfixturevalue(kind)
    file = Path("expected.yaml")
    file.write_text("# our vendor\n", "utf-8")
    with pipeline(*FAULTS) as gate:
        code, said = gate("--quiet")
        assert code == 1
        assert "0 known deviations, " in said

        code, said = gate("--expected-update", "--out", "update")
        assert code == 0
        assert "replace each TODO by a reason" in said
        listed = file.read_text("utf-8").count("- check: ")
        assert f"{listed} known deviations, 0 new" in said
        assert read_run(Path("update/run.ndjson")).exit_code == 0

        code, said = gate()
        assert code == 4
        assert "reason is still TODO" in said

        file.write_text(file.read_text("utf-8").replace("TODO", "known # since May"), "utf-8")
        code, _ = gate("--out", "green")
        assert code == 0
        results = json.loads(Path("green/results.json").read_text("utf-8"))
        assert results["counts"]["fail"] == 0
        assert results["counts"]["expected"] == listed >= len(FAULTS)

    with pipeline(*FAULTS, SIXTH) as gate:
        code, said = gate("--quiet")
        assert code == 1
        assert f"{listed} known deviations, 1 new. " in said
        assert f"listed in expected.yaml: envelope.model; {listed} more deviate as listed" in said

    with pipeline(*FAULTS[1:]) as gate:
        code, said = gate("--quiet")
        assert code == 1
        assert " 0 new, " in said
        assert "no longer apply: envelope.created (line " in said

        code, said = gate("--quiet", "--expected-prune")
        assert code == 0
        assert "removed 1 stale entry from expected.yaml" in said
        text = file.read_text("utf-8")
        assert text.startswith("# our vendor\n")
        assert text.count("# since May") == listed - 1
        assert gate("--quiet")[0] == 0


def test_report_written_again_says_the_same(command, fake, tmp_path: Path) -> None:
    fake(endpoint_with("id-missing"))
    write("expected.yaml", "envelope.id", "envelope.id-unique-in-stream")
    assert command(*QUICK, "--out", "run").exit_code == 0
    first = [(tmp_path / "run" / name).read_bytes() for name in WRITTEN]
    command("report", "run")
    assert [(tmp_path / "run" / name).read_bytes() for name in WRITTEN] == first


def test_expired_entry_fails_with_its_date(command, fake) -> None:
    fake(endpoint_with("id-missing"))
    write("expected.yaml", "envelope.id*", more="  expires: 2026-01-31\n")
    result = command(*QUICK)
    assert result.exit_code == 1
    assert "have expired: envelope.id* (line 1, 2026-01-31)" in result.output


def test_intermittent_entry_tolerates_a_pass(command, fake) -> None:
    fake()
    write("expected.yaml", "envelope.id", more="  intermittent: true\n")
    assert command(*QUICK).exit_code == 0


def test_excluded_checks_send_nothing(command, fake) -> None:
    fake()
    assert command(*QUICK[:-2], "--exclude", "envelope").exit_code == 5
    result = command(*QUICK[:-2], "--exclude", "*-prefix*", "--out", "run")
    assert "Conforming in the selected checks, without *-prefix*" in result.output
    assert not [f for f in read_run(Path("run/run.ndjson")).findings if "prefix" in f.id]


def test_dry_run_shows_the_plan(command) -> None:
    words = ("--tier", "smoke", "--exclude", "seed")
    run = command("run", "--base-url", "http://127.0.0.1:9/v1", "--dry-run", *words)
    assert (run.exit_code, run.output) == (0, command("plan", *words).output)
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--expected", "none.yaml"), "cannot read none.yaml: No such file or directory; "),
        (("--expected-update",), "--expected-update changes a file; name it with --expected FILE"),
        (("--exclude", "usge.*"), "--exclude 'usge.*' matches no check; run `conformance list`"),
    ],
)
def test_wrong_words_say_the_way_out(command, words: tuple[str, ...], sentence: str) -> None:
    result = command("run", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", *words)
    assert result.exit_code == 4
    assert sentence in result.output


def test_target_finds_the_file_of_its_name(command, fake) -> None:
    fake(endpoint_with("id-missing"))
    Path("conformance.toml").write_text(
        '[targets.vendor]\nbase-url = "http://127.0.0.1:9/v1"\n'
        'model = "gpt-3.5-turbo-instruct"\ntier = "smoke"\n'
    )
    words = ("run", "--select", "envelope.id*")
    assert command(*words).exit_code == 1
    assert command(*words, "--expected-update").exit_code == 0
    file = Path("vendor.expected.yaml")
    file.write_text(file.read_text().replace("TODO", "known"))
    result = command(*words, "--out", "green")
    assert result.exit_code == 0, result.output
    matrix = json.loads(Path("green/matrix.json").read_text())
    assert [row["verdict"] for row in matrix["targets"] if row["tier"]] == ["as expected"]
    assert command(*words, "--expected", "none").exit_code == 1
    Path("conformance.toml").write_text(
        Path("conformance.toml").read_text() + 'expected = "other.yaml"\n'
    )
    assert command(*words).exit_code == 4


QUICK = (
    *("run", "--base-url", "http://127.0.0.1:9/v1", "--model", "gpt-3.5-turbo-instruct"),
    *("--tier", "smoke"),
    *("--select", "envelope.id*", "--expected", "expected.yaml"),
)
WRITTEN = ("results.json", "junit.xml")


def write(name: str, *checks: str, more: str = "") -> None:
    entries = (f"- check: {check}\n  reason: known\n{more}" for check in checks)
    Path(name).write_text("".join(entries), "utf-8")


def endpoint_with(*faults: str) -> Callable[..., FakeServer]:
    """Return an endpoint in memory with all of these faults, one behind the other."""

    def made(contract: Contract, _: str) -> FakeServer:
        server = None
        for fault in faults:
            server = FakeServer(fault, contract.name, inner=server)
        return server or FakeServer("none", contract.name)

    return made
