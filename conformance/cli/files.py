"""Write files: whole or not at all. Every file of a command but the record passes here.

Texts pass the last gate, which hides the secrets of this process.

A file is written under a temporary name in its folder and renamed when it is complete, so a full
disk or a crash leaves the previous file or none, never half of one. Nothing is synchronised with
the disk: everything but the record can be written again from the record.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import click

from conformance.input_files import InputError, one_line
from conformance.model import ExitCode
from conformance.transport import gate

FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Errors of a disk rather than of a path that the user chose."""


MOST_CHARS = 800
"""Characters of a message about files that cannot be written for the same reason."""


class WriteError(click.ClickException):
    """A file cannot be written, and another path would help; the message names it and why.

    Args:
        failed: the files, by the reason.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, failed: Mapping[str, Sequence[Path]]) -> None:
        self.failed = failed
        super().__init__(
            "; ".join(
                one_line(f"cannot write {', '.join(map(str, paths))}: {reason}", MOST_CHARS)
                for reason, paths in failed.items()
            )
        )


class DiskError(WriteError):
    """A file cannot be written, because the disk is full or broken."""

    exit_code = ExitCode.UNDECIDED


def _error(path: Path, error: OSError | ValueError) -> WriteError:
    reason = error.strerror if isinstance(error, OSError) else "this is not a valid path"
    kind = DiskError if code_of(error) is ExitCode.UNDECIDED else WriteError
    return kind({reason or "unknown error": [path]})


def together(errors: Sequence[WriteError]) -> WriteError:
    """Return one error that names all files of several; a broken disk comes before a wrong path."""
    kind = DiskError if any(isinstance(error, DiskError) for error in errors) else WriteError
    by_reason: dict[str, list[Path]] = {}
    for error in errors:
        for reason, paths in error.failed.items():
            by_reason.setdefault(reason, []).extend(paths)
    return kind(by_reason)


def code_of(error: OSError | ValueError) -> ExitCode:
    """Return the exit code for a file that cannot be used."""
    is_full = isinstance(error, OSError) and error.errno in FULL
    return ExitCode.UNDECIDED if is_full else ExitCode.USAGE


def write_text(path: Path, text: str, *, mode: int = 0o666) -> None:
    """Write a text file in UTF-8, whole or not at all, without the secrets of this process.

    Args:
        path: the file; what is there is replaced.
        text: the content; lone surrogates, which UTF-8 does not have, become escapes.
        mode: the permissions of a new file, before the umask.

    Raises:
        WriteError: it cannot be written.
    """
    write_chunks(path, [gate.redact(text).encode("utf-8", "backslashreplace")], mode=mode)


def write_chunks(path: Path, chunks: Iterable[bytes], *, mode: int = 0o666) -> None:
    """Write a file from pieces, whole or not at all; see :func:`write_text`.

    Raises:
        InputError: the pieces are read from another file, and that cannot be read.
        WriteError: it cannot be written.
    """
    try:
        # A link keeps pointing to the file that is replaced.
        whole = Path(os.path.realpath(path))
        if whole.exists() and not whole.is_file():
            _write_in_place(whole, chunks)
        else:
            _write_and_rename(whole, chunks, mode)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise _error(path, error) from None


def _write_in_place(path: Path, chunks: Iterable[bytes]) -> None:
    """Write to a device or pipe, such as ``/dev/stdout``, which cannot be renamed."""
    with path.open("wb") as file:
        file.writelines(chunks)


def _write_and_rename(path: Path, chunks: Iterable[bytes], mode: int) -> None:
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(chunks)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
