"""Make the files of a site, and only those that are not up to date."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from conformance import __version__
from conformance.history.entry import Entry
from conformance.history.site.days import Span, span_until
from conformance.history.site.feed import NAMES, feed
from conformance.history.site.pages import Target, front, target_page
from conformance.history.site.series import views
from conformance.history.store import History, name_of
from conformance.language import Language
from conformance.model import Run
from conformance.record.line import RunFileError
from conformance.record.ndjson import read_run
from conformance.report import badge, formats
from conformance.report.sanitize import lines

MANIFEST = "site.json"
FORMAT = 1
TARGETS, REPORTS = "targets", "reports"


@dataclass(frozen=True, slots=True)
class Options:
    """What a site is made like.

    Attributes:
        days: how many days pages show, up to the last run.
        language: the initial language of pages; they contain both.
        url: where the site will be, with a slash at its end; None keeps links relative.
        reports: whether the last runs and those on both sides of a change are rendered; otherwise
            pages link their records.
    """

    days: int = 365
    language: Language = Language.ENGLISH
    url: str | None = None
    reports: bool = False


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A file of the site: its path in it, and its text; None removes it."""

    path: str
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Made:
    """What a site has of one target: the digest of what it is from, and paths of its reports."""

    digest: str
    reports: tuple[str, ...] = ()


def is_site(folder: Path) -> bool:
    """Return whether a folder is a site that this module made, or can become one."""
    try:
        return not any(folder.iterdir()) or (folder / MANIFEST).is_file()
    except FileNotFoundError:
        return True


def files(
    kept: History,
    entries: Sequence[Entry],
    out: Path,
    options: Options,
    on_mistake: Callable[[str], None],
) -> Iterator[SiteFile]:
    """Yield the files of a site that are new or changed, the list of what they are from last.

    The page of a target is made from its own runs alone, so it stays as it is until there is a
    new one.

    Args:
        kept: the history.
        entries: all its runs, by target, then by time.
        out: the folder of the site, which may have an older one.
        options: what it is made like.
        on_mistake: called with a sentence for each record that cannot be read.
    """
    old = _read_manifest(out / MANIFEST)
    maker = _Maker(kept, out, options, on_mistake)
    made: dict[str, _Made] = {}
    targets: list[Target] = []
    for name, group in groupby(entries, key=lambda entry: entry.target):
        of_one = list(group)
        target = Target(name, views(of_one, span_until(of_one, options.days)))
        if not target.series:
            continue
        targets.append(target)
        page, digest = target.page, _digest(of_one, options)
        reports = old[page].reports if page in old else ()
        if page not in old or old[page].digest != digest or not (out / _page_of(page)).exists():
            yield from maker.target(target)
            reports = maker.reports_of(target)
        made[page] = _Made(digest, reports)
    yield from _gone(old, made)
    span = _span_of(targets)
    yield SiteFile("index.html", front(targets, span, options.language))
    for language, place in NAMES.items():
        yield SiteFile(place, feed(targets, language, options.url))
    listed = {name: asdict(one) for name, one in made.items()}
    manifest = {"format": FORMAT, "suite": __version__, "targets": listed}
    yield SiteFile(MANIFEST, json.dumps(manifest, indent=1) + "\n")


def _page_of(name: str) -> str:
    return f"{TARGETS}/{name}.html"


def _gone(old: Mapping[str, _Made], made: Mapping[str, _Made]) -> Iterator[SiteFile]:
    """Yield what an older site has of targets and runs that are not in the history any more."""
    for name in sorted(old.keys() - made.keys()):
        for ending in (".html", ".svg", ".json"):
            yield SiteFile(f"{TARGETS}/{name}{ending}", None)
    before, now = (
        {place for one in all_.values() for place in one.reports} for all_ in (old, made)
    )
    for place in sorted(before - now):
        yield SiteFile(place, None)


def _span_of(targets: Iterable[Target]) -> Span:
    """Return the days of the front page: up to the last run of all, as long as the longest page."""
    spans = [view.span for target in targets for view in target.series]
    last = max((span.last for span in spans), default=1)
    days = max((span.days for span in spans), default=1)
    return Span(max(1, last - days + 1), last)


