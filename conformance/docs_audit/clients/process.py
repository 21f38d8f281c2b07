"""Run a program for a while, and take of what it writes no more than was agreed."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

READ_BYTES = 2**16
ERROR_BYTES = 2**16
"""What is kept of standard error; the rest is read, so that the program does not wait, and lost."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a program wrote, and why it was ended where it did not end by itself."""

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
    """Run a program to its end, or end it: after ``seconds``, or past ``limit`` bytes of output.

    Args:
        command: the program and its arguments.
        given: its standard input.
        environment: all its environment variables.
        folder: where it runs; here if not given.
        seconds: the time it may take.
        limit: bytes of standard output that it may write.

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
        # Also when somebody interrupts: nothing that was started here stays behind.
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
    """Read to the end, or one byte past the limit, which tells that there was more."""
    output = bytearray()
    while read := pipe.read(min(READ_BYTES, limit + 1 - len(output))):
        output += read
    return bytes(output)


def _feed(pipe: IO[bytes], given: bytes) -> None:
    try:
        with pipe:
            pipe.write(given)
    except OSError:
        return  # it ended without reading all; its exit code and its last words tell why


def _drain(pipe: IO[bytes], kept: bytearray) -> None:
    # Nobody else closes it: an interrupt may come before this thread has begun to read.
    with pipe:
        while read := pipe.read(READ_BYTES):
            kept += read[: ERROR_BYTES - len(kept)]
