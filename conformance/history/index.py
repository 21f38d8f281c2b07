"""The index of a history: one SQLite file with a row for each run.

It has what lists, time series and pages show, and no response. Of the verdicts it has those that
need attention, which are few, and once for all runs that have them in common, which checks passed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

from conformance.history.entry import Entry
from conformance.history.figures import Figures

VERSION = 2
"""The version of the tables; an index of another one is made again from the records."""

DIGEST_DIGITS = 32
"""Hexadecimal digits that name a set of checks that passed."""

WAIT_SECONDS = 60.0
"""How long a process waits while another one changes the index."""

TABLES = """
CREATE TABLE runs (
    path TEXT PRIMARY KEY, target TEXT NOT NULL, region TEXT, tier TEXT NOT NULL, contract TEXT,
    suite TEXT NOT NULL, label TEXT NOT NULL, started_at TEXT NOT NULL, finished_at TEXT NOT NULL,
    base_url TEXT NOT NULL, model TEXT NOT NULL, contract_name TEXT NOT NULL,
    conclusion TEXT NOT NULL, exit_code INTEGER NOT NULL, requests INTEGER NOT NULL,
    tokens INTEGER NOT NULL, elapsed REAL NOT NULL, counts TEXT NOT NULL, findings TEXT NOT NULL,
    promises TEXT, passed TEXT NOT NULL, parameters TEXT NOT NULL, fields TEXT NOT NULL,
    figures TEXT
);
CREATE INDEX by_target ON runs (target, started_at);
CREATE TABLE passed (digest TEXT PRIMARY KEY, checks BLOB NOT NULL);
"""


class IndexBrokenError(Exception):
    """The index cannot be used; the message is one sentence."""


class IndexBusyError(IndexBrokenError):
    """Another process has been changing the index for long; it is not broken."""


class IndexUnwritableError(IndexBrokenError):
    """The index or its folder cannot be written, which reading needs, too; it is not broken."""


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
        values = {name: getattr(entry, name) for name in _NAMES}
        for name in _MAPPINGS:
            values[name] = json.dumps(values[name])
        values["figures"] = json.dumps(entry.figures.as_json()) if entry.figures else None
        values["passed"] = self._put_passed(entry.passed)
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self._connection.execute(f"INSERT OR REPLACE INTO runs ({names}) VALUES ({marks})", values)  # noqa: S608 - names of fields

    def _put_passed(self, checks: frozenset[str]) -> str:
        """Keep a set of checks once, and return its digest."""
        text = json.dumps(sorted(checks))
        digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST_DIGITS]
        row = (digest, zlib.compress(text.encode()))
        self._connection.execute("INSERT OR IGNORE INTO passed VALUES (?, ?)", row)
        return digest

    def remove(self, paths: Iterable[str]) -> None:
        """Remove runs by their paths."""
        self._connection.executemany("DELETE FROM runs WHERE path = ?", [(path,) for path in paths])
        self._connection.execute("DELETE FROM passed WHERE digest NOT IN (SELECT passed FROM runs)")

    def clear(self) -> None:
        """Remove all runs."""
        self._connection.execute("DELETE FROM runs")
        self._connection.execute("DELETE FROM passed")

    @property
    def is_empty(self) -> bool:
        """Whether it has no run."""
        return self._connection.execute("SELECT 1 FROM runs LIMIT 1").fetchone() is None

    def get(self, path: str) -> Entry | None:
        """Return the run with a path; None if there is none."""
        with self._sentences():
            row = self._connection.execute("SELECT * FROM runs WHERE path = ?", (path,)).fetchone()
            return self._entry(row, {}) if row else None

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
            passed: dict[str, frozenset[str]] = {}
            for name in wanted:
                rows = self._connection.execute(
                    "SELECT * FROM runs WHERE target = ? AND started_at >= ? "
                    "AND (? = '' OR started_at < ?) ORDER BY started_at, path",
                    (name, since, before, before),
                )
                found += (self._entry(row, passed) for row in rows)
            return found

    def _entry(self, row: sqlite3.Row, passed: dict[str, frozenset[str]]) -> Entry:
        """Return a run; ``passed`` are the sets of checks that were read already."""
        digest = row["passed"]
        try:
            if digest not in passed:
                passed[digest] = self._passed(digest)
            values: dict[str, Any] = {name: row[name] for name in _NAMES}
            for name in _MAPPINGS:
                values[name] = json.loads(values[name])
            values["passed"] = passed[digest]
            values["figures"] = Figures.from_json(row["figures"]) if row["figures"] else None
        except (ArithmeticError, KeyError, TypeError, ValueError, zlib.error):
            raise IndexBrokenError(f"{self._path} cannot be used: a row is damaged") from None
        return Entry(**values)

    def _passed(self, digest: str) -> frozenset[str]:
        query = "SELECT checks FROM passed WHERE digest = ?"
        (packed,) = self._connection.execute(query, (digest,)).fetchone()
        return frozenset(json.loads(zlib.decompress(packed)))


PRIMARY = 0xFF
"""The bits of an extended result code of SQLite that are its primary one."""

_UNWRITABLE = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_MAPPINGS = ("counts", "findings", "parameters", "fields")
_NAMES = tuple(one.name for one in fields(Entry))
