"""Findings for the page: by area, each with its case and its exchanges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.language import Language
from conformance.model import Finding, Role, Verdict
from conformance.report.case import Case, case_of
from conformance.report.reproduce import decisive
from conformance.report.summary import WORST_FIRST, Summary
from conformance.report.summary_rows import CALM, Area
from conformance.report.text_diff import Segments


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding with its evidence.

    ``own`` are ids of exchanges shown with it, ``shared`` of those shown with another finding; the
    probe comes first, then the controls. ``distant`` are ids of the probe and its control if they
    are shown with another finding.
    ``stated_with`` is the finding that shows the sources of the same requirement, None if it is
    this one. ``compared`` has the expected and actual value per language.
    """

    case: Case
    own: tuple[str, ...]
    shared: tuple[str, ...]
    distant: tuple[str, ...]
    stated_with: str | None
    compared: tuple[tuple[str | None, tuple[Segments, Segments]], ...]
    area: str
    explains: tuple[FindingView, ...] = ()

    @property
    def finding(self) -> Finding:
        """The finding."""
        return self.case.finding

    @property
    def troubled(self) -> bool:
        """Return whether it needs attention."""
        return self.finding.verdict not in CALM


@dataclass(frozen=True, slots=True)
class AreaView:
    """The findings of an area: those that need attention, and the others by verdict."""

    name: str
    troubles: tuple[FindingView, ...]
    calm: tuple[tuple[Verdict, tuple[FindingView, ...]], ...]

    @property
    def tally(self) -> tuple[tuple[Verdict, int], ...]:
        """Number of findings per verdict, the worst first."""
        counted = Counter(view.finding.shown for view in self.troubles)
        result = [(verdict, counted[verdict]) for verdict in WORST_FIRST if counted[verdict]]
        return (*result, *((verdict, len(views)) for verdict, views in self.calm))


_CALM = (Verdict.PASS, Verdict.INFO, Verdict.EXPLAINED, Verdict.SKIPPED)


ORDER: Sequence[Role | None] = (Role.PROBE, Role.CONTROL, None, Role.REPEAT)
"""The order in which a finding's exchanges are shown; None are those of unknown role."""


def areas(summary: Summary, key_env: str | None = None) -> list[AreaView]:
    """Assign evidence to findings; an exchange that several share is shown with one of them.

    Args:
        summary: the run.
        key_env: the environment variable that commands read the key from, if not the run's own.
    """
    homes = _homes(summary)
    stated: dict[str, str] = {}
    roots = {finding.id for finding in summary.troubles}

    def view(finding: Finding) -> FindingView:
        keys = sorted(
            (exchange.id for exchange in summary.evidence(finding)),
            key=lambda key: ORDER.index(finding.roles.get(key)),
        )
        own = tuple(key for key in keys if homes[key] == finding.id)
        shared = tuple(key for key in keys if homes[key] != finding.id)
        case = case_of(summary, finding, key_env)
        deciding = (case.decisive.probe, case.decisive.control) if case.decisive else ()
        distant = tuple(one.id for one in deciding if one and one.id in shared)
        home = stated.setdefault(finding.requirement, finding.id)
        stated_with = None if home == finding.id else home
        explains = map(view, summary.explained_by(finding)) if finding.id in roots else ()
        return FindingView(
            case,
            own,
            shared,
            distant,
            stated_with,
            _compared(case),
            summary.area_of(finding),
            tuple(explains),
        )

    def of(area: Area) -> AreaView:
        # What another finding explains is shown with that one.
        findings = [finding for finding in area.findings if finding.explained_by not in roots]
        troubles = tuple(view(finding) for finding in findings if finding.verdict not in CALM)
        calm = [(kind, [f for f in findings if f.verdict is kind]) for kind in _CALM]
        return AreaView(
            area.name,
            troubles,
            tuple((kind, tuple(map(view, inside))) for kind, inside in calm if inside),
        )

    views = [of(area) for area in summary.areas]
    return [view for view in views if view.troubles or view.calm]


def _homes(summary: Summary) -> dict[str, str]:
    """Choose the finding that each exchange is shown with.

    Findings that need attention come first, with the exchange that deviates.
    """
    homes: dict[str, str] = {}
    for finding in summary.troubles:
        shown = decisive(finding, summary.evidence(finding))
        if shown is not None:
            homes.setdefault(shown.probe.id, finding.id)
    for finding in summary.findings:
        for exchange in summary.evidence(finding):
            homes.setdefault(exchange.id, finding.id)
    return homes


def _compared(case: Case) -> tuple[tuple[str | None, tuple[Segments, Segments]], ...]:
    """Compare in both languages, or once if both are equal."""
    if case.finding.expected is None and case.finding.seen is None:
        return ()
    english, chinese = (case.compared_in(language) for language in Language)
    if english == chinese:
        return ((None, english),)
    return ((Language.ENGLISH.value, english), (Language.CHINESE.value, chinese))
