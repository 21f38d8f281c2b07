"""Write the record of a run that is taken up again.

The record is replaced at once by one with the header of the whole run and the exchanges that are
taken over; what follows is appended. So at no moment is an answer that was paid for only in memory,
however often the run breaks off.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path

from conformance.input_files import one_line
from conformance.model import Exchange, Header
from conformance.record.events import ExchangeMade, RunEvent, RunFinished, RunStarted
from conformance.record.line import from_line, to_line
from conformance.record.ndjson import RecordError, RunWriter

_EXCHANGE = b'{"kind":"exchange"'


class ResumedWriter(RunWriter):
    """Continues a record; a context manager.

    Args:
        path: the incomplete record; the first event replaces it.
        taken: the exchanges of it that are taken over.

    Raises:
        RecordError: the record cannot be written.
    """

    def __init__(self, path: Path, taken: Sequence[Exchange]) -> None:
        super().__init__(path, mode="ab")
        self._taken = {exchange.id: exchange for exchange in taken}
        self._unused = set(self._taken)

    def write(self, event: RunEvent) -> None:
        """Write an event's line, unless it is an exchange that was taken over.

        Raises:
            RecordError: the line cannot be written; the message says how much is kept.
        """
        match event:
            case RunStarted():
                exchanges = (to_line("exchange", exchange) for exchange in self._taken.values())
                self._replace(chain([to_line("header", event.header)], exchanges))
                self._exchanges = len(self._taken)
            case ExchangeMade() if event.exchange.id in self._taken:
                self._unused.discard(event.exchange.id)
            case RunFinished():
                if self._unused:
                    self._replace(self._used_lines())
                super().write(event)
            case _:
                super().write(event)

    def _used_lines(self) -> Iterator[bytes]:
        """Yield the lines so far, without exchanges that no check asked for again."""
        with self._path.open("rb") as file:
            header = from_line(file.readline(), str(self._path))
            if isinstance(header, Header):
                *earlier, part = header.resumed
                used = replace(part, exchanges=len(self._taken) - len(self._unused))
                header = replace(header, resumed=(*earlier, used))
            yield to_line("header", header)
            for line in file:
                if line.startswith(_EXCHANGE):
                    exchange = from_line(line, str(self._path))
                    if isinstance(exchange, Exchange) and exchange.id in self._unused:
                        continue
                yield line

    def _replace(self, lines: Iterable[bytes]) -> None:
        """Replace the record, whole or not at all, and go on behind it."""
        temporary = self._path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with temporary.open("xb") as file:
                file.writelines(lines)
                file.flush()
                with suppress(OSError):  # some file systems cannot
                    os.fsync(file.fileno())
            self._file.close()  # an open file cannot be replaced on Windows
            temporary.replace(self._path)
            self._file = self._path.open("ab", buffering=0)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise RecordError(
                one_line(f"cannot replace {self._path} ({error.strerror}); it is as it was")
            ) from error
