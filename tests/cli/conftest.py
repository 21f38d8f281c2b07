"""The command as a function call against the fake endpoint, and as a process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import conformance.engine.replay  # noqa: F401 - a replay keeps the runner that `fake` replaces
from conformance.cli import main
from conformance.engine import runner
from conformance.testing import FakeEndpoint

Command = Callable[..., Result]
Process = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in an empty folder, with no key in the environment, and in no CI system."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def command() -> Command:
    """Call ``conformance`` with these words."""

    def call(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(main, list(words), input=stdin)

    return call


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let every run meet an endpoint in memory instead of the network, and no reference."""
    conforming = runner.run

    def replace(endpoint=FakeEndpoint) -> None:
        def run(target, contract, options, *, reference=None, transport=None, **part):
            inside = endpoint(contract, target.model)
            return conforming(target, contract, options, transport=inside, **part)

        monkeypatch.setattr(runner, "run", run)

    return replace


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Run ``conformance`` as a separate process."""
    return lambda *words, **settings: subprocess.run(
        [sys.executable, "-m", "conformance", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
        env={**os.environ, "OPENAI_API_KEY": "", **settings},
    )
