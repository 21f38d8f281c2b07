"""A history of simulated runs, and the site that is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from conformance.history import Entry, History, Index
from conformance.history.site import Options, files
from conformance.history.store import INDEX
from tests.history.simulated import write_records

MakeSite = Callable[..., dict[str, str | None]]


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Iterable[Entry]], History]:
    """Put rows into the index of a history, and write their records."""

    def put(entries: Iterable[Entry]) -> History:
        entries = list(entries)
        folder = tmp_path / "history"
        folder.mkdir(exist_ok=True)
        with Index(folder / INDEX) as index, index.changing():
            for entry in entries:
                index.put(entry)
        write_records(folder, entries)
        return History(folder)

    return put


@pytest.fixture
def make_site(tmp_path: Path) -> MakeSite:
    """Make the site of a history, and return the files that were written or removed."""

    def make(kept: History, out: Path | None = None, **options: Any) -> dict[str, str | None]:
        place = out or tmp_path / "site"
        with kept.index() as index:
            entries = index.entries()
        made = {}
        for file in files(kept, entries, place, Options(**options), said.append):
            made[file.path] = file.text
            path = place / file.path
            if file.text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(file.text, "utf-8")
        return made

    said: list[str] = []
    yield make
    assert said == []
