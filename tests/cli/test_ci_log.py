"""What is printed in CI is no command of its log."""

from __future__ import annotations

import io
import sys

import pytest

from conformance.cli import ci_log

GITHUB, AZURE = {"GITHUB_ACTIONS": "true"}, {"TF_BUILD": "True"}


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch):
    """Print pieces of text in a CI system, and return what its log has."""

    def log(environment, *pieces: str, own: str = "") -> str:
        for name in ci_log.COMMANDS:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stdout", stream)
        with ci_log.guarded():
            for piece in pieces:
                sys.stdout.write(piece)
                sys.stdout.flush()
            if own:
                ci_log.command(own)
        return stream.getvalue()

    return log


@pytest.mark.parametrize(
    "pieces",
    [
        ("::error::x\n",),
        ("  ::error::x\n",),
        ("a\n::error::x",),
        (":", ":error::x\n"),
        ("a\n  :", ":error::x\n"),
        ("a\r::error::x\n",),
        ("a\r", "::error::x\n"),
        ("a ##[error]x\n",),
        ("a #", "#[error]x\n"),
    ],
)
def test_command_of_the_runner_is_changed(printed, pieces: tuple[str, ...]) -> None:
    log = printed(GITHUB, *pieces)
    assert log.replace(" ", "") == "".join(pieces).replace(" ", "")
    for line in log.replace("\r", "\n").split("\n"):
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_other_text_is_unchanged(printed) -> None:
    pieces = ("std::vector ", "::x\n", "a:\n", "#", " b\n", "[::1]\n", ":")
    assert printed(GITHUB, *pieces) == "".join(pieces)


def test_own_command_passes(printed) -> None:
    assert printed(GITHUB, "a\n", own="::notice title=x::y") == "a\n::notice title=x::y\n"


def test_each_system_has_its_marks(printed) -> None:
    assert printed(AZURE, "::error::x ##vso[task]y\n") == "::error::x ##vso [task]y\n"
    assert printed({}, "::error::x ##[a]\n") == "::error::x ##[a]\n"
