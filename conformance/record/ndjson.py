"""The record as NDJSON: one JSON object per line, the header first and the footer last.

Each line is given to the operating system when it is written, so a killed run keeps its results so
far; the file is synchronised with the disk once, at its end, so only a loss of power during a run
can cost more than the line in flight. A file without a footer is an incomplete run, never a
conforming one. ``run.schema.json`` in this folder describes the format.

A record may come from anyone: reading one raises :class:`RunFileError` or returns a run that every
report can show.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.json import make_converter
from cattrs.v import format_exception

from conformance.input_files import (
    MIB,
    InputError,
    assert_not_compressed,
    one_line,
    open_file,
)
from conformance.message import Message
from conformance.model import Comparison, Exchange, Finding, Footer, Header, Run
from conformance.record.events import (
    CheckStarted,
    ExchangeMade,
    FindingMade,
    ReferenceAnswered,
    ReferenceMissing,
    RunEvent,
    RunFinished,
    RunStarted,
)
from conformance.record.expected import with_expected
from conformance.record.explained import as_concluded
from conformance.record.messages import message_from_json, message_to_json
from conformance.record.validation import (
    BadValueError,
    assert_plausible,
    brief,
    integer,
    only,
    seconds,
    word,
)

FORMAT = 2
"""The version of the format that is written. In version 1 a message was a string."""

READABLE = frozenset({1, FORMAT})
"""The versions that are read; files of others are rejected."""

SCHEMA = Path(__file__).with_name("run.schema.json")

Record = Header | Exchange | Finding | Comparison | Footer
KINDS: dict[str, type[Record]] = {
    "header": Header,
    "exchange": Exchange,
    "finding": Finding,
    "comparison": Comparison,
    "footer": Footer,
}
MAX_FILE_BYTES = 512 * MIB
MAX_LINE_BYTES = 64 * MIB
"""The longest line: a body of 8 MiB of which each byte needs an escape of six characters."""

MAX_REASONS = 3
"""Reasons that the message about an invalid line has."""


class RunFileError(InputError):
    """A record cannot be read; the message names the file, the line and the problem."""


class RecordError(Exception):
    """A record cannot be created or written further; the message is one sentence."""


class RecordExistsError(RecordError):
    """Another run has created the record."""


class RunWriter:
    """Writes events to a new record as they happen; a context manager.

    A line that cannot be written whole is removed again, so that the record ends with its last
    whole line.

    Raises:
        RecordError: the file exists (:class:`RecordExistsError`) or cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError:
            raise RecordExistsError(one_line(f"another run has created {path}")) from None
        except OSError as error:
            raise RecordError(one_line(f"cannot create {path}: {error.strerror}")) from None
        self._exchanges = self._findings = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # some file systems cannot; every line is with the kernel already
            os.fsync(self._file.fileno())
        with suppress(OSError):
            self._file.close()

    def write(self, event: RunEvent) -> None:
        """Write an event's line; some events have none.

        Raises:
            RecordError: the line cannot be written; the message says how much is kept.
        """
        match event:
            case RunStarted():
                self._line("header", event.header)
            case ExchangeMade():
                self._line("exchange", event.exchange)
            case FindingMade():
                self._line("finding", event.finding)
            case ReferenceAnswered():
                self._line("comparison", event.comparison)
            case RunFinished():
                self._line("footer", event.footer)
            case CheckStarted() | ReferenceMissing():
                return

    def _line(self, kind: str, record: Record) -> None:
        line = to_line(kind, record)
        before = self._file.tell()
        try:
            _write_all(self._file, line)
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(before)
                if before == 0:  # nothing is kept, so the folder can be used again
                    self._path.unlink()
            raise RecordError(
                one_line(
                    f"cannot write to {self._path} any more ({error.strerror}); the run is "
                    f"stopped, and the record keeps {self._exchanges} exchanges and "
                    f"{self._findings} findings"
                )
            ) from error
        self._exchanges += kind == "exchange"
        self._findings += kind == "finding"


