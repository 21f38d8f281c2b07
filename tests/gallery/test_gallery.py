"""The sample reports depend only on their records; every screenshot is small and used."""

from __future__ import annotations

import gzip
import struct
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from conformance.contract import CONTRACTS
from conformance.model import Conclusion, Run
from tests.gallery import recording
from tests.gallery.pages import pages, write
from tests.gallery.recording import BASE_URL, FAULTY, KEY, NAMES, RECORDS, keep, kept
from tests.gallery.screenshots import PICTURES, PICTURES_FOLDER

ROOT = Path(__file__).parents[2]
MAX_PAGES_BYTES = 4 * 2**20
MAX_PICTURE_BYTES = 150_000

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


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make gallery` would write."""
    folder = tmp_path_factory.mktemp("gallery").resolve()
    write(folder)
    return folder


@pytest.fixture(scope="module")
def parsed(gallery: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in gallery.rglob("*.html")}


def test_named_pages_are_written(gallery: Path, parsed: dict[Path, Page]) -> None:
    assert {path.relative_to(gallery).as_posix() for path in parsed} == set(PLACES)


def test_pages_are_small(parsed: dict[Path, Page]) -> None:
    assert sum(path.stat().st_size for path in parsed) < MAX_PAGES_BYTES


@pytest.mark.parametrize("place", PLACES)
def test_every_link_has_a_target(gallery: Path, parsed: dict[Path, Page], place: str) -> None:
    page = gallery / place
    for link in parsed[page].links:
        target, _, anchor = unquote(link).partition("#")
        there = (page.parent / target).resolve() if target else page
        assert there in parsed, link
        assert not anchor or anchor in parsed[there].ids, link


def test_pages_link_to_each_other(gallery: Path, parsed: dict[Path, Page]) -> None:
    assert any(link.startswith("conforming/") for link in parsed[gallery / "index.html"].links)
    assert any(link.startswith("faulty/") for link in parsed[gallery / "compare.html"].links)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_pictures_are_small_pngs_of_their_size(picture) -> None:
    raw = (PICTURES_FOLDER / f"{picture.name}.png").read_bytes()
    assert raw.startswith(b"\x89PNG")
    assert struct.unpack(">II", raw[16:24]) == (picture.width, picture.height)
    assert len(raw) <= MAX_PICTURE_BYTES


def test_every_picture_is_shown_in_a_document() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    text = "".join(path.read_text("utf-8") for path in documents)
    pictures = {path.name for path in PICTURES_FOLDER.iterdir()}
    assert pictures == {f"{picture.name}.png" for picture in PICTURES}
    assert [name for name in sorted(pictures) if f"pictures/{name}" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_records_are_complete_runs(name: str) -> None:
    run = kept(name)
    expected = Conclusion.NOT_CONFORMING if name == FAULTY else Conclusion.CONFORMING
    assert run.conclusion is expected
    assert run.header.base_url == BASE_URL
    assert name in {FAULTY, run.header.contract}
    assert bool(run.comparisons) == (name == FAULTY)


def test_matrix_names_documents_and_living_contracts(gallery: Path) -> None:
    page = (gallery / "index.html").read_text("utf-8")
    assert len(CONTRACTS) == 15
    assert all(name in page for name in CONTRACTS)


def test_no_file_contains_the_key(gallery: Path) -> None:
    for path in [*gallery.rglob("*.html"), *PICTURES_FOLDER.iterdir(), *RECORDS.iterdir()]:
        raw = path.read_bytes()
        assert KEY.encode() not in (gzip.decompress(raw) if path.suffix == ".gz" else raw)


def test_rendering_is_repeatable(gallery: Path) -> None:
    again = pages()
    assert again == {place: (gallery / place).read_text("utf-8") for place in PLACES}


def test_packing_is_repeatable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run: Run = kept(FAULTY)
    packed = []
    for folder in (tmp_path / "once", tmp_path / "again"):
        monkeypatch.setattr(recording, "RECORDS", folder)
        keep(FAULTY, run)
        (made,) = folder.iterdir()
        packed.append(made.read_bytes())
        # Bytes 4 to 7 of a gzip file are its modification time.
        assert made.read_bytes()[4:8] == bytes(4)
        assert kept(FAULTY) == run
    assert packed[0] == packed[1]