def _digest(entries: Iterable[Entry], options: Options) -> str:
    """Return a digest of all that a target's page is made from."""
    parts: list[Any] = [FORMAT, __version__, options.days, options.language.value, options.reports]
    parts += [(one.path, one.finished_at, one.conclusion, one.promises) for one in entries]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _read_manifest(path: Path) -> dict[str, _Made]:
    """Return what an older site has; nothing if there is no such site that can be read."""
    try:
        read = json.loads(path.read_text("utf-8"))
        targets = read["targets"].items() if read["format"] == FORMAT else ()
        found = {name: _Made(one["digest"], tuple(one["reports"])) for name, one in targets}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    # Names become paths that are removed, so only those that this module gives are taken.
    is_ours = all(
        _NAME.fullmatch(name) and all(_REPORT.fullmatch(str(place)) for place in one.reports)
        for name, one in found.items()
    )
    return found if is_ours else {}


_NAME = re.compile(r"[a-z0-9][\w.~-]*")
_REPORT = re.compile(rf"{REPORTS}/[\w.-]+\.html")


class _Maker:
    """Makes the files of targets."""

    def __init__(
        self, kept: History, out: Path, options: Options, on_mistake: Callable[[str], None]
    ) -> None:
        self._kept, self._out, self._options = kept, out, options
        self._on_mistake = on_mistake
        self._reports: set[str] = set()

    def reports_of(self, target: Target) -> tuple[str, ...]:
        """Return the paths of the reports that a target's page links."""
        places = map(_report_of, self._reported(target))
        return tuple(place for place in places if place in self._reports)

    def target(self, target: Target) -> Iterator[SiteFile]:
        """Yield the page of a target, its badge, and the reports that it links."""
        for entry in self._reported(target):
            yield from self._report(entry)
        last = max((view.last for view in target.series), key=lambda entry: entry.started_at)
        run, language = self._read(last), self._options.language
        text = target_page(target, self._address, language, has_badge=run is not None)
        yield SiteFile(_page_of(target.page), text)
        if run is not None:
            stem = f"{TARGETS}/{target.page}"
            yield SiteFile(f"{stem}.svg", badge.svg(run, language=language))
            yield SiteFile(f"{stem}.json", badge.endpoint(run, language=language))

    def _reported(self, target: Target) -> Iterator[Entry]:
        """Yield the last run of each series and the runs around each change, each once."""
        found: dict[str, Entry] = {}
        for view in target.series if self._options.reports else ():
            found.setdefault(view.last.path, view.last)
            for step in view.changes:
                turns = (*step.regressions, *step.recoveries)
                for entry in (step.entry, *(turn.before for turn in turns)) if turns else ():
                    found.setdefault(entry.path, entry)
        yield from found.values()

    def _report(self, entry: Entry) -> Iterator[SiteFile]:
        place = _report_of(entry)
        if (self._out / place).exists():
            self._reports.add(place)
            return
        run = self._read(entry)
        if run is not None:
            self._reports.add(place)
            yield SiteFile(place, formats(language=self._options.language)["html"].render(run))

    def _read(self, entry: Entry) -> Run | None:
        try:
            return read_run(self._kept.folder / entry.path)
        except RunFileError as error:
            self._on_mistake(str(error))
            return None

    def _address(self, entry: Entry, check: str | None) -> str | None:
        """Return the link from a page of a target to a run: its report, or without any its record.

        A site with reports has no other links to runs, so that it is whole without the history.
        """
        place = _report_of(entry)
        if place in self._reports:
            return f"../{quote(place)}" + (f"#{quote(lines(check))}" if check else "")
        if self._options.reports:
            return None
        record = (self._kept.folder / entry.path).absolute()
        return quote(Path(os.path.relpath(record, (self._out / TARGETS).absolute())).as_posix())


def _report_of(entry: Entry) -> str:
    """Return the path of a run's report.

    A run that replaces another one with its key is finished later, and gets a page of its own.
    """
    digits = hashlib.sha256(f"{entry.path} {entry.finished_at}".encode()).hexdigest()
    return f"{REPORTS}/{name_of(entry)}-{digits[:8]}.html"