def _write_all(file: RawIOBase, data: bytes) -> None:
    """Write all bytes; a nearly full disk takes only some of them at first."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]


def to_line(kind: str, record: Record) -> bytes:
    """Encode one record as a line, including the newline.

    Args:
        kind: one of :data:`KINDS`.
        record: the record.
    """
    data = {"kind": kind, **_converter.unstructure(record)}
    try:
        line = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Text of an endpoint can contain a lone surrogate, which only JSON escapes can represent.
        line = json.dumps(data, separators=(",", ":")).encode()
    return line + b"\n"


def lines_of(run: Run) -> Iterator[bytes]:
    """Yield the lines of a whole run in today's format, in its order."""
    yield to_line("header", replace(run.header, format=FORMAT))
    yield from (to_line("exchange", exchange) for exchange in run.exchanges)
    yield from (to_line("finding", finding) for finding in run.findings)
    yield from (to_line("comparison", comparison) for comparison in run.comparisons)
    if run.footer is not None:
        yield to_line("footer", run.footer)


def write_run(run: Run, path: Path) -> None:
    """Write a whole run to a file; what is there is replaced."""
    with path.open("wb") as file:
        file.writelines(lines_of(run))


def read_run(path: Path) -> Run:
    """Read a run record; an incomplete one has no footer.

    Raises:
        RunFileError: the file is missing or not a run record.
    """
    try:
        with open_file(path, MAX_FILE_BYTES) as file:
            return _run_of(_records(file, path), path)
    except OSError as error:
        raise RunFileError(f"cannot read {path}: {error.strerror}") from None
    except RunFileError:
        raise
    except InputError as error:
        raise RunFileError(str(error)) from None


class RunTail:
    """Reads a record while another thread or process writes it.

    Findings and the footer are parsed as they are written; exchanges, which are most of the file,
    only by :meth:`run`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._lines: list[bytes] = []
        self._records: list[Record] = []
        self._rest = b""
        self.findings: dict[str, Finding] = {}
        """The findings that :meth:`read` has read, by check id; explained ones once it ended."""
        self.footer: Footer | None = None
        """The footer; None until the run has ended."""

    def read(self) -> None:
        """Read what was written since the last call; a missing file counts as empty.

        Raises:
            RunFileError: a line is invalid.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except FileNotFoundError:
            return
        self._read += len(new)
        # A line without a newline is still being written.
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            self._lines.append(line)
            if not line.startswith(_PARSED_ON_READ):
                continue
            match _record(line, f"{self._path}, line {len(self._lines)}"):
                case Finding() as finding:
                    self.findings[finding.id] = finding
                case Footer() as footer:
                    self.footer = footer
                    concluded = as_concluded(self.findings.values(), footer)
                    self.findings = {finding.id: finding for finding in concluded}

    def run(self) -> Run | None:
        """Return the run so far; None if nothing was written.

        Raises:
            RunFileError: it is not a record.
        """
        self.read()
        for line in self._lines[len(self._records) :]:
            self._records.append(_record(line, f"{self._path}, line {len(self._records) + 1}"))
        return _run_of(iter(self._records), self._path) if self._records else None


_PARSED_ON_READ = (b'{"kind":"finding"', b'{"kind":"footer"')
"""Beginnings of the lines that :meth:`RunTail.read` parses, as :func:`to_line` writes them."""


def _run_of(records: Iterator[Record], path: Path) -> Run:
    header = next(records, None)
    if not isinstance(header, Header):
        raise RunFileError(f"{path} is not a run record: the first line is not a header")
    exchanges: dict[str, Exchange] = {}
    findings: dict[str, Finding] = {}
    comparisons: list[Comparison] = []
    footer: Footer | None = None
    for record in records:
        if footer is not None:
            raise RunFileError(f"{path} has lines after its footer")
        match record:
            case Exchange():
                if exchanges.setdefault(record.id, record) is not record:
                    raise RunFileError(f"{path} has two exchanges {brief(record.id)}")
            case Finding():
                if findings.setdefault(record.id, record) is not record:
                    raise RunFileError(f"{path} has two findings {brief(record.id)}")
            case Comparison():
                comparisons.append(record)
            case Footer():
                footer = record
            case Header():
                raise RunFileError(f"{path} has two headers")
    run = Run(
        header,
        tuple(exchanges.values()),
        as_concluded(findings.values(), footer),
        footer,
        tuple(comparisons),
    )
    return with_expected(run)


def _records(file: BinaryIO, path: Path) -> Iterator[Record]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            assert_not_compressed(line, path)
        where = f"{path}, line {number}"
        if len(line) > MAX_LINE_BYTES:
            raise RunFileError(f"{where}: has more than {MAX_LINE_BYTES // MIB} MiB")
        try:
            record = _record(line, where)
        except RunFileError:
            # A killed run leaves an incomplete last line without a newline, which is ignored.
            if line.endswith(b"\n") or number == 1:
                raise
            return
        yield record


