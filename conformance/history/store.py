"""The folder of a history: records are added, found again, exported and removed."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, replace
from enum import Enum, auto
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from conformance.history.entry import Entry, entry_of
from conformance.history.index import (
    Index,
    IndexBrokenError,
    IndexBusyError,
    IndexUnwritableError,
)
from conformance.model import Run, Subject
from conformance.record.compressed import CONTRACTS, SUFFIX, compressed, split
from conformance.record.key import RunKey, key_of
from conformance.record.line import RunFileError
from conformance.record.ndjson import read_run, whole_lines

INDEX = "index.sqlite3"
RUNS = "runs"
ENDING, ZSTD_ENDING = ".ndjson.gz", ".ndjson.zst"
KEY_DIGITS = 12
MAX_NAME_CHARS = 80
_UNSAFE = re.compile(r"[^\w.-]+")


class Added(Enum):
    """What became of a record that was added."""

    NEW = auto()
    REPLACED = auto()  # an older one with the same key
    KNOWN = auto()
    OLDER = auto()  # than the one with the same key, which is kept
    INCOMPLETE = auto()  # without a footer; it can be resumed instead


class NoHistoryError(Exception):
    """A folder is no history; the message is one sentence."""


class History:
    """A history; its folder is created when something is added.

    Args:
        folder: where it is.
        on_mistake: called with a sentence for each record that a new index has to leave out.
        with_zstd: whether records that are added are compressed with zstd instead of gzip; what is
            there already stays as it is.
    """

    def __init__(
        self,
        folder: Path,
        on_mistake: Callable[[str], None] = lambda _: None,
        *,
        with_zstd: bool = False,
    ) -> None:
        self.folder = folder
        self._with_zstd = with_zstd
        self._on_mistake = on_mistake

    def add(self, record: Path) -> Added:
        """Add the record of a run.

        A run that is added while another process adds or removes waits for it. If the process is
        killed in between, the record may be there and not in the index, which :meth:`rebuild`
        mends.

        Raises:
            NoZstdError: this Python has no zstd, which was asked for.
            RunFileError: the record cannot be read.
            IndexBrokenError: the index cannot be changed.
            OSError: a file cannot be written.
        """
        run = read_run(record)
        if run.footer is None:
            return Added.INCOMPLETE
        stem = _stem_of(key_of(run.header))
        place = stem + (ZSTD_ENDING if self._with_zstd else ENDING)
        digest, content, lines = split(whole_lines(record))
        packed = b"".join(compressed(lines, with_zstd=self._with_zstd))
        with self._index() as index, index.changing():
            places = (stem + ending for ending in (ENDING, ZSTD_ENDING))
            known = next((one for one in map(index.get, places) if one is not None), None)
            if known is not None and self._is_kept(known, place, packed, record):
                return Added.KNOWN
            if known is not None and known.finished_at > run.footer.finished_at:
                return Added.OLDER
            contract = self.folder / CONTRACTS / f"{digest}{SUFFIX}"
            if not contract.exists():
                _write(contract, compressed(iter([content])))
            _write(self.folder / place, [packed])
            index.put(entry_of(run, place, digest))
            if known is not None and known.path != place:
                index.remove([known.path])
                (self.folder / known.path).unlink(missing_ok=True)
        return Added.NEW if known is None else Added.REPLACED

    def _is_kept(self, known: Entry, place: str, packed: bytes, record: Path) -> bool:
        """Return whether a kept record is the one that is added, in either compression."""
        try:
            if known.path == place:
                return (self.folder / place).read_bytes() == packed
            return all(
                one == other
                for one, other in zip_longest(self.lines_of(known), whole_lines(record))
            )
        except (OSError, RunFileError):
            return False

    @contextmanager
    def index(self) -> Iterator[Index]:
        """Open the index; one that is missing is made from the records first.

        Raises:
            NoHistoryError: the folder has neither an index nor records.
            IndexBrokenError: it cannot be used; :meth:`rebuild` makes a new one.
        """
        self._assert_begun()
        with self._index() as index:
            yield index

    def _assert_begun(self) -> None:
        """Check that something was added once, so that reading makes no history of any folder.

        Raises:
            NoHistoryError: it was not.
        """
        if not any((self.folder / name).exists() for name in (INDEX, RUNS)):
            raise NoHistoryError(f"{self.folder} is no history: it has no {INDEX} and no {RUNS}")

    @contextmanager
    def _index(self) -> Iterator[Index]:
        path = self.folder / INDEX
        is_missing = not path.exists()
        self.folder.mkdir(parents=True, exist_ok=True)
        with Index(path) as index:
            if is_missing:
                with index.changing():
                    if index.is_empty:  # another process may have been first
                        self._fill(index)
            yield index

    def rebuild(self) -> int:
        """Make the index again from the records, and return the number of runs.

        Raises:
            NoHistoryError: the folder has neither an index nor records.
            IndexBrokenError: the new index cannot be written.
        """
        self._assert_begun()
        path = self.folder / INDEX
        try:
            return self._rebuilt(path)
        except (IndexBusyError, IndexUnwritableError):
            raise
        except IndexBrokenError:
            for name in (INDEX, f"{INDEX}-wal", f"{INDEX}-shm"):
                (self.folder / name).unlink(missing_ok=True)
            return self._rebuilt(path)

    def _rebuilt(self, path: Path) -> int:
        with Index(path) as index, index.changing():
            index.clear()
            return self._fill(index)

    def _fill(self, index: Index) -> int:
        count = 0
        subjects: dict[str, tuple[Subject, ...]] = {}
        endings = (ENDING, ZSTD_ENDING)
        for record in sorted(
            path for ending in endings for path in (self.folder / RUNS).glob(f"*/*{ending}")
        ):
            try:
                run, promises = _read(record, subjects)
            except RunFileError as error:
                self._on_mistake(str(error))
                continue
            place = record.relative_to(self.folder).as_posix()
            index.put(entry_of(run, place, promises))
            count += 1
        return count

    def lines_of(self, entry: Entry) -> Iterator[bytes]:
        """Yield the lines of a record as they were when it was added.

        Raises:
            RunFileError: it cannot be read.
        """
        return whole_lines(self.folder / entry.path)

    def prune(self, entries: Iterable[Entry]) -> int:
        """Remove runs, and the contracts that no other run needs; return the bytes that are free.

        Raises:
            IndexBrokenError: the index cannot be changed.
            OSError: a file cannot be removed.
        """
        freed = 0
        with self.index() as index, index.changing():
            paths = [entry.path for entry in entries]
            index.remove(paths)
            gone = [self.folder / path for path in paths]
            needed = index.promises()
            gone += [
                contract
                for contract in (self.folder / CONTRACTS).glob(f"*{SUFFIX}")
                if contract.name.removesuffix(SUFFIX) not in needed
            ]
            for path in gone:
                with suppress(FileNotFoundError):
                    freed += path.stat().st_size
                    path.unlink()
        for folder in {path.parent for path in gone}:
            with suppress(OSError):  # it has other records
                folder.rmdir()
        return freed


def _read(record: Path, subjects: dict[str, tuple[Subject, ...]]) -> tuple[Run, str | None]:
    """Read a record, and the subjects of each contract once, which are a third of the work."""
    run = read_run(record, contract=False)
    promises = run.header.promises
    if promises is None:
        return run, None
    if promises not in subjects:
        subjects[promises] = read_run(record).header.subjects
    return replace(run, header=replace(run.header, subjects=subjects[promises])), promises


def name_of(entry: Entry) -> str:
    """Return the name of a record without its ending: the day or label, and digits of its key."""
    return PurePosixPath(entry.path).name.removesuffix(ENDING).removesuffix(ZSTD_ENDING)


def _stem_of(key: RunKey) -> str:
    """Return the path of the record with a key, from the folder of the history, but the ending."""
    digits = hashlib.sha256(repr(astuple(key)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{RUNS}/{_name(key.target)}/{_name(key.when)}-{digits[:KEY_DIGITS]}"


def _name(text: str) -> str:
    """Return a text as a part of a path; a record may come from anyone."""
    return _UNSAFE.sub("-", text)[:MAX_NAME_CHARS].strip("-.") or "unnamed"


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("xb") as file:
            file.writelines(chunks)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
