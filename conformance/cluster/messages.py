"""What a worker and the command line say to each other, as bytes.

Events travel as lines of a record, with two kinds of their own, compressed. The record of the run
is written from them, so they are as small and as checked as a record.
"""

from __future__ import annotations

import json
import pickle
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.contract import Contract
from conformance.engine.resumption import Earlier
from conformance.engine.selection import Options
from conformance.language import Text
from conformance.model import Comparison, Exchange, Finding, Footer, Header
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
from conformance.record.line import from_line, to_line
from conformance.targets import Entry
from conformance.targets.references import ReferenceNames


@dataclass(frozen=True, slots=True)
class Call:
    """All that the scheduler keeps of a task: names.

    Attributes:
        run: the name of the queue that results go to.
        target: the name of the target.
        version: the suite version of the command line.
    """

    run: str
    target: str
    version: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker gets when it begins: everything about a target but its secrets.

    Attributes:
        entry: the target, with the names of the variables that hold its secrets.
        contract: the name of a bundled contract, or a contract of the user's own.
        options: those of the run, without the tokenizer, which is loaded from its file.
        tokenizer: its name and the folder that a path is relative to; None if none is named.
        reference: the comparison server; None for none.
        earlier: what is recorded already.
    """

    entry: Entry
    contract: str | Contract
    options: Options
    tokenizer: tuple[str, Path] | None
    reference: ReferenceNames | None
    earlier: Earlier


def packed(assignment: Assignment) -> bytes:
    """Return an assignment as compressed bytes."""
    return zlib.compress(pickle.dumps(assignment), 1)


def unpacked(data: bytes) -> Assignment:
    """Return the assignment of a worker.

    It is unpickled: a process that reaches the scheduler can run any code on its workers, by Dask's
    design. What a worker sends back is not.
    """
    assignment: Assignment = pickle.loads(zlib.decompress(data))  # noqa: S301 - see above
    return assignment


def to_bytes(events: Iterable[RunEvent]) -> bytes:
    """Encode events in order."""
    return zlib.compress(b"".join(line for event in events for line in _lines(event)), 1)


def from_bytes(data: bytes, where: str) -> Iterator[RunEvent]:
    """Decode events.

    Args:
        data: what :func:`to_bytes` returned.
        where: who sent it, with which a message begins.

    Raises:
        RunFileError: a line is not one of a record.
    """
    header: Header | None = None
    for line in zlib.decompress(data).splitlines(keepends=True):
        if line.startswith(_OWN):
            event = _own(json.loads(line), header)
            if event is not None:
                yield event
            continue
        match from_line(line, where):
            case Header() as header:
                continue  # its checks follow
            case Exchange() as exchange:
                yield ExchangeMade(exchange)
            case Finding() as finding:
                yield FindingMade(finding)
            case Comparison() as comparison:
                yield ReferenceAnswered(comparison)
            case Footer() as footer:
                yield RunFinished(footer)


_OWN = b'{"own":'


def _lines(event: RunEvent) -> Iterator[bytes]:
    match event:
        case RunStarted():
            yield to_line("header", event.header)
            yield _own_line("checks", list(event.checks))
        case ExchangeMade():
            yield to_line("exchange", event.exchange)
        case FindingMade():
            yield to_line("finding", event.finding)
        case ReferenceAnswered():
            yield to_line("comparison", event.comparison)
        case RunFinished():
            yield to_line("footer", event.footer)
        case CheckStarted():
            yield _own_line("check", event.check)
        case ReferenceMissing():
            yield _own_line("missing", [event.because.en, event.because.zh])


def _own_line(kind: str, value: object) -> bytes:
    # The keys stay in this order, so the line begins with _OWN; escapes keep it one line.
    return json.dumps({"own": kind, "value": value}, separators=(",", ":")).encode() + b"\n"


def _own(data: Any, header: Header | None) -> RunEvent | None:
    match data:
        case {"own": "checks", "value": list(ids)} if header is not None:
            return RunStarted(header, tuple(map(str, ids)))
        case {"own": "check", "value": str(check)}:
            return CheckStarted(check)
        case {"own": "missing", "value": [str(en), str(zh)]}:
            return ReferenceMissing(Text(en, zh))
    return None
