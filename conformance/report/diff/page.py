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


def render(result: Differences, places: Places, language: Language) -> str:
    """Write the page.

    Args:
        result: the comparison.
        places: links to the pages of both runs.
        language: the initial language; the page contains both.
    """
    return page.render(
        "compare.html.j2",
        title=_TITLE.format(headline=result.headline),
        language=language,
        styles=("compare.css",),
        result=result,
        places=places,
        sections=sections_of(result),
        figures=lines_of(result),
        measured=measured_on(result),
        title_of=title_of,
        evidence_of=evidence_of,
    )
