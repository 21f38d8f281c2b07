"""Output files of a comparison, by format name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from conformance.language import Language
from conformance.report.diff import markdown, page, results
from conformance.report.diff.differences import Differences, Places


@dataclass(frozen=True, slots=True)
class File:
    """An output format and its file name."""

    name: str
    render: Callable[[Differences], str]


def files(places: Places = Places(), language: Language = Language.ENGLISH) -> Mapping[str, File]:  # noqa: B008 - frozen
    """Return every file by the name of its format.

    Args:
        places: links to the pages of both runs.
        language: the language of Markdown, and the initial language of HTML.
    """
    return {
        "html": File("compare.html", lambda result: page.render(result, places, language)),
        "json": File("compare.json", lambda result: results.render(result, places)),
        "markdown": File("compare.md", lambda result: markdown.render(result, language)),
    }
