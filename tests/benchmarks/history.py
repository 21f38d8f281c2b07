"""Measure a history: bytes of a run, and the CPU time of adding, indexing and finding.

    python -m tests.benchmarks.history [DAYS]

The runs are recorded standard runs against the bundled server, one a day with another date.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from conformance.history import History
from conformance.history.store import INDEX
from tests.gallery.recording import RECORDS

TARGETS = ("openai", "zero", "aocheng")
FIRST = datetime.fromisoformat("2026-01-01T04:17:00+00:00")


def main(days: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as home:
        kept, source = History(Path(home, "history")), Path(home, "run.ndjson")
        lines = {name: _lines(name) for name in TARGETS}
        plain = sum(sum(map(len, of_one)) for of_one in lines.values()) / len(lines)
        adding = 0.0
        for day in range(days):
            for name, (header, *rest, footer) in lines.items():
                at = (FIRST + timedelta(days=day)).isoformat()
                source.write_bytes(b"".join([_dated(header, at, name), *rest, footer]))
                adding += _seconds(lambda: kept.add(source))
        runs = days * len(TARGETS)
        sizes = [path.stat().st_size for path in kept.folder.rglob("*.gz")]
        print(f"runs: {runs}, in {len(sizes)} files")  # noqa: T201
        print(f"a run: {plain / 1000:.0f} kB, kept as {sum(sizes) / runs / 1000:.1f} kB")  # noqa: T201
        print(f"adding one: {adding / runs * 1000:.0f} ms")  # noqa: T201
        for path in kept.folder.glob(f"{INDEX}*"):
            path.unlink()
        print(f"making the index again: {_seconds(kept.rebuild):.1f} s")  # noqa: T201
        print(f"the index: {(kept.folder / INDEX).stat().st_size / runs / 1000:.1f} kB a run")  # noqa: T201
        with kept.index() as index:
            best = min(_seconds(lambda: index.entries(["zero"])) for _ in range(5))
            found = len(index.entries(["zero"]))
        print(f"one target's {found} runs: {best * 1000:.1f} ms")  # noqa: T201


def _lines(name: str) -> list[bytes]:
    with gzip.open(RECORDS / f"{name}.ndjson.gz") as file:
        return file.readlines()


def _dated(header: bytes, at: str, target: str) -> bytes:
    """Return the header of a run of another time, and of a named target."""
    start = header.index(b'"started_at":"') + len(b'"started_at":"')
    dated = header[:start] + at.encode() + header[header.index(b'"', start) :]
    return dated.replace(b'"target":null', f'"target":"{target}"'.encode())


def _seconds(work: Callable[[], object]) -> float:
    """Return CPU seconds, which other programs of the machine change least."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 365)
