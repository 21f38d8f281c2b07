"""Read files that anyone may have written: records, overlays, ``conformance.toml``.

No file can hang the reader (a pipe, a device), exhaust memory (size is bounded before reading), or
write to the terminal through an error message (:class:`InputError` is one printable sentence).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

MAX_SENTENCE_CHARS = 400
MIB = 1024 * 1024

_GZIP = b"\x1f\x8b"
_OTHER_KINDS = (
    (stat.S_ISDIR, "is a folder, not a file"),
    (stat.S_ISFIFO, "is a pipe, not a file; write its content to a file first"),
    (stat.S_ISCHR, "is a device, not a file"),
    (stat.S_ISBLK, "is a device, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
)


class InputError(ValueError):
    """A file is not usable; the message is one bounded, printable sentence."""

    def __init__(self, sentence: str) -> None:
        super().__init__(one_line(sentence))


def one_line(text: str, limit: int = MAX_SENTENCE_CHARS) -> str:
    """Return a text on one line of at most ``limit`` characters, without control characters.

    A long text loses its middle: its beginning names the place, its end what to do.
    """
    printable = "".join(map(_visible, _without_middle(text, limit)))
    return _without_middle(printable, limit)


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _without_middle(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    first = limit * 2 // 3
    return f"{text[:first]}…{text[-(limit - first - 1) :]}"


def is_file(path: Path) -> bool:
    """Return whether a path names a regular file; false if it cannot even be looked up.

    ``Path.is_file`` raises for names that are too long and for folders that may not be searched.
    """
    return os.path.isfile(path)  # noqa: PTH113 - see above


def is_folder(path: Path) -> bool:
    """Return whether a path names a folder; false if it cannot even be looked up."""
    return os.path.isdir(path)  # noqa: PTH112 - see `is_file`


def open_file(path: Path, limit: int) -> BinaryIO:
    """Open a regular file of at most ``limit`` bytes for reading.

    Raises:
        InputError: it cannot be opened, is no regular file, or is too large.
    """
    try:
        # A pipe without a writer would block here until there is one.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise InputError(f"cannot read {path}: this is not a valid path") from None
    try:
        _assert_readable(descriptor, path, limit)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _assert_readable(descriptor: int, path: Path, limit: int) -> None:
    about = os.fstat(descriptor)
    for is_kind, what in _OTHER_KINDS:
        if is_kind(about.st_mode):
            raise InputError(f"cannot read {path}: it {what}")
    if about.st_size > limit:
        raise InputError(f"{path} has more than {limit // MIB} MiB, too much to read")


def read_file(path: Path, limit: int) -> bytes:
    """Read a regular file of at most ``limit`` bytes.

    Raises:
        InputError: it cannot be read, is no regular file, or is too large.
    """
    with open_file(path, limit) as file:
        try:
            raw = file.read(limit + 1)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
    # Files below /proc have no size, and others may grow while they are read.
    if len(raw) > limit:
        raise InputError(f"{path} has more than {limit // MIB} MiB, too much to read")
    assert_not_compressed(raw, path)
    return raw


def assert_not_compressed(raw: bytes, path: Path) -> None:
    """Raise :class:`InputError` if a file begins like a gzip file."""
    if raw.startswith(_GZIP):
        raise InputError(f"{path} is compressed; decompress it with `gunzip` first")
