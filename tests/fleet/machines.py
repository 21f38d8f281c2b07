"""Schedulers and workers of Dask as processes, as they run on machines of their own."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

SECONDS = 60
_READY = re.compile(r"(?:Scheduler at|Registered to):\s+(tcp://\S+)")
_OPTIONS = {
    "scheduler": ("--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
    "worker": ("--host", "127.0.0.1", "--no-nanny", "--no-dashboard"),
}


@contextmanager
def dask(
    kind: str, *words: str, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[psutil.Process, str]]:
    """Run ``dask scheduler`` or ``dask worker`` until the block ends.

    Args:
        kind: ``scheduler`` or ``worker``.
        words: further words of the command.
        log: the file that it writes its log to.
        environment: its environment variables; those of this process if None.

    Yields:
        The process, and the address of the scheduler.
    """
    with log.open("ab") as file:
        before = file.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words, *_OPTIONS[kind]],
            stdout=file,
            stderr=file,
            env=environment,
        )
    found: list[str] = []

    def is_ready() -> bool:
        found[:] = _READY.findall(log.read_bytes()[before:].decode())
        return bool(found)

    try:
        wait_for(is_ready)
        yield psutil.Process(process.pid), found[-1]
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)


def wait_for(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Wait until a condition holds.

    Raises:
        TimeoutError: it does not.
    """
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"nothing happened in {seconds} seconds")
        time.sleep(0.05)
