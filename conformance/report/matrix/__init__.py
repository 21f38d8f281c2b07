"""The matrix: many runs in one table, as HTML, JSON, Markdown and for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from conformance.language import Language
from conformance.report.matrix import json_data as data
from conformance.report.matrix import markdown, page
from conformance.report.matrix.build import matrix_of
from conformance.report.matrix.records import Matrix, Recorded

__all__ = ["File", "Matrix", "Recorded", "files", "matrix_of"]


@dataclass(frozen=True, slots=True)
class File:
    """An output format and its file name."""

    name: str
    render: Callable[[Matrix], str]


def files(language: Language = Language.ENGLISH) -> Mapping[str, File]:
    """Return output files by format name; HTML contains both languages."""
    return {
        "json": File("matrix.json", data.render),
        "markdown": File("matrix.md", partial(markdown.render, language=language)),
        "html": File("index.html", partial(page.render, language=language)),
    }
