"""Complete sessions against real endpoints: requests, files and endings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.engine.discovery import all_checks
from conformance.record.ndjson import read_run
from tests.cli.endpoints import ScriptedResponse, serving
from tests.servers import DEMO_KEY, running_server

pytest_plugins = "pytester"

MODEL = "gpt-3.5-turbo-instruct"
KEY = "EXAMPLE_KEY"


@pytest.fixture(scope="module")
def showcase() -> Iterator[str]:
    """A server that misbehaves as its path says; the origin of its URLs."""
    with running_server("--showcase", "--log-level", "warning") as server:
        yield server.base_url.removesuffix("/v1")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    all_checks()
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv(KEY, DEMO_KEY)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def words(base_url: str, *more: str) -> list[str]:
    return [
        *("--conformance-base-url", base_url, "--conformance-model", MODEL),
        *("--conformance-api-key-env", KEY, "--conformance-tier", "smoke", "-Wdefault"),
        *more,
    ]


LIGHT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""For sessions in separate processes: the other installed plugins take seconds to load."""
PLUGINS = ("-p", "conformance.pytest_plugin", "-p", "xdist")


def test_workers_share_one_run_and_its_reports(
    pytester: pytest.Pytester,
    showcase: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in LIGHT.items():
        monkeypatch.setenv(name, value)
    base_url = f"{showcase}/reference/stop-ignored/shared/v1"
    selected = ("--conformance-select", "stop.*", "--conformance-out", "report")
    result = pytester.runpytest_subprocess(*PLUGINS, *words(base_url, "-n", "2", *selected))
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] == 1  # the others are explained by it
    assert "errors" not in outcomes
    run = read_run(pytester.path / "report" / "run.ndjson")
    assert sum(outcomes[name] for name in outcomes if name != "warnings") == len(run.findings)
    # Every check asks with these two requests and others; were they not shared, they would repeat.
    bodies = [exchange.request for exchange in run.exchanges]
    assert len(bodies) == len(set(bodies))
    results = json.loads((pytester.path / "report" / "results.json").read_text("utf-8"))
    assert results["verdict"] == "not conforming"
    assert (pytester.path / "report" / "junit.xml").is_file()
    assert (pytester.path / "report" / "index.html").is_file()
    result.stdout.fnmatch_lines(["Not conforming. *", "*/report/index.html"])
    assert DEMO_KEY not in result.stdout.str() + result.stderr.str()
    assert not list(tmp_path.glob("conformance-*"))


def test_test_functions_request_the_endpoint_under_its_contract(
    pytester: pytest.Pytester, showcase: str
) -> None:
    pytester.makepyfile(
        """
        import pytest
        from conformance.model import Credentials

        def test_plain_and_streamed_say_the_same(conformance_api):
            asked = {"prompt": "1, 2, 3,", "max_tokens": 4, "temperature": 0}
            plain = conformance_api.complete(**asked).expect_ok()
            assert plain.text == conformance_api.stream(**asked).expect_ok().text
            assert plain.usage.completion_tokens == 4

        def test_equal_requests_are_one(conformance_api):
            one, two = (conformance_api.complete(prompt="a", max_tokens=1) for _ in range(2))
            other = conformance_api.complete(prompt="a", max_tokens=1, fresh=True)
            assert one.exchange.id == two.exchange.id != other.exchange.id

        def test_a_body_goes_as_it_is(conformance_api):
            assert conformance_api.post(b"{").expect_error(400).message
            conformance_api.post({}, credentials=Credentials.NONE).expect_error(401)

        def test_limits_come_from_the_contract(conformance_api, conformance_contract):
            limit = conformance_contract.parameter("stop").max_items
            assert limit == 4
            conformance_api.complete(prompt="a", stop=["a"] * (limit + 1)).expect_error(400)

        def test_a_deviation_fails(conformance_api):
            conformance_api.complete(prompt="a", max_tokens=1).expect_error(400)

        def test_a_refusal_of_what_is_promised_fails(conformance_api):
            conformance_api.complete(prompt="a", max_tokens=-1).expect_ok()

        def test_a_refusal_of_what_is_not_is_expected(conformance_api):
            conformance_api.complete(prompt="a", unheard_of=1).expect_ok()

        def test_no_money_is_no_failure(conformance_api):
            conformance_api.complete(prompt="a", max_tokens=4000, n=4).expect_ok()
        """
    )
    limits = ("--conformance-max-spend-tokens", "2000", "-m", "not conformance", "-v", "-rs")
    base_url = f"{showcase}/reference/none/own/v1"
    result = pytester.runpytest_inprocess(*words(base_url, *limits))
    result.stdout.fnmatch_lines_random(
        [
            "*::test_a_deviation_fails FAILED*",
            "*::test_a_refusal_of_what_is_promised_fails FAILED*",
            "*::test_a_refusal_of_what_is_not_is_expected XFAIL*",
            "SKIPPED *: skipped: budget spent*",
        ]
    )
    result.assert_outcomes(
        passed=4, failed=2, xfailed=1, skipped=1, deselected=result.parseoutcomes()["deselected"]
    )


