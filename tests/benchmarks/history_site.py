"""Measure the site of a history: the time to make it, again after a day, and the size of its pages.

    python -m tests.benchmarks.history_site [TARGETS [DAYS]]

The runs are simulated, with changes that are known; the site has to show each. A second site has
targets that all change every day, the most that pages can show.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path

from conformance.history import History, Index
from conformance.history.changes import steps
from conformance.history.site import Options, files
from conformance.history.site.days import span_until
from conformance.history.site.pages import Target, front, target_page
from conformance.history.site.series import views
from conformance.history.store import INDEX
from conformance.language import Language
from tests.history.simulated import Year, a_year, write_records

RESTLESS = 300


def main(targets: int, days: int) -> None:
    """Print the figures."""
    year = a_year(targets, days)
    found = sum(len(step.regressions) + len(step.recoveries) for step in steps(year.entries))
    print(f"{targets} targets, {len(year.entries):,} runs")  # noqa: T201
    print(f"changes: {len(year.planted)} planted, {found} shown")  # noqa: T201
    with tempfile.TemporaryDirectory() as home:
        kept = _kept(Path(home, "history"), year)
        out = Path(home, "site")
        seconds, written = _made(kept, out)
        sizes = {path.relative_to(out): path.stat().st_size for path in out.rglob("*.html")}
        print(f"made in {seconds:.1f} s, {written} files")  # noqa: T201
        print(f"index.html: {sizes.pop(Path('index.html')) / 1e6:.2f} MB")  # noqa: T201
        low, high = (size / 1e6 for size in (min(sizes.values()), max(sizes.values())))
        print(f"a target's page: {low:.2f} to {high:.2f} MB")  # noqa: T201
        seconds, written = _made(kept, out)
        print(f"again, without new runs: {seconds:.1f} s, {written} files")  # noqa: T201
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"memory at most: {peak:.0f} MB")  # noqa: T201
    _restless(days)


def _kept(folder: Path, year: Year) -> History:
    folder.mkdir()
    with Index(folder / INDEX) as index, index.changing():
        for entry in year.entries:
            index.put(entry)
    last = {entry.target: entry for entry in year.entries}  # the badges read these
    write_records(folder, last.values())
    return History(folder)


def _made(kept: History, out: Path) -> tuple[float, int]:
    """Make the site; return CPU seconds and the number of files."""
    started, written = time.process_time(), 0
    with kept.index() as index:
        entries = index.entries()
    for file in files(kept, entries, out, Options(), sys.exit):
        path = out / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text or "", "utf-8")
        written += 1
    return time.process_time() - started, written


def _restless(days: int) -> None:
    year = a_year(RESTLESS, days, is_restless=True)
    targets = [
        Target(name, views(list(group), span_until(year.entries, days)))
        for name, group in groupby(year.entries, key=lambda entry: entry.target)
    ]
    started = time.process_time()
    page = front(targets, targets[0].series[0].span, Language.ENGLISH)
    seconds = time.process_time() - started
    alone = target_page(targets[0], lambda *_: "x", Language.ENGLISH, has_badge=True)
    print(f"{RESTLESS} targets that change every day: index.html in {seconds:.1f} s,")  # noqa: T201
    sizes = (len(page.encode()) / 1e6, len(alone.encode()) / 1e6)
    print(f"  {sizes[0]:.2f} MB; a target's page {sizes[1]:.2f} MB")  # noqa: T201


if __name__ == "__main__":
    TARGETS, DAYS = (*map(int, sys.argv[1:]), *(50, 365)[len(sys.argv) - 1 :])
    main(TARGETS, DAYS)
