"""A checkout of a user's with an endpoint, and the programs that pipelines call."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.programs import PROGRAMS
from tests.servers import RunningServer, running_server

KEY_NAME = "VENDOR_KEY"


@pytest.fixture(scope="session")
def broken() -> Iterator[RunningServer]:
    """A server with a fault that a smoke run finds."""
    with running_server("--fault", "over-four-truncated") as server:
        yield server


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put ``conformance`` and stand-ins for ``pip`` and ``docker`` first on the path.

    The stand-ins write down how they are called: nothing is installed, and no daemon is needed.
    """
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in PROGRAMS.items():
        path = folder / name
        path.write_text(text.replace("PYTHON", sys.executable), "utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "OPENAI_API_KEY", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout, in which the process works."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
