"""Report formats: each reads a recorded run and writes one file.

To add a format, write a module with a ``render`` function and add it to :func:`formats`. Terminal
output is in :mod:`conformance.report.console`, which also shows the progress of a run.
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
    """A report format and its file name."""

    file_name: str
    render: Callable[[Run], str]


def formats(
    key_env: str | None = None, language: Language = Language.ENGLISH
) -> Mapping[str, Format]:
    """Return all formats by name.

    Args:
        key_env: the environment variable that commands in a report read the API key from; by
            default the one that the run used.
        language: the language of Markdown, and the initial language of HTML.
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
