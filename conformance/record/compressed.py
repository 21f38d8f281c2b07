"""Compressed records: ``run.ndjson.gz``, whole, or without what many runs have in common.

A record is read whether it is compressed or not. A fifth of one is the contract in its header:
its subjects and requirements. Where many records are kept, these are in one file per contract,
``contracts/<SHA-256>.json.gz``, and the header names it; reading the record puts them back.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from conformance.input_files import MIB, InputError, open_file
from conformance.record.line import RunFileError

CONTRACTS = "contracts"
SUFFIX = ".json.gz"
SHARED = ("subjects", "requirements")
"""Members of the header that all runs under one contract have in common."""

MAX_CONTRACT_BYTES = 16 * MIB
MAX_COMPRESSED_BYTES = 64 * MIB
LEVELS_UP = 3
"""How far above a record the folder of contracts may be."""

_MAGIC = b"\x1f\x8b"


class Lines(Protocol):
    """What is read line by line."""

    def readline(self, size: int, /) -> bytes:
        """Return the next line, or the first ``size`` bytes of it."""


class _Inflated:
    """Reads the lines of a gzip file, up to a limit of bytes."""

    def __init__(self, file: BinaryIO, path: Path, limit: int) -> None:
        self._file = gzip.GzipFile(fileobj=file, mode="rb")
        self._path, self._limit, self._read = path, limit, 0

    def readline(self, size: int, /) -> bytes:
        try:
            line = self._file.readline(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise RunFileError(f"{self._path} cannot be decompressed: {error}") from None
        self._read += len(line)
        if self._read > self._limit:
            raise RunFileError(
                f"{self._path} has more than {self._limit // MIB} MiB when it is decompressed"
            )
        return line


def lines_in(file: BinaryIO, path: Path, limit: int) -> Lines:
    """Return the lines of a record, decompressed if they are compressed.

    Args:
        file: the record, at its beginning.
        path: for messages.
        limit: the maximum number of decompressed bytes.

    Raises:
        RunFileError: the compressed file is too large.
    """
    is_compressed = file.read(len(_MAGIC)) == _MAGIC
    size = file.seek(0, 2)
    file.seek(0)
    if not is_compressed:
        return file
    if size > MAX_COMPRESSED_BYTES:
        raise RunFileError(f"{path} has more than {MAX_COMPRESSED_BYTES // MIB} MiB")
    return _Inflated(file, path, limit)


def with_contract(line: bytes, digest: str, path: Path) -> bytes:
    """Put the shared members back into the line of a header.

    Args:
        line: the header.
        digest: the SHA-256 that it names, in hexadecimal digits.
        path: of the record; the contracts are in a folder near it.

    Raises:
        RunFileError: there is no such contract, or it is another one.
    """
    header: dict[str, Any] = json.loads(line)
    shared = _read_contract(digest, path)
    # In the order of any other header.
    return _json({**header, **shared, "promises": None})


def split(lines: Iterator[bytes]) -> tuple[str, bytes, Iterator[bytes]]:
    """Take the shared members out of a record.

    Args:
        lines: those of a whole record.

    Returns:
        Their SHA-256, their JSON, and the lines without them.
    """
    header: dict[str, Any] = json.loads(next(lines))
    content = _json({name: header.get(name, []) for name in SHARED})
    digest = hashlib.sha256(content).hexdigest()
    first = _json({**header, **{name: [] for name in SHARED}, "promises": digest})

    def rest() -> Iterator[bytes]:
        yield first + b"\n"
        yield from lines

    return digest, content, rest()


def compressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Compress a file; equal content gives equal bytes."""
    # 31 is the window of deflate, 15, in the format of gzip, 16, without a name or time.
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    for chunk in chunks:
        yield squeeze.compress(chunk)
    yield squeeze.flush()


def _json(data: dict[str, Any]) -> bytes:
    try:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a character, which only escapes represent
        return json.dumps(data, separators=(",", ":")).encode()


def _read_contract(digest: str, path: Path) -> dict[str, Any]:
    for folder in path.absolute().parents[:LEVELS_UP]:
        place = folder / CONTRACTS / f"{digest}{SUFFIX}"
        try:
            with open_file(place, MAX_COMPRESSED_BYTES) as file:
                content = lines_in(file, place, MAX_CONTRACT_BYTES).readline(MAX_CONTRACT_BYTES + 1)
        except RunFileError:
            raise
        except (InputError, OSError):
            continue
        if hashlib.sha256(content).hexdigest() != digest:
            raise RunFileError(f"{place} is not the contract that {path} names")
        try:
            shared = json.loads(content)
            return {name: shared[name] for name in SHARED}
        except (ValueError, RecursionError, TypeError, KeyError):
            raise RunFileError(f"{place} is not a contract of a history") from None
    raise RunFileError(
        f"{path} is a part of a history and needs its folder {CONTRACTS}, which has no {digest}"
    )
