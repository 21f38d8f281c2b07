"""A history as two Parquet files: a row for each run, and a row for each finding of each run.

pyarrow is optional (the extra ``parquet``) and imported where it is used. docs/fleets.md has the
columns and their units.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from conformance.history.entry import Entry
from conformance.history.figures import Times
from conformance.history.site.days import moment_of
from conformance.history.store import History
from conformance.model import Finding, Verdict
from conformance.record.line import RunFileError
from conformance.record.ndjson import read_run

EXTRA = "pip install 'completions-conformance[parquet]'"
RUNS, FINDINGS = "runs.parquet", "findings.parquet"

ROWS_A_GROUP = 20_000
"""Rows that are held in memory; each group of a file has that many at least."""

Row = Mapping[str, Any]

RUN_COLUMNS: Mapping[str, str] = {
    "run": "string",
    **dict.fromkeys(("target", "region", "tier", "contract", "contract_name"), "string"),
    **dict.fromkeys(("suite", "label", "base_url", "model", "conclusion"), "string"),
    **dict.fromkeys(("started_at", "finished_at"), "time"),
    "exit_code": "int16",
    **dict.fromkeys(("requests", "tokens"), "int64"),
    "elapsed_seconds": "float64",
    **{f"findings_{verdict.value}": "int32" for verdict in Verdict},
    **{
        f"{kind}_{part}": "int32" if part == "count" else "float64"
        for kind in ("first_text", "stream", "non_streaming")
        for part in ("count", "p50_seconds", "p90_seconds")
    },
    **dict.fromkeys(("attempts", "unanswered"), "int64"),
    "cost": "float64",
    "cost_currency": "string",
    "cost_is_bound": "bool",
    **dict.fromkeys(("parameters", "fields"), "states"),
}
"""The columns of runs and their types."""

FINDING_COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("run", "target", "check", "requirement", "level", "subject"), "string"),
    **dict.fromkeys(("tier", "verdict", "effect", "message", "explained_by"), "string"),
    "started_at": "time",
}
"""The columns of findings and their types."""


class NoParquetError(Exception):
    """pyarrow is not installed; the message is one sentence."""


def tables(
    kept: History, entries: Sequence[Entry], on_mistake: Callable[[str], None]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the name of each file and its bytes in pieces.

    Args:
        kept: the history.
        entries: its runs that the files are to have.
        on_mistake: called with a sentence for each record that cannot be read, whose findings the
            file then lacks.

    Raises:
        NoParquetError: pyarrow is not installed.
    """
    arrow = _arrow()
    yield RUNS, _written(arrow, RUN_COLUMNS, map(_run, entries))
    found = chain.from_iterable(_findings(kept, entry, on_mistake) for entry in entries)
    yield FINDINGS, _written(arrow, FINDING_COLUMNS, found)


def _arrow() -> Any:
    try:
        importlib.import_module("pyarrow.parquet")
        return importlib.import_module("pyarrow")
    except ImportError:
        raise NoParquetError(f"--parquet needs the package pyarrow; run: {EXTRA}") from None


def _run(entry: Entry) -> Row:
    figures = entry.figures
    money = figures.money if figures else None
    return {
        "run": entry.path,
        "target": entry.target,
        "region": entry.region,
        "tier": entry.tier,
        "contract": entry.contract,
        "contract_name": entry.contract_name,
        "suite": entry.suite,
        "label": entry.label,
        "base_url": entry.base_url,
        "model": entry.model,
        "conclusion": entry.conclusion,
        "started_at": moment_of(entry.started_at),
        "finished_at": moment_of(entry.finished_at),
        "exit_code": entry.exit_code,
        "requests": entry.requests,
        "tokens": entry.tokens,
        "elapsed_seconds": entry.elapsed,
        **{f"findings_{one.value}": entry.counts.get(one.value, 0) for one in Verdict},
        **_times("first_text", figures.first if figures else None),
        **_times("stream", figures.stream if figures else None),
        **_times("non_streaming", figures.plain if figures else None),
        "attempts": figures.attempts if figures else None,
        "unanswered": figures.unanswered if figures else None,
        "cost": float(money.amount) if money else None,
        "cost_currency": money.currency if money else None,
        "cost_is_bound": money.is_bound if money else None,
        "parameters": list(entry.parameters.items()),
        "fields": list(entry.fields.items()),
    }


def _times(kind: str, times: Times | None) -> Row:
    return {
        f"{kind}_count": times.count if times else None,
        f"{kind}_p50_seconds": times.p50 if times else None,
        f"{kind}_p90_seconds": times.p90 if times else None,
    }


def _findings(kept: History, entry: Entry, on_mistake: Callable[[str], None]) -> Iterator[Row]:
    try:
        run = read_run(kept.folder / entry.path, contract=False)
    except RunFileError as error:
        on_mistake(str(error))
        return
    at = moment_of(entry.started_at)
    for finding in run.findings:
        yield {"run": entry.path, "target": entry.target, "started_at": at, **_finding(finding)}


def _finding(finding: Finding) -> Row:
    return {
        "check": _text(finding.id),
        "requirement": _text(finding.requirement),
        "level": finding.level.value,
        "subject": _text(finding.subject),
        "tier": finding.tier.value,
        "verdict": finding.shown.value,
        "effect": finding.effect.value if finding.effect else None,
        "message": _text(str(finding.message)) or None,
        "explained_by": _text(finding.explained_by) if finding.explained_by else None,
    }


def _text(text: str) -> str:
    """Return a text without half characters, which UTF-8 has not."""
    return text.encode("utf-8", "backslashreplace").decode()


class _Pieces:
    """A file to write to, whose content is taken away piece by piece."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Do nothing: everything is taken away."""

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _written(arrow: Any, columns: Mapping[str, str], rows: Iterable[Row]) -> Iterator[bytes]:
    types = {
        "string": arrow.string(),
        "time": arrow.timestamp("us", tz="UTC"),
        "int16": arrow.int16(),
        "int32": arrow.int32(),
        "int64": arrow.int64(),
        "float64": arrow.float64(),
        "bool": arrow.bool_(),
        "states": arrow.map_(arrow.string(), arrow.string()),
    }
    schema = arrow.schema([(name, types[kind]) for name, kind in columns.items()])
    pieces = _Pieces()
    with arrow.parquet.ParquetWriter(pieces, schema, compression="zstd") as writer:
        group: list[Row] = []
        for row in rows:
            group.append(row)
            if len(group) >= ROWS_A_GROUP:
                writer.write_table(arrow.Table.from_pylist(group, schema))
                group = []
                yield pieces.taken()
        if group:
            writer.write_table(arrow.Table.from_pylist(group, schema))
    yield pieces.taken()
