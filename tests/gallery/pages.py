"""The sample reports, rendered from the kept records."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from conformance.contract import CONTRACTS, common_to
from conformance.docs_audit.page_reader import PAGES
from conformance.report import diff, formats, matrix
from tests.gallery.recording import FAULTY, LIVE, kept

GALLERY = Path(__file__).parents[2] / "reports" / "gallery"
"""Where `make gallery` writes; git ignores it."""

MATRIX = "index.html"
CONFORMING, FAULT_RIDDEN = "conforming/index.html", "faulty/index.html"
COMPARED = "compare.html"
SHOWN = "eronmind"
"""The conforming run that gets a separate page: the shortest."""


def pages() -> Mapping[str, str]:
    """Return the HTML of every page by its path in the gallery."""
    runs = {name: kept(name) for name in (*CONTRACTS, FAULTY)}
    render = formats()["html"].render
    rows = [
        matrix.Recorded(name, runs[name], CONFORMING if name == SHOWN else None)
        for name in CONTRACTS
    ]
    comparison = diff.compare(runs[LIVE], runs[FAULTY])
    places = diff.Places(None, FAULT_RIDDEN)
    return {
        MATRIX: matrix.files()["html"].render(matrix.matrix_of(rows, PAGES, common_to(PAGES))),
        CONFORMING: render(runs[SHOWN]),
        FAULT_RIDDEN: render(runs[FAULTY]),
        COMPARED: diff.files(places)["html"].render(comparison),
    }


def write(folder: Path = GALLERY) -> None:
    """Write the pages below `folder`."""
    for place, page in pages().items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8", newline="\n")
