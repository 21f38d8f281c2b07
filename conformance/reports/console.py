"""The terminal's report: progress while a run goes on, and what came of it when it is over.

Where the output is a terminal there are colours and a progress bar; where it is a file or a pipe
there are plain lines, one for each check, and nothing that a log would garble. What an endpoint
sent is made visible first, so that no answer can move the cursor, colour a line or turn it around.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from conformance.events import (
    CheckStarted,
    ExchangeMade,
    FindingMade,
    ReferenceAnswered,
    ReferenceMissing,
    RunEvent,
    RunFinished,
    RunStarted,
)
from conformance.model import Conclusion, Finding, Run, State, Verdict
from conformance.reports.case import Case, case_of
from conformance.reports.difference import Pieces
from conformance.reports.summary import CALM, Summary, duration, listed, plural
from conformance.reports.visible import cut, line

VERDICTS: dict[Verdict, tuple[str, str]] = {
    Verdict.PASS: ("✓", "green"),
    Verdict.FAIL: ("✗", "bold red"),
    Verdict.WARN: ("≠", "yellow"),
    Verdict.REFUSED: ("⊘", "blue"),
    Verdict.INCONCLUSIVE: ("?", "yellow"),
    Verdict.SKIPPED: ("○", "dim"),
    Verdict.INFO: ("·", "dim"),
    Verdict.ERROR: ("!", "bold magenta"),
}
STATES: dict[State, tuple[str, str]] = {
    State.IGNORED: ("✗", "bold red"),
    State.ALTERED: ("≠", "yellow"),
    State.REFUSED: ("⊘", "blue"),
    State.UNTESTED: ("○", "dim"),
    State.HONOURED: ("✓", "green"),
}
CONCLUSIONS: dict[Conclusion, str] = {
    Conclusion.CONFORMING: "bold green",
    Conclusion.NOT_CONFORMING: "bold red",
    Conclusion.UNDECIDED: "bold yellow",
    Conclusion.NOTHING_RAN: "bold yellow",
    Conclusion.BROKEN_OFF: "bold yellow",
}
LONGEST = 240
"""Characters of one value in a terminal; the page holds more, the record all."""
MOST_NAMES = 3
"""Checks that are named beside the reason they were skipped for; the page names all."""


class Progressing:
    """Shows a run's events as they come; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal and not console.is_dumb_terminal
        self._bar = Progress(
            TextColumn("{task.description}", style="dim"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not self._live,
            expand=True,
        )
        self._task = self._bar.add_task("starting", total=None)
        self._checks = self._judged = self._requests = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def show(self, event: RunEvent) -> None:
        """Show what one event changes."""
        match event:
            case RunStarted():
                self._start(event)
            case ExchangeMade():
                self._requests += 1
                self._bar.update(self._task, description=plural(self._requests, "request"))
            case FindingMade():
                self._judge(event.finding)
            case ReferenceMissing():
                self._say(Text(f"nothing is compared: {line(event.because)}"))
            case CheckStarted() | ReferenceAnswered() | RunFinished():
                return

    def _start(self, event: RunStarted) -> None:
        header = event.header
        self._checks = len(event.checks)
        self._bar.update(self._task, total=self._checks)
        # A URL and a model id are the user's own words, and still come from outside.
        what = f"{line(header.base_url)}, model {line(header.model)}"
        how_much = f"{plural(self._checks, 'check')}, {header.tier.value} tier"
        held = f"Holding {what} against the {line(header.contract)} contract: "
        self._say(Text.assemble(held, (how_much, "dim")))

    def _judge(self, finding: Finding) -> None:
        self._judged += 1
        self._bar.update(self._task, completed=self._judged)
        verdict = finding.verdict
        if self._live and verdict in CALM:
            return
        mark, style = VERDICTS[verdict]
        count = "" if self._live else f"[{self._judged}/{self._checks}] "
        self._say(Text.assemble(count, (f"{mark} {verdict.value:<12} ", style), line(finding.id)))

    def _say(self, text: Text) -> None:
        self._console.print(text, soft_wrap=not self._live, highlight=False)


def show(run: Run, console: Console) -> None:
    """Print the outcome of a run."""
    summary = Summary(run)
    # A screen is for a first look; a pipe leads to a file, where nothing may be missing.
    findings, reasons = (12, 6) if console.is_terminal else (None, None)
    blocks = [
        _verdict(summary),
        _states(summary),
        _beyond(summary),
        _troubles(summary, findings),
        _gaps(summary, reasons),
    ]
    shown = Group(Text(), *(block for block in blocks if block is not None))
    with console.capture() as captured:
        console.print(shown, highlight=False)
    # Tables fill their cells with blanks up to the right edge, which nobody wants in a log.
    text = "\n".join(text.rstrip() for text in captured.get().split("\n"))
    console.out(text.rstrip("\n"), highlight=False)


def console_for(*, terminal: bool | None = None) -> Console:
    """Open the terminal's console: colours as NO_COLOR and the terminal allow.

    A pipe has no width, so lines are not wrapped there and each can be found with grep.
    """
    console = Console(force_terminal=terminal, highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH, highlight=False, emoji=False, markup=False)
    return console


PIPE_WIDTH = 1_000
"""Wide enough that nothing wraps where there is no terminal."""


def _verdict(summary: Summary) -> RenderableType:
    header = summary.run.header
    style = CONCLUSIONS[summary.conclusion]
    sentence = marked(summary.sentence)
    where = f"{line(header.base_url)}, {line(header.model)}, contract {line(header.contract)}"
    facts = Text(f"{where}; {summary.cost_in_words}; {duration(summary.elapsed)}", style="dim")
    told = [Text.assemble((f"{summary.headline}.", style), " ", sentence)]
    if summary.because:
        told.append(Text(cut(line(summary.because), LONGEST)))
    counts = [_counts(summary)] if summary.tally and not _could_not_begin(summary) else []
    return Group(*told, facts, *counts)


def _could_not_begin(summary: Summary) -> bool:
    return summary.because is not None and not summary.judged


def _counts(summary: Summary) -> Text:
    parts = [
        Text(f"{count} {verdict}", style=VERDICTS[Verdict(verdict)][1])
        for verdict, count in summary.tally
    ]
    return Text(", ").join(parts)


def _states(summary: Summary) -> RenderableType | None:
    """Name the parameters and fields by what became of them, the worst first."""
    rows = [row for row in summary.rows if row.subject.documented]
    if not rows or not summary.judged:
        return None
    table = Table.grid(padding=(0, 2))
    for state, (mark, style) in STATES.items():
        for kind, noun in (("parameter", ""), ("field", "fields: ")):
            names = [
                row.subject.name for row in rows if _is(row.subject.kind, kind, row.state, state)
            ]
            if names:
                listed = Text.assemble((noun, "dim"), line(", ".join(names)))
                table.add_row(Text(f"{mark} {state.value}", style=style), listed)
    return _titled("Parameters and response fields", table)


def _beyond(summary: Summary) -> RenderableType | None:
    """Name what the document does not mention, by what was seen of it."""
    table = Table.grid(padding=(0, 2))
    for state, (mark, _) in STATES.items():
        names = [row.subject.name for row in summary.beyond if row.state is state]
        if names:
            table.add_row(Text(f"{mark} {state.value}", style="dim"), Text(line(", ".join(names))))
    if not table.row_count:
        return None
    return _titled(f"Not promised by {line(summary.run.header.document)}, for information", table)


def _is(kind: str, wanted_kind: str, state: State, wanted: State) -> bool:
    return kind == wanted_kind and state is wanted


def _troubles(summary: Summary, most: int | None) -> RenderableType | None:
    """Tell the findings that want reading: all, or ``most`` of them."""
    if not summary.troubles:
        return None
    told = _telling(summary.troubles, most)
    table = Table.grid(padding=(0, 2))
    for finding in told:
        mark, style = VERDICTS[finding.verdict]
        told_of = _finding(case_of(summary, finding))
        table.add_row(Text(f"{mark} {finding.verdict.value}", style=style), told_of)
    left = len(summary.troubles) - len(told)
    if not left:
        return _titled("Findings", table)
    more = Text(f"and {plural(left, 'more finding')} in the written reports", style="dim")
    return _titled("Findings", Group(table, more))


def _telling(troubles: Sequence[Finding], most: int | None) -> list[Finding]:
    """Choose findings to tell in full: one about each subject before a second about any."""
    about: Counter[str] = Counter()
    ranked: list[tuple[int, int]] = []
    for place, finding in enumerate(troubles):
        ranked.append((about[finding.subject], place))
        about[finding.subject] += 1
    return [troubles[place] for place in sorted(place for _, place in sorted(ranked)[:most])]


def _finding(case: Case) -> RenderableType:
    finding = case.finding
    told: list[RenderableType] = [
        Text.assemble((line(finding.id), "bold"), (f"  {finding.level.value}", "dim")),
        marked(finding.title),
    ]
    if finding.expected is None and finding.seen is None and finding.message:
        told.append(Text(cut(line(finding.message), LONGEST), style="dim"))
    table = Table.grid(padding=(0, 1))
    for name, text in _evidence(case):
        table.add_row(Text(name, style="dim"), text)
    told.append(table)
    return Group(*told)


def _evidence(case: Case) -> Iterator[tuple[str, Text]]:
    """Tell what was expected and seen, where that stands, and what may lie behind it."""
    expected, seen = case.compared
    for name, pieces in (("expected", expected), ("seen", seen)):
        if pieces:
            yield name, _told_apart(pieces)
    if case.cause is None:
        return
    for document, words in case.sources[:1]:
        yield "promised", Text(cut(line(f"{document}: {words}"), LONGEST))
    yield "cause?", marked(case.cause.cause)
    yield "to do", marked(case.cause.remedy)


def _told_apart(pieces: Pieces) -> Text:
    """Show a value with what differs set off; of a long one the beginning."""
    text = Text()
    for piece in pieces:
        text.append(line(piece.text), style="bold underline" if piece.differs else None)
    text.truncate(LONGEST, overflow="ellipsis")
    return text


def _gaps(summary: Summary, most: int | None) -> RenderableType | None:
    # Where no check could begin, the verdict has said it all.
    if not summary.gaps or _could_not_begin(summary):
        return None
    told: list[RenderableType] = []
    for gap in summary.gaps:
        told.append(Text(f"{len(gap.left_open)} {gap.why}"))
        reasons = [(reason, names) for reason, names in gap.reasons.items() if reason]
        for reason, names in reasons[:most]:
            why = Text.assemble(
                f"{line(listed(names, MOST_NAMES))}: ", marked(cut(reason, LONGEST)), style="dim"
            )
            told.append(Padding(why, (0, 0, 0, 2)))
        left = len(reasons) - len(reasons[:most])
        if left:
            more = Text(f"and {plural(left, 'more reason')}", style="dim")
            told.append(Padding(more, (0, 0, 0, 2)))
    return _titled("Not verified", Group(*told))


def _titled(title: str, body: RenderableType) -> RenderableType:
    return Group(Text(), Text(title, style="bold"), Padding(body, (0, 0, 0, 2)))


def marked(sentence: str) -> Text:
    """Turn the names that a sentence carries in backticks into emphasis."""
    text = Text()
    for place, part in enumerate(line(sentence).split("`")):
        text.append(part, style="bold" if place % 2 else None)
    return text
