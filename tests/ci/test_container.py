"""The Dockerfile's lines, without a daemon; and the image itself where there is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.workflow import ROOT
from tests.lanes import exhaustive

LINES = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
BUILD_SECONDS = 1800


def instructions(name: str) -> list[str]:
    """Return what stands behind an instruction, by line."""
    return [line.removeprefix(f"{name} ") for line in LINES if line.startswith(f"{name} ")]


def has_daemon() -> bool:
    """Tell whether a container can be built here."""
    if shutil.which("docker") is None:
        return False
    asked = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60)
    return asked.returncode == 0


def context() -> Iterator[Path]:
    """The paths that .dockerignore sends to a daemon, and that git would have."""
    listed = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    kept = [line.removeprefix("!") for line in listed if line.startswith("!")]
    assert "*" in listed
    for name in kept:
        path = ROOT / name
        assert path.exists(), name
        yield path


def test_build_context_has_what_is_copied(tmp_path: Path) -> None:
    names = {path.name for path in context()}
    for line in instructions("COPY"):
        *sources, _ = [word for word in line.split() if not word.startswith("--")]
        assert sources in (["."], ["/opt/conformance"])
    assert {"pyproject.toml", "README.md", "LICENSE", "conformance", "spec"} <= names
    assert not names & {".git", ".venv", "reports", "tests"}


def test_container_has_no_privileges() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert instructions("ENTRYPOINT") == ['["conformance"]']
    assert not any(re.search(r"curl|wget|apt-get|ADD ", line) for line in LINES)


def test_examples_name_real_options() -> None:
    head = "\n".join(line for line in LINES if line.startswith("#"))
    options = set(re.findall(r" (--[a-z-]+)", head)) - {
        *("--rm", "--read-only", "--tmpfs", "--entrypoint", "--user"),
    }
    shown = "".join(
        subprocess.run(
            [sys.executable, "-m", *words, "--help"], capture_output=True, text=True, check=True
        ).stdout
        for words in (("conformance", "run"), ("reference_server",))
    )
    assert [name for name in options if name not in shown] == []


@exhaustive
def test_lines_make_an_environment_that_runs(tmp_path: Path) -> None:
    source, reports = tmp_path / "src", tmp_path / "reports"
    source.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for path in context():
        if path.is_dir():
            shutil.copytree(path, source / path.name, ignore=ignored)
        else:
            shutil.copy(path, source)
    venv = tmp_path / "opt" / "conformance"
    places = {"/opt/conformance": str(venv), "/reports": str(reports)}
    environment = {key: one for key, one in os.environ.items() if not key.startswith("PYTHON")}
    for line in instructions("RUN"):
        command = re.sub(r"^python ", f"{sys.executable} ", line)
        for there, here in places.items():
            command = command.replace(there, here)
        ended = subprocess.run(
            ["sh", "-e", "-c", command],
            cwd=source,
            env=environment,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}"
    environment["PATH"] = f"{venv / 'bin'}{os.pathsep}{environment['PATH']}"
    ended = subprocess.run(
        ["conformance", "run", "--tier", "smoke", "--out", "today"],
        cwd=reports,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (reports / "today" / "index.html").exists()


@exhaustive
@pytest.mark.skipif(not has_daemon(), reason="no container can be built here")
def test_image_is_built_and_runs() -> None:
    build = ["docker", "build", "--quiet", "--tag", "conformance-test", str(ROOT)]
    subprocess.run(build, check=True, timeout=BUILD_SECONDS, capture_output=True)
    run = ["docker", "run", "--rm", "--read-only", "--tmpfs", "/tmp", "--tmpfs", "/reports"]
    subprocess.run(
        [*run, "conformance-test", "run", "--tier", "smoke", "--out", "today"],
        check=True,
        timeout=300,
        capture_output=True,
    )
