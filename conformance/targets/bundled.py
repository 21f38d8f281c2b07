"""Start the bundled reference server as a subprocess.

    with bundled_server() as server:
        Target(server.base_url, server.model, "openai", server.api_key)

The two packages do not import each other: this module only knows the server's command, its
environment variable for the key, and the line that it prints when it listens. The server ends when
its standard input is closed, so it does not outlive this process even after ``kill -9``.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import IO

MODEL = "gpt-3.5-turbo-instruct"
KEY_VARIABLE = "REFERENCE_SERVER_API_KEY"
READY = "Listening on "
REFERENCE = "reference"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
PROGRAM = (sys.executable, "-m", "reference_server")
COMMAND = (*PROGRAM, "--port", "0", "--exit-with-stdin")
DISTRIBUTION = "completions-conformance"
IN_UTF8 = {"PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
"""What a server prints is read as UTF-8, whatever the locale of this process."""
EXTRA = f"pip install '{DISTRIBUTION}[server]'"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_BELOW = re.compile(r"""python_version\s*<\s*['"](\d+)\.(\d+)['"]""")


class BundledServerError(Exception):
    """The bundled server cannot be started; the message has the reason and the fix."""


@dataclass(frozen=True, slots=True)
class BundledServer:
    """A running server: its base URL, model, key and process id."""

    base_url: str
    model: str
    api_key: str = field(repr=False)
    pid: int
    is_running: Callable[[], bool] = field(repr=False, compare=False)


def bundled_server(
    command: Sequence[str] = COMMAND, *, dialect: str = REFERENCE
) -> AbstractContextManager[BundledServer]:
    """Start the server in a dialect, and stop it when the block ends.

    Args:
        command: the command line, without ``--dialect``.
        dialect: the name of a document, or ``reference``, which serves every feature.

    Raises:
        BundledServerError: it did not start.
    """
    return _started([*command, "--dialect", dialect])


def bundled_showcase(command: Sequence[str] = COMMAND) -> AbstractContextManager[BundledServer]:
    """Start a server that shows every dialect, fault and variant, each under its own path.

    Below the origin of its base URL, ``/DIALECT/BEHAVIOURS/INSTANCE/v1`` is the base URL of a
    server of that dialect with those behaviours, or ``none``. Each instance, any word, has its own
    state.

    Raises:
        BundledServerError: it did not start.
    """
    # A self-test sends a hundred thousand requests, which need no log lines.
    return _started([*command, "--showcase", "--log-level", "warning"])


def list_bundled(what: str, command: Sequence[str] = PROGRAM) -> str:
    """Return the server's list of ``faults`` or ``variants`` as JSON.

    Raises:
        BundledServerError: the command failed or timed out.
    """
    arguments = [*command, f"--list-{what}", "--format", "json"]
    try:
        listed = subprocess.run(  # noqa: S603 - our own command
            arguments,
            capture_output=True,
            timeout=START_SECONDS,
            check=False,
            env={**os.environ, **IN_UTF8},
        )
    except subprocess.TimeoutExpired:
        raise BundledServerError(f"the bundled reference server did not list its {what}") from None
    if listed.returncode:
        raise BundledServerError(_reason(listed.stderr.decode("utf-8", errors="replace")))
    return listed.stdout.decode("utf-8", errors="replace")


def is_installed(extra: str = "server") -> bool:
    """Return whether all packages of an extra are installed."""
    try:
        wanted = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return False
    marked = re.compile(rf"""extra\s*==\s*['"]{re.escape(extra)}['"]""")
    return all(_is_package_installed(line) for line in wanted if marked.search(line))


def _is_package_installed(requirement: str) -> bool:
    name = _NAME.match(requirement)
    below = _BELOW.search(requirement)
    if below and sys.version_info >= (int(below[1]), int(below[2])):
        return True  # this Python brings it
    try:
        return name is not None and bool(metadata.version(name[0]))
    except metadata.PackageNotFoundError:
        return False


@contextmanager
def _started(command: Sequence[str]) -> Iterator[BundledServer]:
    # A random key, so that other users of this machine cannot use the server.
    key = f"sk-bundled-{secrets.token_urlsafe(24)}"
    with _log() as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **IN_UTF8, KEY_VARIABLE: key, "PYTHONUNBUFFERED": "1"},
        )
        try:
            line = _first_line(process)
            if not line.startswith(READY):
                process.kill()
                process.wait()
                log.seek(0)
                raise BundledServerError(_reason(log.read().decode("utf-8", errors="replace")))
            base_url = line.removeprefix(READY).strip()
            yield BundledServer(base_url, MODEL, key, process.pid, lambda: process.poll() is None)
        finally:
            _stop(process)


def _log() -> IO[bytes]:
    """Open a file for the server's messages; without a temporary folder they are dropped."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return Path(os.devnull).open("r+b")


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """Read the server's first line of output; empty if it ended or timed out."""
    assert process.stdout is not None  # noqa: S101 - it was opened as a pipe
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        return process.stdout.readline().decode("utf-8", errors="replace")
    finally:
        watchdog.cancel()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _reason(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    last = lines[-1] if lines else "it exited without a message"
    if "No module named" in last or "[server]" in last:
        return f"the bundled reference server is not installed; run: {EXTRA}"
    return f"the bundled reference server did not start: {last}"
