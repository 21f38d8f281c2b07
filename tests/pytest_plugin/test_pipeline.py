"""A repository whose pytest job is green with known deviations, and red when something changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from click.testing import CliRunner

from conformance.cli import main
from conformance.engine import runner
from conformance.engine.discovery import all_checks
from conformance.pytest_plugin import shared_run
from tests.cli.test_cli_expected import AREAS, FAULTS, MODEL, SIXTH, endpoint_with
from tests.lanes import by_default
from tests.servers import DEMO_KEY, running_server

pytest_plugins = "pytester"

KEY = "VENDOR_KEY"
FILE = "expected.yaml"

Endpoint = Callable[..., AbstractContextManager[str]]
"""Starts an endpoint with faults; gives its base URL."""


@pytest.fixture(autouse=True)
def repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a repository whose file of expected deviations has no entry yet."""
    all_checks()
    (pytester.path / FILE).write_text("# our vendor\n", "utf-8")
    for name in ("OPENAI_API_KEY", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(KEY, DEMO_KEY)
    monkeypatch.setattr("tempfile.tempdir", str(pytester.path))


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """Let every run meet an endpoint in memory."""
    over_the_network = runner.run

    @contextmanager
    def at(*faults: str) -> Iterator[str]:
        def run(target, contract, options, *, reference=None, checks=None, **_):
            transport = endpoint_with(*faults)(contract, target.model)
            return over_the_network(target, contract, options, transport=transport, checks=checks)

        for module in (runner, shared_run):
            monkeypatch.setattr(module, "run", run)
        yield "http://127.0.0.1:9/v1"

    return at


@pytest.fixture
def as_server() -> Endpoint:
    """Start the bundled server."""

    @contextmanager
    def at(*faults: str) -> Iterator[str]:
        words = (word for fault in faults for word in ("--fault", fault))
        with running_server(*words, "--log-level", "warning") as server:
            yield server.base_url

    return at


@pytest.mark.parametrize("kind", by_default(["in_memory"], ["in_memory", "as_server"]))
def test_job_is_green_until_something_changes(
    kind: str, request: pytest.FixtureRequest, pytester: pytest.Pytester
) -> None:
    endpoint: Endpoint = request.getfixturevalue(kind)
    file = pytester.path / FILE

    with endpoint(*FAULTS) as url:
        red = job(pytester, url)
        new = red.parseoutcomes()["failed"]
        assert red.ret == pytest.ExitCode.TESTS_FAILED
        assert new >= len(FAULTS)

        assert command(url, "--expected-update") == 0
        assert job(pytester, url).ret == pytest.ExitCode.USAGE_ERROR  # a reason is still TODO
        file.write_text(file.read_text("utf-8").replace("TODO", "the vendor knows"), "utf-8")
        green = job(pytester, url)
        assert green.ret == pytest.ExitCode.OK
        green.stdout.fnmatch_lines([f"{new} known deviations, 0 new. *"])

    with endpoint(*FAULTS, SIXTH) as url:
        changed = job(pytester, url)
        assert failed_in(changed) == ["envelope.model"]
        changed.stdout.fnmatch_lines([f"{new} known deviations, 1 new. *"])

    with endpoint(*FAULTS[1:]) as url:
        mended = job(pytester, url)
        assert failed_in(mended) == ["envelope.created"]
        mended.stdout.fnmatch_lines(["FAILED conformance::envelope.created - *XPASS(strict)*"])

        assert command(url, "--expected-prune") == 0
        assert "envelope.created" not in file.read_text("utf-8")
        assert job(pytester, url).ret == pytest.ExitCode.OK


def job(pytester: pytest.Pytester, url: str) -> pytest.RunResult:
    """Run the checks as the job of a repository does."""
    return pytester.runpytest_inprocess(
        *("--conformance-base-url", url, "--conformance-model", MODEL),
        *("--conformance-api-key-env", KEY, "--conformance-tier", "smoke", "-rf", "-Wdefault"),
        *("--conformance-expected", FILE, "-p", "no:schemathesis", "-p", "no:langsmith_plugin"),
        *(word for area in AREAS for word in ("--conformance-select", area)),
    )


def command(url: str, change: str) -> int:
    """Let the command change the file of expected deviations."""
    endpoint = ("--base-url", url, "--model", MODEL, "--api-key-env", KEY, "--tier", "smoke")
    words = (word for area in AREAS for word in ("--select", area))
    done = CliRunner().invoke(main, ["run", *endpoint, *words, "--expected", FILE, change])
    return done.exit_code


def failed_in(result: pytest.RunResult) -> list[str]:
    """Return the checks that the summary of a session names as failed."""
    start = "FAILED conformance::"
    lines = [line for line in result.outlines if line.startswith(start)]
    return [line.removeprefix(start).split(" ")[0] for line in lines]
