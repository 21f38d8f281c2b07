"""The log of a CI system, in which a printed line can be a command.

GitHub's runner takes every line that begins with ``::`` for one, and others know similar marks.
The suite prints what endpoints send, so :func:`guarded` changes such marks in all that is printed.
The suite's own commands are printed by :func:`command`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO, cast

import click

from conformance.transport import gate

COMMANDS: Mapping[str, str] = {
    "GITHUB_ACTIONS": r"(?:^|\r)\s*::|##\[",
    "TF_BUILD": r"##vso\[|##\[",
    "TEAMCITY_VERSION": r"##teamcity\[",
}
"""What begins a command, as a regular expression, by a variable that the CI system sets."""

_BEGINNING = re.compile(r"\s*:?|[^\n]*(?:\r\s*:?|##?(?:vso|teamcity)?)\Z")
"""The end of a text that may go on as a command."""


def command(line: str) -> None:
    """Print a command of the suite, a whole line."""
    safe = gate.redact(line)
    for stream in _OPEN:
        stream.allow(safe)
    click.echo(safe)


class _Defused:
    """A text stream whose lines are no commands of a CI system."""

    def __init__(self, stream: TextIO, pattern: re.Pattern[str]) -> None:
        self._stream = stream
        self._pattern = pattern
        self._allowed: set[str] = set()
        self._waiting = ""
        self._in_line = False

    def __getattr__(self, name: str) -> Any:
        if name in {"buffer", "detach"}:
            raise AttributeError(name)
        return getattr(self._stream, name)

    def allow(self, line: str) -> None:
        """Let a line of the suite itself pass."""
        self._allowed.add(line)

    def write(self, text: str) -> int:
        """Write a text, but not the beginning of a line that may become a command."""
        self._waiting += text
        *lines, last = self._waiting.split("\n")
        for line in lines:
            self._print(f"{line}\n")
        self._waiting = last
        if last and not _BEGINNING.fullmatch(last):
            self._print(last)
            self._waiting = ""
        return len(text)

    def flush(self) -> None:
        """Write what is complete."""
        self._stream.flush()

    def end(self) -> None:
        """Write the rest."""
        if self._waiting:
            self._print(self._waiting)
            self._waiting = ""
        self._stream.flush()

    def _print(self, text: str) -> None:
        is_whole = text.endswith("\n") and not self._in_line
        if not (is_whole and text[:-1] in self._allowed):
            text = self._defused(text)
        self._stream.write(text)
        self._in_line = not text.endswith("\n")

    def _defused(self, text: str) -> str:
        def changed(found: re.Match[str]) -> str:
            is_first = found.start() == 0 and not found[0].startswith(("##", "\r"))
            if is_first and self._in_line:
                return found[0]
            return f"{found[0][:-1]} {found[0][-1]}"

        return self._pattern.sub(changed, text)


_OPEN: list[_Defused] = []
"""The streams that are guarded now."""


@contextmanager
def guarded() -> Iterator[None]:
    """Keep what a block prints from being commands of the CI system that it runs in."""
    known = [mark for name, mark in COMMANDS.items() if os.environ.get(name)]
    if not known:
        yield
        return
    pattern = re.compile("|".join(known), re.MULTILINE)
    before = sys.stdout, sys.stderr
    streams = _Defused(sys.stdout, pattern), _Defused(sys.stderr, pattern)
    _OPEN.extend(streams)
    sys.stdout, sys.stderr = cast("tuple[TextIO, TextIO]", streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        _OPEN.clear()
        for stream in streams:
            stream.end()
