"""The record as NDJSON: one JSON object per line, the header first and the footer last.

Each line is given to the operating system when it is written, so a killed run keeps its results so
far; the file is synchronised with the disk once, at its end, so only a loss of power during a run
can cost more than the line in flight. A file without a footer is an incomplete run, never a
conforming one. ``line.py`` has the format.

A record may come from anyone: reading one raises :class:`RunFileError` or returns a run that every
report can show.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import RawIOBase
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from conformance.input_files import (
    MIB,
    InputError,
    assert_not_compressed,
    one_line,
    open_file,
)
from conformance.model import Comparison, Exchange, Finding, Footer, Header, Run
from conformance.record.compressed import Lines, lines_in, with_contract
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
from conformance.record.line import FORMAT, Record, RunFileError, from_line, to_line
from conformance.record.validation import brief

MAX_FILE_BYTES = 512 * MIB
MAX_LINE_BYTES = 64 * MIB
"""The longest line: a body of 8 MiB of which each byte needs an escape of six characters."""


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

    def __init__(self, path: Path, *, mode: Literal["xb", "ab"] = "xb") -> None:
        self._path = path
        try:
            self._file = path.open(mode, buffering=0)
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


def read_run(path: Path, *, contract: bool = True) -> Run:
    """Read a run record, compressed or not; an incomplete one has no footer.

    Args:
        path: the record.
        contract: false leaves out what the contract promises if the record is in a history, which
            takes two thirds of the time.

    Raises:
        RunFileError: the file is missing or not a run record.
    """
    try:
        with open_file(path, MAX_FILE_BYTES) as file:
            lines = lines_in(file, path, MAX_FILE_BYTES)
            return _run_of(_records(lines, path, has_contract=contract), path)
    except OSError as error:
        raise RunFileError(f"cannot read {path}: {error.strerror}") from None
    except RunFileError:
        raise
    except InputError as error:
        raise RunFileError(str(error)) from None


def whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a record as they are, decompressed and with its contract.

    Raises:
        RunFileError: the file is missing or cannot be decompressed, or it is no record.
    """
    try:
        with open_file(path, MAX_FILE_BYTES) as file:
            lines = lines_in(file, path, MAX_FILE_BYTES)
            first = lines.readline(MAX_LINE_BYTES + 1)
            header = from_line(first, f"{path}, line 1")
            if isinstance(header, Header) and header.promises is not None:
                first = with_contract(first, header.promises, path) + b"\n"
            yield first
            while line := lines.readline(MAX_LINE_BYTES + 1):
                yield line
    except RunFileError:
        raise
    except (InputError, OSError) as error:
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
            match from_line(line, f"{self._path}, line {len(self._lines)}"):
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
            self._records.append(from_line(line, f"{self._path}, line {len(self._records) + 1}"))
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


def _records(file: Lines, path: Path, *, has_contract: bool) -> Iterator[Record]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            assert_not_compressed(line, path)
        where = f"{path}, line {number}"
        if len(line) > MAX_LINE_BYTES:
            raise RunFileError(f"{where}: has more than {MAX_LINE_BYTES // MIB} MiB")
        try:
            record = from_line(line, where)
            if has_contract and isinstance(record, Header) and record.promises is not None:
                record = from_line(with_contract(line, record.promises, path), where)
        except RunFileError:
            # A killed run leaves an incomplete last line without a newline, which is ignored.
            if line.endswith(b"\n") or number == 1:
                raise
            return
        yield record
