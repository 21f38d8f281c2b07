"""The gallery is whole, small, and made of nothing but its records."""

from __future__ import annotations

import gzip
import re
import struct
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from conformance.contract import DOCUMENTS
from conformance.model import Conclusion, Run
from tests.gallery import recording
from tests.gallery.pages import GALLERY, pages
from tests.gallery.pictures import PICTURES
from tests.gallery.recording import BASE_URL, FAULTY, KEY, NAMES, RECORDS, keep, kept

SMALL = 3 * 2**20
"""Bytes of the whole gallery."""

SMALL_PICTURE = 150_000

PLACES = ("index.html", "conforming/index.html", "faulty/index.html", "compare.html")


class Page(HTMLParser):
    """The ids and the links of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = dict(attributes)
        self.ids |= {known["id"] or ""} if "id" in known else set()
        if tag == "a":
            self.links.append(known.get("href") or "")


def files() -> list[Path]:
    return sorted(path for path in GALLERY.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def read() -> dict[Path, Page]:
    return {path: Page(path) for path in files() if path.suffix == ".html"}


def test_every_page_and_picture_is_there_and_nothing_else() -> None:
    named = {*PLACES, *(f"{picture.name}.png" for picture in PICTURES), "README.md"}
    assert {path.relative_to(GALLERY).as_posix() for path in files()} == named
    said = (GALLERY / "README.md").read_text("utf-8")
    assert set(re.findall(r"\]\(([^)]+)\)", said)) == named - {"README.md"}


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in files()) < SMALL


@pytest.mark.parametrize("place", PLACES)
def test_every_link_leads_somewhere(read: dict[Path, Page], place: str) -> None:
    page = GALLERY / place
    for link in read[page].links:
        target, _, anchor = unquote(link).partition("#")
        there = (page.parent / target).resolve() if target else page
        assert there in read, link
        assert not anchor or anchor in read[there].ids, link


def test_the_pages_lead_to_each_other(read: dict[Path, Page]) -> None:
    assert any(link.startswith("conforming/") for link in read[GALLERY / "index.html"].links)
    assert any(link.startswith("faulty/") for link in read[GALLERY / "compare.html"].links)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_every_picture_is_a_small_png_of_its_size(picture) -> None:
    raw = (GALLERY / f"{picture.name}.png").read_bytes()
    assert raw.startswith(b"\x89PNG")
    assert struct.unpack(">II", raw[16:24]) == (picture.width, picture.height)
    assert len(raw) <= SMALL_PICTURE


@pytest.mark.parametrize("name", NAMES)
def test_every_record_is_whole_and_says_what_it_is_there_for(name: str) -> None:
    run = kept(name)
    conforms = Conclusion.NOT_CONFORMING if name == FAULTY else Conclusion.CONFORMING
    assert run.conclusion is conforms
    assert run.header.base_url == BASE_URL
    assert name in {FAULTY, run.header.contract}
    assert bool(run.comparisons) == (name == FAULTY)


def test_the_six_rows_are_the_six_documents() -> None:
    page = (GALLERY / "index.html").read_text("utf-8")
    assert len(DOCUMENTS) == 6
    assert all(name in page for name in DOCUMENTS)


def test_nothing_holds_the_key() -> None:
    for path in [*files(), *RECORDS.iterdir()]:
        raw = path.read_bytes()
        assert KEY.encode() not in (gzip.decompress(raw) if path.suffix == ".gz" else raw)


def test_made_twice_the_pages_are_the_same() -> None:
    first, again = pages(), pages()
    assert set(first) == set(PLACES)
    assert first == again


def test_the_same_run_is_packed_into_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: Run = kept(FAULTY)
    packed = []
    for folder in (tmp_path / "once", tmp_path / "again"):
        monkeypatch.setattr(recording, "RECORDS", folder)
        keep(FAULTY, run)
        (made,) = folder.iterdir()
        packed.append(made.read_bytes())
        # Where gzip keeps the time of packing, there is none.
        assert made.read_bytes()[4:8] == bytes(4)
        assert kept(FAULTY) == run
    assert packed[0] == packed[1]
