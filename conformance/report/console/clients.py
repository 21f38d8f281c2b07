"""What a run shows of clients, in a few lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.model import ClientReadiness, NeedState, Readiness, Run
from conformance.report.clients import (
    CLIENTS,
    READINESS,
    by_readiness,
    clients_of,
    evidence_of,
    hint_for,
    sentence_of,
    telling,
    why_of,
    without,
)
from conformance.report.console.styles import MAX_VALUE_CHARS, marked
from conformance.report.console.unwrapped import Indented
from conformance.report.sanitize import cut, line

MARKS: dict[Readiness, tuple[str, str]] = {
    Readiness.READY: ("✓", "green"),
    Readiness.NOT_READY: ("✗", "bold red"),
    Readiness.NOT_TESTED: ("○", "dim"),
}
NEED_MARKS: dict[NeedState, tuple[str, str]] = {
    NeedState.MET: ("✓", "green"),
    NeedState.UNMET: ("✗", "bold red"),
    NeedState.NOT_TESTED: ("○", "dim"),
}

MAX_NOT_READY = 4
"""Clients that are not ready and whose reason an ordinary run shows."""

MAX_EVIDENCE = 3
"""Findings and exchanges that are named for a need."""


def clients(run: Run, language: Language, *, verbose: bool = False) -> RenderableType | None:
    """Show which clients work; None if the run does not say.

    A run that was for clients shows each of their needs, another one a line for each that does not
    work and the names of the others.

    Args:
        run: the run.
        language: the language.
        verbose: show the needs of every client.
    """
    found = clients_of(run)
    if not found:
        return None
    in_full = verbose or bool(run.header.profiles)
    lines = _in_full(found, language) if in_full else _briefly(found, language)
    return Group(Text(), Text(CLIENTS.of(language), style="bold"), Indented(Group(*lines), 2))


def verdict_on_clients(run: Run, language: Language) -> Text | None:
    """Name in one line the clients that the run was for; None if it was for none."""
    if not run.header.profiles:
        return None
    parts = [
        Text(f"{line(client.title)}: {READINESS[client.readiness].of(language)}")
        for client in clients_of(run)
    ]
    return Text(_SEMICOLON.of(language)).join(parts) if parts else None


def _briefly(found: Sequence[ClientReadiness], language: Language) -> Iterator[RenderableType]:
    table = Table.grid(padding=(0, 2))
    for state, alike in by_readiness(found).items():
        shown = MAX_NOT_READY if state is Readiness.NOT_READY else 0
        for client in alike[:shown]:
            table.add_row(_word(state, language), _reason(client, language))
        if alike[shown:]:
            names = Text(line(", ".join(client.profile for client in alike[shown:])))
            hint = hint_for(alike)
            if hint is not None:
                names = Text.assemble(names, " (", marked(hint.of(language)), ")")
            table.add_row(_word(state, language), names)
    yield table


def _reason(client: ClientReadiness, language: Language) -> Text:
    need = telling(client)
    why = why_of(need).of(language) if need else ""
    return Text.assemble(
        line(client.profile), _COLON.of(language), marked(cut(why, MAX_VALUE_CHARS))
    )


def _in_full(found: Sequence[ClientReadiness], language: Language) -> Iterator[RenderableType]:
    for client in found:
        head = Text.assemble(_word(client.readiness, language), f"  {line(client.title)}")
        yield head
        for need in client.needs:
            mark, style = NEED_MARKS[need.state]
            said = Text.assemble((f"{mark} ", style), marked(sentence_of(need).of(language)))
            yield Padding(said, (0, 0, 0, 2))
            if need.state is NeedState.MET:
                continue
            shows = evidence_of(need)[:MAX_EVIDENCE]
            named = f" ({line(', '.join(shows))})" if shows else ""
            why = marked(cut(why_of(need).of(language), MAX_VALUE_CHARS))
            yield Padding(Text.assemble(why, (named, "dim")), (0, 0, 0, 4))
            if need.state is NeedState.UNMET:
                yield Padding(marked(without(need).of(language)), (0, 0, 0, 4))


def _word(state: Readiness, language: Language) -> Text:
    mark, style = MARKS[state]
    return Text(f"{mark} {READINESS[state].of(language)}", style=style)


_COLON = Words(": ", "：")
_SEMICOLON = Words("; ", "；")
