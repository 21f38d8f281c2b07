"""The record as NDJSON: one JSON object per line, the header first and the footer last.

Each line is flushed when it is written, so a killed run keeps its results so far. A file without a
footer is an incomplete run, never a conforming one. ``run.schema.json`` in this folder describes
the format.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import cattrs
from cattrs.preconf.json import make_converter

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

FORMAT = 1
"""The version of the format; files of other versions are rejected."""

SCHEMA = Path(__file__).with_name("run.schema.json")

Record = Header | Exchange | Finding | Comparison | Footer
KINDS: dict[str, type[Record]] = {
    "header": Header,
    "exchange": Exchange,
    "finding": Finding,
    "comparison": Comparison,
    "footer": Footer,
}
T = TypeVar("T")


class RunFileError(ValueError):
    """A record cannot be read; the message names the file, the line and the problem."""


class RunWriter:
    """Writes events to a record as they happen; a context manager."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, event: RunEvent) -> None:
        """Write an event's line; some events have none."""
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
        self._file.write(to_line(kind, record))
        self._file.flush()


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


def write_run(run: Run, path: Path) -> None:
    """Write a whole run to a file, in the order of the format."""
    with path.open("wb") as file:
        file.write(to_line("header", run.header))
        file.writelines(to_line("exchange", exchange) for exchange in run.exchanges)
        file.writelines(to_line("finding", finding) for finding in run.findings)
        file.writelines(to_line("comparison", comparison) for comparison in run.comparisons)
        if run.footer is not None:
            file.write(to_line("footer", run.footer))


def read_run(path: Path) -> Run:
    """Read a run record; an incomplete one has no footer.

    Raises:
        RunFileError: the file is missing or not a run record.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RunFileError(f"cannot read {path}: {error.strerror}") from None
    return _run_of(_records(raw, path), path)


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
        """The findings that :meth:`read` has read, by check id."""
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
    exchanges: list[Exchange] = []
    findings: list[Finding] = []
    comparisons: list[Comparison] = []
    footer: Footer | None = None
    for record in records:
        if footer is not None:
            raise RunFileError(f"{path} has lines after its footer")
        match record:
            case Exchange():
                exchanges.append(record)
            case Finding():
                findings.append(record)
            case Comparison():
                comparisons.append(record)
            case Footer():
                footer = record
            case Header():
                raise RunFileError(f"{path} has two headers")
    return Run(header, tuple(exchanges), tuple(findings), footer, tuple(comparisons))


def _records(raw: bytes, path: Path) -> Iterator[Record]:
    *lines, rest = raw.split(b"\n")
    for number, line in enumerate(lines, start=1):
        yield _record(line, f"{path}, line {number}")
    if rest:
        # The last line has no newline; a killed run leaves an incomplete one, which is ignored.
        try:
            yield _record(rest, f"{path}, line {len(lines) + 1}")
        except RunFileError:
            if not lines:
                raise


def _record(line: bytes, where: str) -> Record:
    try:
        data: Any = json.loads(line)
    except ValueError as error:
        raise RunFileError(f"{where}: not JSON ({error})") from None
    kind = data.pop("kind", None) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise RunFileError(f"{where}: unknown kind of record {kind!r}")
    if kind == "header" and data.get("format") != FORMAT:
        raise RunFileError(
            f"{where}: has format {data.get('format')!r}; this version reads format {FORMAT}"
        )
    try:
        return _converter.structure(data, KINDS[kind])
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError) as error:
        reason = (
            "; ".join(cattrs.transform_error(error))
            if isinstance(error, cattrs.BaseValidationError)
            else str(error)
        )
        raise RunFileError(f"{where}: invalid {kind} ({reason})") from None


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


def _only(kind: type[T], *, but_not: type[T] | None = None) -> Callable[[Any, Any], T]:
    """Accept only values of one type; by default cattrs would convert None to a string."""

    def structure(value: Any, _: Any) -> T:
        if not isinstance(value, kind) or (but_not is not None and isinstance(value, but_not)):
            raise TypeError(f"{value!r} is not of type {kind.__name__}")
        return value

    return structure


_converter = make_converter()
_converter.register_structure_hook(str, _only(str))
_converter.register_structure_hook(bool, _only(bool))
_converter.register_structure_hook(int, _only(int, but_not=bool))
# Enumerations are strings, too, and would otherwise not be converted.
_converter.register_structure_hook(StrEnum, lambda value, kind: kind(value))
_converter.register_unstructure_hook(bytes, _body_to_json)
_converter.register_structure_hook(bytes, _body_from_json)
