"""Reports: each reads a run, knows nothing of how it came about, and writes one file.

To add a format, write a module with a ``render`` and name it in :func:`formats`. The terminal's
report (:mod:`conformance.reports.console`) stands beside them, because it also shows a run that is
still going on.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from conformance.language import Language
from conformance.model import Run

__all__ = ["Format", "formats"]


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a run down, and the name of its file."""

    file_name: str
    render: Callable[[Run], str]


def formats(
    key_env: str | None = None, language: Language = Language.ENGLISH
) -> Mapping[str, Format]:
    """Return every format by its name.

    Args:
        key_env: the environment variable that command lines in a report read the API key from;
            by default the one that the run read it from.
        language: what a report speaks that can speak one alone, and a page when it is opened.
    """
    return {
        "html": Format("index.html", _renderer("html", key_env=key_env, language=language)),
        "junit": Format("junit.xml", _renderer("junit", key_env=key_env)),
        "json": Format("results.json", _renderer("results", key_env=key_env)),
        "markdown": Format("summary.md", _renderer("markdown", key_env=key_env, language=language)),
    }


def _renderer(module: str, **settings: Language | str | None) -> Callable[[Run], str]:
    """Return a function that imports a format's module when it is called, and renders with it."""

    def render(run: Run) -> str:
        rendered: str = importlib.import_module(f"{__name__}.{module}").render(run, **settings)
        return rendered

    return render
