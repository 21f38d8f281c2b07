"""Report formats: each reads a recorded run and writes one file.

To add a format, write a module with a ``render`` function and add it to :func:`formats`. Terminal
output is in :mod:`conformance.report.console`, which also shows the progress of a run.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from conformance.language import Language
from conformance.model import Run
from conformance.report.ci.location import Location

__all__ = ["Format", "Location", "formats"]


@dataclass(frozen=True, slots=True)
class Format:
    """A report format and its file name.

    Attributes:
        file_name: the name of the file in a run's folder.
        render: writes a run.
        join: makes one file of those of several runs; None if the format has no form for that.
    """

    file_name: str
    render: Callable[[Run], str]
    join: Callable[[Sequence[str]], str] | None = None


def formats(
    key_env: str | None = None,
    language: Language = Language.ENGLISH,
    location: Location | None = None,
) -> Mapping[str, Format]:
    """Return all formats by name.

    Args:
        key_env: the environment variable that commands in a report read the API key from; by
            default the one that the run used.
        language: the language of Markdown, and the initial language of HTML.
        location: the line that CI systems show findings at; by default the contract's first.
    """
    own, place = {"key_env": key_env}, {"key_env": key_env, "location": location}
    worded = {"key_env": key_env, "language": language}
    return {
        "html": Format("index.html", _renderer("html", **worded)),
        "junit": Format("junit.xml", _renderer("junit", **place)),
        "json": Format("results.json", _renderer("results", **own)),
        "markdown": Format("summary.md", _renderer("markdown", **worded)),
        "sarif": Format("report.sarif", _renderer("ci.sarif", **place), _joiner("ci.sarif")),
        "gitlab": Format(
            "gl-code-quality-report.json", _renderer("ci.gitlab", **place), _joiner("ci.gitlab")
        ),
        "tap": Format("results.tap", _renderer("ci.tap", **own)),
        "har": Format("exchanges.har", _renderer("har", **own)),
    }


def _renderer(module: str, **settings: Language | Location | str | None) -> Callable[[Run], str]:
    """Return a function that imports a format's module when it is called, and renders with it."""

    def render(run: Run) -> str:
        rendered: str = importlib.import_module(f"{__name__}.{module}").render(run, **settings)
        return rendered

    return render


def _joiner(module: str) -> Callable[[Sequence[str]], str]:
    def join(written: Sequence[str]) -> str:
        joined: str = importlib.import_module(f"{__name__}.{module}").joined(written)
        return joined

    return join
