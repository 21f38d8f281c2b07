"""``index.html``: the run as one file that asks nothing of a network and needs no script."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.language import Language, Text
from conformance.model import Exchange, Finding, Run
from conformance.reports.case import Case, case_of
from conformance.reports.html import page
from conformance.reports.html.evidence import ExchangeView, views
from conformance.reports.rows import Area
from conformance.reports.summary import Summary, evidence


@dataclass(frozen=True, slots=True)
class Evidence:
    """An exchange under a finding; ``shown_with`` names the finding that shows it in full."""

    view: ExchangeView
    shown_with: str | None


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding with all that speaks for it, and its exchanges."""

    case: Case
    evidence: tuple[Evidence, ...]

    @property
    def finding(self) -> Finding:
        """The finding itself."""
        return self.case.finding


def render(run: Run, key_env: str | None = None, language: Language = Language.ENGLISH) -> str:
    """Write the page.

    Args:
        run: what to show.
        key_env: the environment variable that the curl lines read the key from; by default the one
            that the run read it from.
        language: what the page speaks when it is opened.
    """
    summary = Summary(run)
    return page.render(
        "report.html.j2",
        title=_TITLE.format(
            headline=summary.headline, url=run.header.base_url, contract=run.header.contract
        ),
        language=language,
        styles=("report.css",),
        run=run,
        header=run.header,
        summary=summary,
        areas=_areas(summary, views(run, key_env or run.header.api_key_env)),
    )


_TITLE = Text("{headline}: {url} under {contract}", "{headline}：{url}，合约 {contract}")


def _areas(
    summary: Summary, shown: dict[str, ExchangeView]
) -> list[tuple[Area, list[FindingView]]]:
    """Give each finding its evidence; an exchange that several share is shown with the first."""
    homes: dict[str, str] = {}

    def place(exchange: Exchange, finding: Finding) -> Evidence:
        home = homes.setdefault(exchange.id, finding.id)
        return Evidence(shown[exchange.id], None if home == finding.id else home)

    def view(finding: Finding) -> FindingView:
        placed = tuple(place(exchange, finding) for exchange in evidence(summary.run, finding))
        return FindingView(case_of(summary, finding), placed)

    return [(area, [view(finding) for finding in area.findings]) for area in summary.areas]
