"""Progress of several parallel runs: one line per target with its result at the end.

A verbose log has one line for the start and one for the end of each run, with the target's name.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.record.events import ExchangeMade, FindingMade, RunEvent, RunFinished, RunStarted
from conformance.report.console import CONCLUSIONS, Verbosity
from conformance.report.locale.terms import CHECK, HEADLINES, REQUEST, counted, duration
from conformance.report.sanitize import line

_FINISHED = Words("finished", "已完成")


class ProgressOfMany:
    """Shows the progress of several runs; a context manager."""

    def __init__(
        self,
        console: Console,
        language: Language,
        verbosity: Verbosity = Verbosity.NORMAL,
        *,
        has_bars: bool = True,
    ) -> None:
        self._console = console
        self._language = language
        quiet = verbosity is Verbosity.QUIET
        is_screen = console.is_terminal and not console.is_dumb_terminal
        self._live = is_screen and has_bars and not quiet
        self._told = not self._live and verbosity is Verbosity.VERBOSE
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[result]}", style="dim"),
            console=console,
            disable=not self._live,
            expand=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._requests: dict[str, int] = {}
        self._with_expected: set[str] = set()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, name: str, event: RunEvent) -> None:
        """Show what one event of one run changes."""
        match event:
            case RunStarted():
                self._start(name, event)
            case ExchangeMade():
                self._requests[name] += 1
                result = counted(self._requests[name], REQUEST).of(self._language)
                self._bars.update(self._tasks[name], result=result)
            case FindingMade():
                self._bars.advance(self._tasks[name])
            case RunFinished():
                self._finish(name, event)
            case _:
                return

    def _start(self, name: str, event: RunStarted) -> None:
        self._requests[name] = 0
        if name in self._tasks:  # begun again, because its machine was lost
            self._bars.remove_task(self._tasks[name])
        self._tasks[name] = self._bars.add_task(line(name), total=len(event.checks), result="")
        if event.header.expected is not None:
            self._with_expected.add(name)
        checks = counted(len(event.checks), CHECK).of(self._language)
        where = f"{line(event.header.base_url)}, {line(event.header.contract)}"
        self._say(Text.assemble((f"{line(name)}: ", "bold"), f"{where}, {checks}"))

    def _finish(self, name: str, event: RunFinished) -> None:
        conclusion, footer = event.footer.conclusion, event.footer
        style = CONCLUSIONS[conclusion]
        headline = HEADLINES[conclusion].of(self._language)
        if name in self._with_expected:
            # Which deviations are known is decided when the whole record is read.
            headline, style = _FINISHED.of(self._language), "bold"
        self._bars.update(self._tasks[name], result=headline)
        spent = counted(footer.cost.requests, REQUEST).of(self._language)
        took = duration(footer.elapsed).of(self._language)
        end = Text.assemble((f"{line(name)}: ", "bold"), (headline, style), f", {spent}, {took}")
        self._say(end)

    def _say(self, text: Text) -> None:
        if self._told:
            self._console.print(text, soft_wrap=True, highlight=False)
