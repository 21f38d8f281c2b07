"""Run a program with limits on its time and its output."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

READ_BYTES = 2**16
ERROR_BYTES = 2**16
"""Bytes of standard error that are kept; the rest is read, so that the program does not block."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The output and exit code of a program; ``fault`` is why it was killed, or None."""

    output: bytes
    errors: bytes
    code: int
    fault: str | None = None


def run(
    command: Sequence[str],
    *,
    given: bytes,
    environment: Mapping[str, str],
    folder: str | None = None,
    seconds: float,
    limit: int,
) -> Ended:
    """Run a program; kill it after ``seconds`` or more than ``limit`` bytes of output.

    Args:
        command: the program and its arguments.
        given: its standard input.
        environment: all its environment variables.
        folder: its working directory; None is the current one.
        seconds: the timeout.
        limit: maximum bytes of standard output.

    Raises:
        OSError: it cannot be started.
    """
    process = subprocess.Popen(  # noqa: S603 - a client that the caller chose
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
    )
    assert process.stdin is not None  # noqa: S101 - all three were opened as pipes
    assert process.stdout is not None  # noqa: S101
    assert process.stderr is not None  # noqa: S101
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    watchdog = threading.Timer(seconds, stop)
    errors = bytearray()
    helpers = [
        threading.Thread(target=_feed, args=(process.stdin, given), daemon=True),
        threading.Thread(target=_drain, args=(process.stderr, errors), daemon=True),
    ]
    try:
        for thread in (watchdog, *helpers):
            thread.start()
        output = _read(process.stdout, limit)
        full = len(output) > limit
        if full:
            process.kill()
        code = process.wait()
    finally:
        # Also after an interrupt, no process or thread is left.
        watchdog.cancel()
        process.kill()
        process.wait()
        for thread in helpers:
            if thread.is_alive():
                thread.join()
        process.stdout.close()
    fault = f"timeout after {seconds:g} s" if late.is_set() else None
    if full:
        fault = f"more than {limit:,} bytes of output"
    return Ended(output[:limit], bytes(errors), code, fault)


def _read(pipe: IO[bytes], limit: int) -> bytes:
    """Read to the end, or to one byte more than the limit."""
    output = bytearray()
    while read := pipe.read(min(READ_BYTES, limit + 1 - len(output))):
        output += read
    return bytes(output)


def _feed(pipe: IO[bytes], given: bytes) -> None:
    try:
        with pipe:
            pipe.write(given)
    except OSError:
        return  # the program ended early; its exit code and messages say why


def _drain(pipe: IO[bytes], kept: bytearray) -> None:
    # Closed here, because an interrupt may come before this thread has started to read.
    with pipe:
        while read := pipe.read(READ_BYTES):
            kept += read[: ERROR_BYTES - len(kept)]
