"""Changes as an Atom feed (RFC 4287): an entry for what regressed in a run, one for what recovered.

Ids do not depend on where the site is or when it is made, so that a reader shows each change once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree import ElementTree as ET

from conformance import __version__
from conformance.history.changes import Step, Turn, series_of
from conformance.history.site import words
from conformance.history.site.days import moment_of
from conformance.history.site.pages import Target, anchor_of
from conformance.history.site.series import SeriesView
from conformance.language import Language, Text
from conformance.report.locale.terms import VERDICTS
from conformance.report.sanitize import cut, line

ATOM = "http://www.w3.org/2005/Atom"
MAX_ENTRIES = 200
MAX_CHECKS = 100
MAX_TITLE_CHARS = 300

NAMES = {Language.ENGLISH: "feed.xml", Language.CHINESE: "feed.zh.xml"}
"""The file of each language."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Item:
    """What one entry of the feed is about."""

    target: Target
    view: SeriesView
    step: Step
    turns: tuple[Turn, ...]
    kind: str


def feed(targets: Iterable[Target], language: Language, url: str | None) -> str:
    """Write the feed.

    Args:
        targets: all of them.
        language: the language of its texts.
        url: where the site will be, with a slash at its end; without it links are relative and
            the feed has no address of its own.
    """
    items = sorted(_items(targets), key=_when, reverse=True)[:MAX_ENTRIES]
    name = NAMES[language]
    root = ET.Element("feed", {"xmlns": ATOM, "xml:lang": language.value})
    _text(root, "id", _id("feed", url or "", language.value))
    _text(root, "title", TITLE.of(language))
    _text(root, "updated", (_when(items[0]) if items else _EPOCH).isoformat())
    ET.SubElement(root, "link", {"rel": "alternate", "href": f"{url or ''}index.html"})
    if url:
        ET.SubElement(root, "link", {"rel": "self", "href": f"{url}{name}"})
    author = ET.SubElement(root, "author")
    _text(author, "name", "conformance history")
    generator = _text(root, "generator", "completions-conformance")
    generator.set("version", __version__)
    for item in items:
        root.append(_entry(item, language, url or ""))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _items(targets: Iterable[Target]) -> Iterator[_Item]:
    for target in targets:
        for view in target.series:
            for step in view.changes:
                for kind in ("regression", "recovery"):
                    turns = step.regressions if kind == "regression" else step.recoveries
                    if turns:
                        yield _Item(target, view, step, turns, kind)


def _when(item: _Item) -> datetime:
    return moment_of(item.step.entry.started_at) or _EPOCH


def _entry(item: _Item, language: Language, url: str) -> ET.Element:
    entry, series = item.step.entry, series_of(item.step.entry)
    said = words.regressed if item.kind == "regression" else words.recovered
    element = ET.Element("entry")
    _text(element, "id", _id(item.kind, *map(str, series), entry.label, entry.suite))
    title = ENTRY.format(name=item.target.name, said=said(item.turns))
    _text(element, "title", cut(line(title.of(language)), MAX_TITLE_CHARS))
    _text(element, "updated", _when(item).isoformat())
    page = f"{url}targets/{quote(item.target.page)}.html#{quote(anchor_of(item.step))}"
    ET.SubElement(element, "link", {"rel": "alternate", "href": page})
    ET.SubElement(element, "category", {"term": item.kind})
    _text(element, "summary", "\n".join(_lines(item, language)))
    return element


def _lines(item: _Item, language: Language) -> Sequence[str]:
    entry = item.step.entry
    where = [entry.region, entry.tier, entry.contract_name, entry.base_url, entry.model]
    lines = [line(" · ".join(part for part in where if part))]
    for turn in item.turns[:MAX_CHECKS]:
        was, now = (_verdict(name).of(language) for name in (turn.was, turn.now))
        lines.append(line(f"{turn.check}: {was} → {now}"))
    if len(item.turns) > MAX_CHECKS:
        lines.append(MORE.format(n=len(item.turns) - MAX_CHECKS).of(language))
    return lines


def _verdict(name: str) -> Text:
    return next(words for verdict, words in VERDICTS.items() if verdict.value == name)


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = text
    return element


def _id(*parts: str) -> str:
    """Return an id that the same parts always have."""
    return uuid.uuid5(uuid.NAMESPACE_URL, "conformance-history:" + "\0".join(parts)).urn


TITLE = Text("Conformance: what changed", "与契约的符合情况：变化")
ENTRY = Text("{name}: {said}", "{name}：{said}")
MORE = Text("and {n} more", "以及另外 {n} 项")
