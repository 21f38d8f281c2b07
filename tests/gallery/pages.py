"""The pages of the gallery, made from the records that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from conformance.contract import DOCUMENTS
from conformance.documents.pages import PAGES
from conformance.reports import comparing, formats, matrix
from tests.gallery.recording import FAULTY, LIVE, kept

GALLERY = Path(__file__).parents[2] / "reports" / "gallery"
MATRIX = "index.html"
CONFORMING, FAULT_RIDDEN = "conforming/index.html", "faulty/index.html"
COMPARED = "compare.html"
SHOWN = "eronmind"
"""The run that is shown whole among those that conform: the shortest."""


def pages() -> Mapping[str, str]:
    """Return every page by its place in the gallery."""
    runs = {name: kept(name) for name in (*DOCUMENTS, FAULTY)}
    whole = formats()["html"].render
    rows = [
        matrix.Recorded(name, runs[name], CONFORMING if name == SHOWN else None)
        for name in DOCUMENTS
    ]
    told = comparing.compare(runs[LIVE], runs[FAULTY])
    places = comparing.Places(None, FAULT_RIDDEN)
    return {
        MATRIX: matrix.files()["html"].render(matrix.matrix_of(rows, PAGES)),
        CONFORMING: whole(runs[SHOWN]),
        FAULT_RIDDEN: whole(runs[FAULTY]),
        COMPARED: comparing.files(places)["html"].render(told),
    }


def write(folder: Path = GALLERY) -> None:
    """Write the pages."""
    for place, page in pages().items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8", newline="\n")