def test_fixtures_without_an_endpoint_are_skipped(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(conformance_api, conformance_contract): raise ValueError")
    result = pytester.runpytest_inprocess("-rs", "--strict-markers", "-Wdefault")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*: needs --conformance-base-url"])


def test_wrong_key_is_one_sentence(
    pytester: pytest.Pytester, showcase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-nobody-0123456789abcdef"
    monkeypatch.setenv(KEY, key)
    result = pytester.runpytest_inprocess(*words(f"{showcase}/reference/none/wrong/v1", "-rs"))
    assert result.parseoutcomes()["errors"] == 1
    assert set(result.parseoutcomes()) == {"errors", "skipped"}
    result.stdout.fnmatch_lines(["the API key was rejected with 401*"])
    assert key not in result.stdout.str() + result.stderr.str()


def test_limit_skips_the_remaining_checks(
    pytester: pytest.Pytester, showcase: str, tmp_path: Path
) -> None:
    limits = ("--conformance-max-requests", "2", "--conformance-out", "report", "-rs")
    result = pytester.runpytest_inprocess(*words(f"{showcase}/reference/none/limit/v1", *limits))
    assert "failed" not in result.parseoutcomes()
    result.stdout.fnmatch_lines(["SKIPPED * budget spent: 2 requests were allowed"])
    run = read_run(pytester.path / "report" / "run.ndjson")
    assert run.footer is not None
    assert run.footer.cost.requests == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "with a worker"])
def test_interruption_ends_everything(tmp_path: Path, workers: tuple[str, ...]) -> None:
    request, over = threading.Event(), threading.Event()

    def never() -> ScriptedResponse:
        request.set()
        over.wait()
        return ScriptedResponse()

    command = [sys.executable, "-m", "pytest", *PLUGINS]
    with serving(never) as base_url:
        process = subprocess.Popen(
            [*command, "-p", "no:cacheprovider", *words(base_url, *workers)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **LIGHT, "TMPDIR": str(tmp_path)},
        )
        try:
            assert request.wait(600)
            process.send_signal(signal.SIGINT)
            result, _ = process.communicate(timeout=300)
        finally:
            over.set()
            process.kill()
            process.wait()
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in result
    assert DEMO_KEY not in result
    assert not list(tmp_path.glob("conformance-*"))


def test_unused_plugin_imports_no_heavy_modules(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import sys

        def pytest_sessionfinish():
            ours = {name for name in sys.modules if name.partition(".")[0] == "conformance"}
            assert ours == {"conformance", "conformance.pytest_plugin"}
            assert not {"httpx", "jsonschema", "yaml", "click"} & set(sys.modules)
            print("looked")
        """
    )
    pytester.makepyfile("def test_it(): pass")
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-s", "-p", "conformance.pytest_plugin"],
        cwd=pytester.path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert "looked" in ended.stdout
    assert "conformance:" not in ended.stdout


def test_plugin_can_be_disabled(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("-p", "no:conformance", "--conformance-base-url", "x")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unrecognized arguments: --conformance-base-url*"])
