"""``compare.html``: the comparison as one file, in both languages."""

from __future__ import annotations

from conformance.language import Language, Text
from conformance.report.diff.differences import Differences, Places
from conformance.report.diff.sections import (
    evidence_of,
    lines_of,
    measured_on,
    sections_of,
    title_of,
)
from conformance.report.html import page

_TITLE = Text("{headline}: comparison of two runs", "{headline}：两次运行的比较")


def render(told: Differences, places: Places, language: Language) -> str:
    """Write the page.

    Args:
        told: the comparison.
        places: links to the pages of both runs.
        language: the initial language; the page contains both.
    """
    return page.render(
        "compare.html.j2",
        title=_TITLE.format(headline=told.headline),
        language=language,
        styles=("compare.css",),
        told=told,
        places=places,
        sections=sections_of(told),
        figures=lines_of(told),
        measured=measured_on(told),
        title_of=title_of,
        evidence_of=evidence_of,
    )
