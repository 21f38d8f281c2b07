"""The index of a history: one SQLite file with a row for each run.

It has what lists and time series show, and no response. Of the verdicts it has those that need
attention, which are few.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

from conformance.model import Run, Verdict
from conformance.record.conclusions import count_shown
from conformance.record.key import key_of

VERSION = 1
"""The version of the tables; an index of another one is made again from the records."""

WAIT_SECONDS = 60.0
"""How long a process waits while another one changes the index."""

LARGEST = 2**63 - 1
"""The largest integer of SQLite."""

UNSEEN = frozenset({Verdict.PASS, Verdict.SKIPPED, Verdict.EXPLAINED})
"""Verdicts that are counted and not listed; what another finding explains counts nowhere."""

TABLES = """
CREATE TABLE runs (
    path TEXT PRIMARY KEY, target TEXT NOT NULL, region TEXT, tier TEXT NOT NULL, contract TEXT,
    suite TEXT NOT NULL, label TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT NOT NULL,
    base_url TEXT NOT NULL, model TEXT NOT NULL, contract_name TEXT NOT NULL,
    conclusion TEXT NOT NULL, exit_code INTEGER NOT NULL, requests INTEGER NOT NULL,
    tokens INTEGER NOT NULL, elapsed REAL NOT NULL, counts TEXT NOT NULL, findings TEXT NOT NULL,
    promises TEXT
);
CREATE INDEX by_target ON runs (target, started_at);
"""


class IndexBrokenError(Exception):
    """The index cannot be used; the message is one sentence."""


class IndexBusyError(IndexBrokenError):
    """Another process has been changing the index for long; it is not broken."""


class IndexUnwritableError(IndexBrokenError):
    """The index or its folder cannot be written, which reading needs, too; it is not broken."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One run.

    Attributes:
        path: of the record, from the folder of the history.
        target, region, tier, contract, suite, label: the key of the run, see
            :class:`conformance.record.key.RunKey`; ``label`` is its day or label.
        started_at, finished_at: ISO 8601, UTC.
        base_url, model: the endpoint.
        contract_name: the name of the contract.
        conclusion: as reports show it.
        exit_code: that of the run.
        requests, tokens: what it cost.
        elapsed: seconds.
        counts: the number of findings by verdict.
        findings: the verdict of each check that neither passed nor was skipped, nor is explained.
        promises: the SHA-256 of the file with what its contract promises.
    """

    path: str
    target: str
    region: str | None
    tier: str
    contract: str | None
    suite: str
    label: str
    started_at: str
    finished_at: str
    base_url: str
    model: str
    contract_name: str
    conclusion: str
    exit_code: int
    requests: int
    tokens: int
    elapsed: float
    counts: Mapping[str, int] = field(hash=False)
    findings: Mapping[str, str] = field(hash=False)
    promises: str | None


def entry_of(run: Run, path: str, promises: str | None) -> Entry:
    """Return the row of a run.

    Args:
        run: the run; its exchanges and what its contract promises are not needed.
        path: of its record, from the folder of the history.
        promises: the SHA-256 of the file with what its contract promises.
    """
    key, header, footer = key_of(run.header), run.header, run.footer
    cost = footer.cost if footer else None
    return Entry(
        path=path,
        target=_text(key.target),
        region=key.region,
        tier=key.tier,
        contract=key.contract,
        suite=_text(key.suite),
        label=_text(key.when),
        started_at=_text(header.started_at),
        finished_at=_text(footer.finished_at if footer else header.started_at),
        base_url=_text(header.base_url),
        model=_text(header.model),
        contract_name=_text(header.contract),
        conclusion=run.shown_conclusion.value,
        exit_code=int(run.exit_code),
        requests=min(cost.requests, LARGEST) if cost else 0,
        tokens=min(cost.tokens, LARGEST) if cost else 0,
        elapsed=run.elapsed,
        counts=dict(count_shown(run.findings)),
        findings={f.id: f.shown.value for f in run.findings if f.shown not in UNSEEN},
        promises=promises,
    )


def _text(text: str) -> str:
    """Return a text without half characters, which UTF-8 has not; a record may come from anyone."""
    return text.encode("utf-8", "backslashreplace").decode()


class Index:
    """An open index; a context manager.

    Args:
        path: the file; it is created if it is missing.

    Raises:
        IndexBrokenError: it is no index, of another version, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._sentences():
            self._connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
            self._connection.row_factory = sqlite3.Row
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if (
                version == 0
                and not self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            ):
                self._create()
            elif version != VERSION:
                self._connection.close()
                raise IndexBrokenError(f"{path} is of another version of the suite")

    def _create(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        with self.changing():
            # Another process may have been first.
            if not self._connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                for statement in TABLES.split(";"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in _BUSY:
                raise IndexBusyError(f"another process is changing {self._path}") from None
            if getattr(error, "sqlite_errorcode", 0) & PRIMARY in _UNWRITABLE:
                raise IndexUnwritableError(f"{self._path} cannot be opened for writing") from None
            raise IndexBrokenError(f"{self._path} cannot be used: {error}") from None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change the index and the files of the history; only one process at a time does.

        Raises:
            IndexBrokenError: it cannot be changed; everything in the block is undone.
        """
        with self._sentences():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def put(self, entry: Entry) -> None:
        """Add a run, or replace the one with the same path."""
        values = asdict(entry)
        for name in ("counts", "findings"):
            values[name] = json.dumps(values[name])
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self._connection.execute(f"INSERT OR REPLACE INTO runs ({names}) VALUES ({marks})", values)  # noqa: S608 - names of fields

    def remove(self, paths: Iterable[str]) -> None:
        """Remove runs by their paths."""
        self._connection.executemany("DELETE FROM runs WHERE path = ?", [(path,) for path in paths])

    def clear(self) -> None:
        """Remove all runs."""
        self._connection.execute("DELETE FROM runs")

    @property
    def is_empty(self) -> bool:
        """Whether it has no run."""
        return self._connection.execute("SELECT 1 FROM runs LIMIT 1").fetchone() is None

    def get(self, path: str) -> Entry | None:
        """Return the run with a path; None if there is none."""
        with self._sentences():
            row = self._connection.execute("SELECT * FROM runs WHERE path = ?", (path,)).fetchone()
            return _entry(row) if row else None

    def promises(self) -> frozenset[str]:
        """Return the contracts that a run refers to."""
        with self._sentences():
            rows = self._connection.execute("SELECT DISTINCT promises FROM runs").fetchall()
            return frozenset(row[0] for row in rows if row[0])

    def entries(
        self, targets: Sequence[str] = (), *, since: str = "", before: str = ""
    ) -> list[Entry]:
        """Return runs, by target, then by time.

        Args:
            targets: names or globs; empty is all.
            since: the earliest start, such as ``2026-12-01``; empty is no limit.
            before: the start of the first run that is left out; empty is no limit.
        """
        with self._sentences():
            names = [row[0] for row in self._connection.execute("SELECT DISTINCT target FROM runs")]
            wanted = [
                name
                for name in sorted(names)
                if not targets or any(fnmatchcase(name, glob) for glob in targets)
            ]
            found: list[Entry] = []
            for name in wanted:
                rows = self._connection.execute(
                    "SELECT * FROM runs WHERE target = ? AND started_at >= ? "
                    "AND (? = '' OR started_at < ?) ORDER BY started_at, path",
                    (name, since, before, before),
                )
                found += map(_entry, rows)
            return found


PRIMARY = 0xFF
"""The bits of an extended result code of SQLite that are its primary one."""

_UNWRITABLE = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NAMES = tuple(one.name for one in fields(Entry))


def _entry(row: sqlite3.Row) -> Entry:
    values: dict[str, Any] = {name: row[name] for name in _NAMES}
    for name in ("counts", "findings"):
        values[name] = json.loads(values[name])
    return Entry(**values)
