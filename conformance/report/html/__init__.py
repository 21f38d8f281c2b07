"""``index.html``: the report as one self-contained file that works offline and without scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.language import Language, Text
from conformance.model import Readiness, Run, Tier
from conformance.report.charts import Picture, pictures
from conformance.report.clients import CLIENTS, NOTE
from conformance.report.curl import safe_name
from conformance.report.html import page
from conformance.report.html.clients import ClientView, clients
from conformance.report.html.evidence import ExchangeView, drafts, views
from conformance.report.html.findings import AreaView, areas
from conformance.report.html.objectives import objectives
from conformance.report.objectives import NOTE as OBJECTIVES_NOTE
from conformance.report.objectives import OBJECTIVES
from conformance.report.summary import Summary


def render(run: Run, key_env: str | None = None, language: Language = Language.ENGLISH) -> str:
    """Write the page.

    Args:
        run: the run to report.
        key_env: the environment variable that commands read the key from; by default the one
            that the run used.
        language: the initial language; the page contains both.
    """
    summary = Summary(run)
    written, drawn = "", pictures(run)
    named = key_env or run.header.api_key_env
    telling = {key for finding in summary.troubles for key in finding.exchanges}
    laid_out = drafts(run, named)
    placed = areas(summary, named)
    for share in SHARES:
        shown = views(laid_out, telling, share)
        written = _written(
            summary=summary,
            placed=placed,
            shown=shown,
            drawn=drawn,
            language=language,
            key_env=named,
        )
        if len(written.encode()) <= LARGEST[run.header.tier]:
            break
    return written


def _written(
    *,
    summary: Summary,
    placed: list[AreaView],
    shown: dict[str, ExchangeView],
    drawn: tuple[Picture, ...],
    language: Language,
    key_env: str | None,
) -> str:
    header = summary.run.header
    with_clients = clients(summary.run)
    return page.render(
        "report.html.j2",
        title=_TITLE.format(
            headline=summary.headline, url=header.base_url, contract=header.contract
        ),
        language=language,
        styles=("report.css", "clients.css", "findings.css", "exchange.css"),
        scripts=("subjects.js", "findings.js", "keys.js", "copy.js"),
        header=header,
        key_variable=safe_name(key_env) if key_env else None,
        summary=summary,
        pictures=drawn,
        areas=placed,
        clients=with_clients,
        clients_title=CLIENTS,
        clients_note=NOTE,
        objectives=objectives(summary.run, _placed(summary.run, with_clients)),
        objectives_title=OBJECTIVES,
        objectives_note=OBJECTIVES_NOTE,
        shown=shown,
        subjects_shown=frozenset(row.subject.name for row in summary.rows),
    )


def _placed(run: Run, with_clients: Mapping[Readiness, tuple[ClientView, ...]]) -> Iterator[str]:
    """Yield the ids of exchanges that have a place on the page already."""
    for finding in run.findings:
        yield from finding.exchanges
    for alike in with_clients.values():
        for view in alike:
            for need in view.needs:
                yield from need.own


LARGEST = {Tier.SMOKE: 1_450_000, Tier.STANDARD: 1_450_000, Tier.DEEP: 2_400_000}
"""Target size of a page in bytes, small enough to mail and to open fast."""

SHARES = (1, 0.7, 0.4, 0.1)
"""Shares of the budget for exchanges that are tried in turn until the page is small enough."""

_TITLE = Text("{headline}: {url}, contract {contract}", "{headline}：{url}，契约 {contract}")
