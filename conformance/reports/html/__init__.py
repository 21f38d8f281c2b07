"""``index.html``: the run as one file that asks nothing of a network and needs no script."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from conformance.language import Language, Text
from conformance.model import Finding, Run, Verdict
from conformance.reports.case import Case, case_of
from conformance.reports.difference import Pieces
from conformance.reports.html import page
from conformance.reports.html.evidence import ExchangeView, views
from conformance.reports.pictures import Picture, pictures
from conformance.reports.rows import CALM, Area
from conformance.reports.summary import WORST_FIRST, Summary, evidence


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding with all that speaks for it.

    ``own`` are exchanges that are shown with it, ``shared`` those shown with a finding before it;
    ``stated_with`` names the finding that shows who states the same sentence, None where it is this
    one; ``compared`` is what was expected beside what was seen, in each language that tells it.
    """

    case: Case
    own: tuple[ExchangeView, ...]
    shared: tuple[ExchangeView, ...]
    stated_with: str | None
    compared: tuple[tuple[str | None, tuple[Pieces, Pieces]], ...]

    @property
    def finding(self) -> Finding:
        """The finding itself."""
        return self.case.finding

    @property
    def troubled(self) -> bool:
        """Tell whether it wants reading."""
        return self.finding.verdict not in CALM


@dataclass(frozen=True, slots=True)
class AreaView:
    """The findings of an area: those that want reading, and the others by their verdict."""

    name: str
    troubles: tuple[FindingView, ...]
    calm: tuple[tuple[Verdict, tuple[FindingView, ...]], ...]

    @property
    def tally(self) -> tuple[tuple[Verdict, int], ...]:
        """How many findings of each verdict, the worst first."""
        counted = Counter(view.finding.verdict for view in self.troubles)
        told = [(verdict, counted[verdict]) for verdict in WORST_FIRST if counted[verdict]]
        return (*told, *((verdict, len(views)) for verdict, views in self.calm))


def render(run: Run, key_env: str | None = None, language: Language = Language.ENGLISH) -> str:
    """Write the page.

    Args:
        run: what to show.
        key_env: the environment variable that the command lines read the key from; by default the
            one that the run read it from.
        language: what the page speaks when it is opened.
    """
    summary = Summary(run)
    written, drawn = "", pictures(run)
    for share in SHARES:
        shown = views(run, key_env or run.header.api_key_env, share)
        written = _written(summary, shown, drawn, language)
        if len(written.encode()) <= LARGEST:
            break
    return written


def _written(
    summary: Summary,
    shown: dict[str, ExchangeView],
    drawn: tuple[Picture, ...],
    language: Language,
) -> str:
    header = summary.run.header
    return page.render(
        "report.html.j2",
        title=_TITLE.format(
            headline=summary.headline, url=header.base_url, contract=header.contract
        ),
        language=language,
        styles=("report.css", "findings.css", "exchange.css"),
        scripts=("findings.js", "keys.js", "copy.js"),
        header=header,
        summary=summary,
        pictures=drawn,
        areas=_areas(summary, shown),
    )


LARGEST = 1_450_000
"""Bytes that a page should not outgrow, so that it can be mailed and opens at once."""

SHARES = (1, 0.6, 0.3, 0.1)
"""What exchanges may take of their budget: less, where findings and pictures leave less room."""

_TITLE = Text("{headline}: {url} under {contract}", "{headline}：{url}，契约 {contract}")
_CALM = (Verdict.PASS, Verdict.INFO, Verdict.SKIPPED)


def _areas(summary: Summary, shown: dict[str, ExchangeView]) -> list[AreaView]:
    """Give each finding its evidence; what several share is shown with the first of them."""
    homes = _homes(summary)
    stated: dict[str, str] = {}

    def view(finding: Finding) -> FindingView:
        own: list[ExchangeView] = []
        shared: list[ExchangeView] = []
        for exchange in evidence(summary.run, finding):
            (own if homes[exchange.id] == finding.id else shared).append(shown[exchange.id])
        case = case_of(summary, finding)
        home = stated.setdefault(finding.requirement, finding.id)
        stated_with = None if home == finding.id else home
        return FindingView(case, tuple(own), tuple(shared), stated_with, _compared(case))

    def of(area: Area) -> AreaView:
        troubles = tuple(view(finding) for finding in area.findings if finding.verdict not in CALM)
        calm = [(kind, [f for f in area.findings if f.verdict is kind]) for kind in _CALM]
        return AreaView(
            area.name,
            troubles,
            tuple((kind, tuple(map(view, inside))) for kind, inside in calm if inside),
        )

    return [of(area) for area in summary.areas]


def _homes(summary: Summary) -> dict[str, str]:
    """Choose for each exchange the finding that it is shown with.

    What wants reading comes first, and of that each finding's deciding exchange: its last.
    """
    homes: dict[str, str] = {}
    for finding in summary.troubles:
        for exchange in evidence(summary.run, finding)[-1:]:
            homes.setdefault(exchange.id, finding.id)
    for finding in summary.findings:
        for exchange in evidence(summary.run, finding):
            homes.setdefault(exchange.id, finding.id)
    return homes


def _compared(case: Case) -> tuple[tuple[str | None, tuple[Pieces, Pieces]], ...]:
    """Compare in both languages, or once where both say the same."""
    if case.finding.expected is None and case.finding.seen is None:
        return ()
    english, chinese = (case.compared_in(language) for language in Language)
    if english == chinese:
        return ((None, english),)
    return ((Language.ENGLISH.value, english), (Language.CHINESE.value, chinese))
