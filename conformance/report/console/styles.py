"""Marks, colours and limits of terminal output, and the console itself."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from conformance.model import Conclusion, State, Verdict
from conformance.report.sanitize import line

VERDICT_MARKS: dict[Verdict, tuple[str, str]] = {
    Verdict.PASS: ("✓", "green"),
    Verdict.FAIL: ("✗", "bold red"),
    Verdict.WARN: ("≠", "yellow"),
    Verdict.REFUSED: ("⊘", "blue"),
    Verdict.INCONCLUSIVE: ("?", "yellow"),
    Verdict.EXPLAINED: ("↳", "dim"),
    Verdict.SKIPPED: ("○", "dim"),
    Verdict.INFO: ("·", "dim"),
    Verdict.ERROR: ("!", "bold magenta"),
    Verdict.EXPECTED: ("◇", "cyan"),
}
STATE_MARKS: dict[State, tuple[str, str]] = {
    State.IGNORED: ("✗", "bold red"),
    State.ALTERED: ("≠", "bold red"),
    State.REFUSED: ("⊘", "blue"),
    State.UNCLEAR: ("?", "yellow"),
    State.UNTESTED: ("○", "dim"),
    State.ACCEPTED: ("·", "green"),
    State.HONOURED: ("✓", "green"),
}
LESSER_STYLE = "yellow"
"""For a parameter or field that deviates only from requirements of level should."""

CONCLUSIONS: dict[Conclusion, str] = {
    Conclusion.CONFORMING: "bold green",
    Conclusion.NOT_CONFORMING: "bold red",
    Conclusion.UNDECIDED: "bold yellow",
    Conclusion.NOTHING_RAN: "bold yellow",
    Conclusion.INCOMPLETE: "bold yellow",
    Conclusion.AS_EXPECTED: "bold cyan",
}
MAX_VALUE_CHARS = 240
"""Maximum characters of one value in the terminal; the record has all."""
MAX_NAMES = 3
"""Maximum number of checks named per skip reason; the HTML report names all."""


def console_for(*, terminal: bool | None = None, color: bool | None = None) -> Console:
    """Open the console.

    Output to a pipe is not wrapped, so that each line can be found with grep.

    Args:
        terminal: whether it is a terminal; None finds out.
        color: whether to print in colour; None follows NO_COLOR and the terminal.
    """
    plain: dict[str, Any] = {"highlight": False, "emoji": False, "markup": False}
    if color is not None:
        plain |= {"color_system": "standard" if color else None, "no_color": not color}
    console = Console(force_terminal=terminal, **plain)
    return console if console.is_terminal else Console(width=PIPE_WIDTH, **plain)


PIPE_WIDTH = 1_000
"""Width in characters for output that is not a terminal; wide enough for no wrapping."""


def marked(sentence: str) -> Text:
    """Render names in backticks in bold."""
    text = Text()
    for place, part in enumerate(line(sentence).split("`")):
        text.append(part, style="bold" if place % 2 else None)
    return text