def _record(line: bytes, where: str) -> Record:
    try:
        data: Any = _JSON.decode(line.decode())
    except json.JSONDecodeError as error:
        raise RunFileError(f"{where}: not JSON ({error})") from None
    except UnicodeDecodeError as error:
        raise RunFileError(f"{where}: not UTF-8 (byte {error.start + 1})") from None
    except RecursionError:
        raise RunFileError(f"{where}: is nested too deeply") from None
    except ValueError as error:
        # Python converts integers of at most 4300 digits.
        reason = error if isinstance(error, _NotJsonError) else "a number has too many digits"
        raise RunFileError(f"{where}: not JSON ({reason})") from None
    kind = data.pop("kind", None) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise RunFileError(f"{where}: unknown kind of record {brief(kind)}")
    if kind == "header" and not _is_readable(data.get("format")):
        raise RunFileError(
            f"{where}: has format {brief(data.get('format'))}; "
            f"this version reads format {' and '.join(map(str, sorted(READABLE)))}"
        )
    try:
        record = _converter.structure(data, KINDS[kind])
        assert_plausible(record)
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RunFileError(f"{where}: invalid {kind} ({_reason(error)})") from None
    return record


def _is_readable(version: object) -> bool:
    # An array is not hashable, and True would equal 1.
    return type(version) is int and version in READABLE


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not isinstance(error, cattrs.BaseValidationError):
        return str(error)
    reasons = cattrs.transform_error(error, format_exception=_reason_of_one)
    more = [f"and {len(reasons) - MAX_REASONS} more"] if len(reasons) > MAX_REASONS else []
    shown = (one_line(reason, 200) for reason in reasons[:MAX_REASONS])
    return "; ".join((*shown, *more))


def _reason_of_one(error: BaseException, kind: Any) -> str:
    return str(error) if isinstance(error, BadValueError) else format_exception(error, kind)


class _NotJsonError(ValueError):
    """A word that Python reads and JSON does not have."""


def _no_constant(word: str) -> None:
    raise _NotJsonError(f"{word} is not a value")


_JSON = json.JSONDecoder(parse_constant=_no_constant)


_DOUBLED = b'"\\\n\r\t\b\f'
_SIXFOLD = bytes(byte for byte in range(0x20) if byte not in _DOUBLED)
"""The bytes that JSON writes with two, and those that it writes with six (RFC 8259, section 7)."""

_ALL = bytes(range(256))
_BUT_DOUBLED = bytes(byte for byte in _ALL if byte not in _DOUBLED)
_BUT_SIXFOLD = bytes(byte for byte in _ALL if byte not in _SIXFOLD)


def _body_to_json(body: bytes) -> dict[str, str]:
    """Return a body as text, or as base64 if it is not UTF-8 or JSON would write half as much more.

    So a record has at most one and a half times the bytes that an endpoint sent.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _base64(body)
    doubled = len(body.translate(None, _BUT_DOUBLED))
    sixfold = len(body.translate(None, _BUT_SIXFOLD))
    return _base64(body) if doubled + 5 * sixfold > len(body) // 2 else {"text": text}


def _base64(body: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(body).decode("ascii")}


def _body_from_json(data: Any, _: type[bytes]) -> bytes:
    match data:
        case {"text": str(text)}:
            return text.encode()
        case {"base64": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ValueError(f"the body is not valid base64: {error}") from None
    raise ValueError("a body must be {text} or {base64}")


_converter = make_converter()
_converter.register_structure_hook(str, only(str))
_converter.register_structure_hook(bool, only(bool))
_converter.register_structure_hook(int, integer)
_converter.register_structure_hook(float, seconds)
# Enumerations are strings, too, and would otherwise not be converted.
_converter.register_structure_hook(StrEnum, word)
_converter.register_unstructure_hook(bytes, _body_to_json)
_converter.register_unstructure_hook(Message, message_to_json)
_converter.register_structure_hook(Message, message_from_json)
_converter.register_structure_hook(bytes, _body_from_json)
# What is expected is derived from the header when a record is read.
_converter.register_unstructure_hook(
    Finding, make_dict_unstructure_fn(Finding, _converter, expectation=override(omit=True))
)
_converter.register_structure_hook(
    Finding, make_dict_structure_fn(Finding, _converter, expectation=override(omit=True))
)
