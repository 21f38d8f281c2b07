"""``index.html``: the run as one file that asks nothing of a network and runs no script.

What an endpoint sent is hostile. Every value that reaches the template has its acting characters
made visible and is escaped, by the environment and not by the template's author; should that fail,
the page's policy lets nothing load or run. What is long is cut before it is looked at.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from conformance.model import Exchange, Finding, Run
from conformance.reports.case import LONGEST, Case, case_of
from conformance.reports.html.evidence import ExchangeView, views
from conformance.reports.summary import (
    Area,
    Summary,
    duration,
    evidence,
    plural,
)
from conformance.reports.visible import cut, lines


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


def render(run: Run, key_env: str | None = None) -> str:
    """Write the page.

    Args:
        run: what to show.
        key_env: the environment variable that the curl lines read the key from; by default the one
            that the run read it from.
    """
    summary = Summary(run)
    css = _css()
    page = _environment().get_template("report.html.j2")
    return page.render(
        run=run,
        header=run.header,
        summary=summary,
        areas=_areas(summary, views(run, key_env or run.header.api_key_env)),
        css=Markup(css),  # noqa: S704 - our own file, and a style element knows no escapes
        css_hash=_hash(css),
    )


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


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("conformance.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        brief=lambda text: cut(text, LONGEST),
        duration=duration,
        plural=plural,
        marked=_marked,
    )
    return environment


def _visible(value: object) -> object:
    """Make every string safe to look at before it is escaped; what is markup already, is ours."""
    return lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _marked(sentence: str) -> Markup:
    """Turn the names that a sentence of ours carries in backticks into code."""
    parts = [escape(lines(part)) for part in sentence.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part
        for place, part in enumerate(parts)
    )


def _css() -> str:
    return files(__name__).joinpath("templates/report.css").read_text(encoding="utf-8")


def _hash(css: str) -> str:
    """Name the one style element that the page's policy allows, by what is in it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
