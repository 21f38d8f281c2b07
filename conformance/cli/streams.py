"""Standard output and error that never end a command: a closed pipe, a full disk, no stream at all.

A command runs to its end and writes its files whether or not anybody reads what it prints. What
could not be printed decides the exit code only of commands that have no other result.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any


class _Tolerant(io.RawIOBase):
    """A descriptor that swallows everything after its first failure."""

    def __init__(self, descriptor: int, lost: OSError | None = None) -> None:
        self._descriptor = descriptor
        self.lost = lost

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        while self.lost is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.lost = error
        return len(data)


@dataclass(frozen=True, slots=True)
class Output:
    """The standard output of a command."""

    _raw: _Tolerant | None

    @property
    def lost(self) -> OSError | None:
        """Why something could not be printed; None if everything was."""
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        return self._raw.lost if self._raw else None


@contextmanager
def tolerant_streams() -> Iterator[Output]:
    """Replace the standard streams of the process until the block ends.

    Streams without a descriptor, as in tests, are kept. Characters that the encoding lacks, such as
    ``✓``, become ``?``.
    """
    closed = _occupied()
    before = sys.stdout, sys.stderr
    sys.stdout, output = _wrapped(sys.stdout, 1, closed)
    sys.stderr, _ = _wrapped(sys.stderr, 2, closed)
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    try:
        yield Output(output)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        # The process ends soon; streams that Python could not open stay replaced until then.
        sys.stdout, sys.stderr = (
            old if old is not None else new
            for old, new in zip(before, (sys.stdout, sys.stderr), strict=True)
        )


def _occupied() -> frozenset[int]:
    """Open the null device for standard streams that are closed, and return their numbers.

    Otherwise the next file that is opened, such as the record, would become standard output.
    """
    closed = []
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            closed.append(descriptor)
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
    return frozenset(closed)


def _wrapped(stream: Any, descriptor: int, closed: frozenset[int]) -> tuple[Any, _Tolerant | None]:
    if stream is None:
        lost = OSError(errno.EBADF, "it is closed") if descriptor in closed else None
        raw = _Tolerant(descriptor, lost)
        return _text(raw, "utf-8", line_buffering=False), raw
    try:
        number = stream.fileno()
        stream.flush()
    except (OSError, ValueError, AttributeError):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
        return stream, None
    raw = _Tolerant(number)
    return _text(raw, stream.encoding or "utf-8", line_buffering=stream.line_buffering), raw


def _text(raw: _Tolerant, encoding: str, *, line_buffering: bool) -> IO[str]:
    # A writer that closes with the process must not close the descriptor under the old stream.
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=encoding, errors="replace", line_buffering=line_buffering
    )
