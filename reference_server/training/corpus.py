"""From Debian packages to clean documents, split into a training and a held-out part."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from reference_server.training.sources import BIBLE_READER, PACKAGES, SOURCES, Language, Source

HELD_OUT_PERCENT = 2
SHORTEST, MAX_CHARS = 40, 6000
"""Characters of a document: shorter ones are decoration, longer ones are cut at a paragraph."""

_CONTENT = "[role=main], div.book, div.chapter, div.sect1, section, body"
_BLOCKS = "h1, h2, h3, h4, p, pre, dt, td, div.para"
_FURNITURE = (
    "script, style, nav, header, footer, a.headerlink, div.toc, div.navheader, div.navfooter,"
    " div.sphinxsidebar, div.related, ul.docnav, p.title, div.toctree-wrapper, a.pilcrow"
)


@dataclass(frozen=True, slots=True)
class Document:
    """A self-contained text, and its source."""

    text: str
    source: str
    language: Language
    held_out: bool


def fetch(cache: Path) -> None:
    """Download the packages into `cache` and unpack each below `cache/unpacked`; install nothing.

    Raises `subprocess.CalledProcessError` if `apt-get` or `dpkg-deb` fails.
    """
    cache.mkdir(parents=True, exist_ok=True)
    missing = [name for name in PACKAGES if not list(cache.glob(f"{name}_*.deb"))]
    if missing:
        subprocess.run(["apt-get", "download", *missing], cwd=cache, check=True)
    for name in PACKAGES:
        archive = next(cache.glob(f"{name}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, cache / "unpacked" / name], check=True)


def build(cache: Path) -> list[Document]:
    """Read every source below `cache`; drop duplicates; the order is that of `SOURCES`."""
    seen: set[str] = set()
    documents: list[Document] = []
    for source in SOURCES:
        for raw in _read(source, cache):
            text = normalise(raw)
            digest = hashlib.sha256(text.encode()).hexdigest()
            if len(text) < SHORTEST or digest in seen:
                continue
            seen.add(digest)
            # The digest decides, so a document stays in its part when the corpus grows.
            lot = int(digest[:8], 16)
            if (lot // 100) % 1000 >= source.share * 1000:
                continue
            held_out = lot % 100 < HELD_OUT_PERCENT
            documents.append(Document(text, source.name, source.language, held_out))
    return documents


def save(documents: list[Document], path: Path) -> None:
    """Write one JSON object per line."""
    lines = (json.dumps(asdict(document), ensure_ascii=False) for document in documents)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def load(path: Path) -> list[Document]:
    """Read what `save` wrote."""
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [Document(**json.loads(line)) for line in lines]


def normalise(text: str) -> str:
    """NFC, plain spaces and line ends, at most one empty line in a row."""
    text = unicodedata.normalize("NFC", text).replace("\r", "").replace("\u00a0", " ")
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _read(source: Source, cache: Path) -> Iterator[str]:
    root = cache / "unpacked" / source.package
    paths = sorted(path for pattern in source.pages for path in root.glob(pattern))
    for path in paths:
        match source.kind:
            case "html":
                yield from sections(path.read_text(encoding="utf-8"))
            case "fortune":
                yield from poems(path.read_text(encoding="utf-8"))
            case "bible":
                yield from _chapters(cache / "unpacked" / BIBLE_READER, path)


def sections(html: str) -> Iterator[str]:
    """The text of an HTML page, one document per headed section."""
    tree = LexborHTMLParser(html)
    for node in tree.css(_FURNITURE):
        node.decompose()
    content = tree.css_first(_CONTENT)
    if content is None:
        return
    section: list[str] = []
    for block in content.css(_BLOCKS):
        text = _block_text(block)
        if block.tag in ("h1", "h2", "h3") or sum(map(len, section)) + len(text) > MAX_CHARS:
            if len(section) > 1:
                yield "\n\n".join(section)
            section = []
        if text:
            section.append(text)
    if len(section) > 1:
        yield "\n\n".join(section)


def _block_text(block: LexborNode) -> str:
    if block.tag == "pre":
        return block.text().rstrip()
    text = " ".join(block.text().split())
    # Line breaks inside Chinese HTML paragraphs are not spaces.
    return re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef]) (?=[\u3000-\u9fff\uff00-\uffef])", "", text)


def poems(fortunes: str) -> Iterator[str]:
    """Poems of a fortune file, separated by `%`, without the terminal colours."""
    non_streaming = re.sub(r"\x1b\[[0-9;]*m", "", fortunes)
    yield from non_streaming.split("\n%\n")


def _chapters(reader: Path, data: Path) -> Iterator[str]:
    """Chapters of the Bible, one verse a line, without verse numbers."""
    command = [str(reader / "usr/bin/bible"), "-p", str(data), "-l4000", "Gen1:1-Rev22:21"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for chapter in re.split(r"\n(?=\S[^\n]* \d+\n)", printed):
        yield re.sub(r"(?m)^ +\d+ ", "", chapter)
