"""Compressed records: ``run.ndjson.gz``, whole, or without what many runs have in common.

A record is read whether it is compressed, with gzip or zstd, or not. Zstd is in the standard
library from Python 3.14 on, and in an optional package (the extra ``zstd``) before.

A fifth of a record is the contract in its header: its subjects and requirements. Where many records
are kept, these are in one file per contract, ``contracts/<SHA-256>.json.gz``, and the header names
it; reading the record puts them back.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
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

ZSTD_EXTRA = "pip install 'completions-conformance[zstd]'"
ZSTD_LEVEL = 15
"""A standard run takes 17 % less than with gzip at twice the time; level 19 would save another 5 %
at fifteen times the time (2026-12-01)."""

MAX_WINDOW_LOG = 27
"""The base-2 logarithm of the most memory that a zstd file may ask for, 128 MiB, as the tool
``zstd`` has it."""

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class NoZstdError(Exception):
    """This Python has no zstd; the message is one sentence."""


class Lines(Protocol):
    """What is read line by line."""

    def readline(self, size: int, /) -> bytes:
        """Return the next line, or the first ``size`` bytes of it."""


class _Inflated:
    """Reads the lines of a compressed file, up to a limit of bytes."""

    def __init__(
        self, file: Lines, path: Path, limit: int, errors: tuple[type[Exception], ...]
    ) -> None:
        self._file, self._errors = file, errors
        self._path, self._limit, self._read = path, limit, 0

    def readline(self, size: int, /) -> bytes:
        try:
            line = self._file.readline(size)
        except self._errors as error:
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
        RunFileError: the compressed file is too large, or this Python cannot decompress it.
    """
    start = file.read(len(_ZSTD))
    size = file.seek(0, 2)
    file.seek(0)
    if not start.startswith((_GZIP, _ZSTD)):
        return file
    if size > MAX_COMPRESSED_BYTES:
        raise RunFileError(f"{path} has more than {MAX_COMPRESSED_BYTES // MIB} MiB")
    if start.startswith(_GZIP):
        unpacked = gzip.GzipFile(fileobj=file, mode="rb")
        return _Inflated(unpacked, path, limit, (EOFError, gzip.BadGzipFile, zlib.error))
    try:
        zstd = zstd_module()
    except NoZstdError as error:
        raise RunFileError(f"{path} is compressed with zstd: {error}") from None
    options = {zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG}
    unpacked = zstd.ZstdFile(file, options=options)
    return _Inflated(unpacked, path, limit, (EOFError, zstd.ZstdError))


def zstd_module() -> ModuleType:
    """Return the module for zstd, ``compression.zstd`` or its backport.

    Raises:
        NoZstdError: there is none.
    """
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise NoZstdError(f"that needs Python 3.14 or an extra; run: {ZSTD_EXTRA}")


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


def compressed(chunks: Iterable[bytes], *, with_zstd: bool = False) -> Iterator[bytes]:
    """Compress a file with gzip or zstd; equal content gives equal bytes.

    Raises:
        NoZstdError: this Python has no zstd.
    """
    if with_zstd:
        yield zstd_module().compress(b"".join(chunks), ZSTD_LEVEL)
        return
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
