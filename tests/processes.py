"""Start servers of any kind as processes for tests."""

import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS = 300.0
STOP_SECONDS = 10.0
LOG_LINES = 200


@contextmanager
def listening(
    command: Sequence[str | Path],
    url: str,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[None]:
    """Run a server until the block ends; the block begins when ``url`` answers, whatever it says.

    Raises RuntimeError with the end of the server's own words if it ends or stays silent instead.
    """
    process = subprocess.Popen(
        list(command),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **(env or {})},
    )
    assert process.stdout is not None
    log: deque[str] = deque(maxlen=LOG_LINES)
    # Read to its end by a thread: a full pipe would stop the server.
    draining = threading.Thread(target=log.extend, args=(process.stdout,), daemon=True)
    draining.start()
    try:
        if not _answers(url, process):
            raise RuntimeError(f"{command[0]} did not answer at {url}:\n{''.join(log)}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        draining.join()
        process.stdout.close()


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _answers(url: str, process: subprocess.Popen[str]) -> bool:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(url, timeout=START_SECONDS)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return True
    return False


def python_with_file_limit(
    bytes_: int, *words: str | Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python with these words where no file may grow past ``bytes_``, as on a full disk.

    It keeps no compiled modules: cut off at the limit, one would break every later process.
    """
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_)),
    )
