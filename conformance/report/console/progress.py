"""The progress of a run in a terminal or a log."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.model import Finding, Verdict
from conformance.record.events import (
    CheckStarted,
    ExchangeMade,
    FindingMade,
    ReferenceAnswered,
    ReferenceMissing,
    RunEvent,
    RunFinished,
    RunStarted,
)
from conformance.record.expected import DEVIATIONS, named_checks
from conformance.report.console.styles import (
    VERDICT_MARKS,
)
from conformance.report.console.verbosity import Verbosity
from conformance.report.locale.terms import (
    CHECK,
    FINDING,
    REQUEST,
    TIERS,
    VERDICTS,
    counted,
)
from conformance.report.sanitize import line
from conformance.report.summary_rows import CALM


class Progressing:
    """Shows a run's progress; a context manager.

    A terminal shows a bar that counts deviations. If verbose, a terminal shows the findings that
    need attention and a log one line per check; a log shows nothing otherwise that a reader of the
    result would miss. What is shown is preliminary: only at the end is it known which deviations
    follow from others.
    """

    def __init__(
        self,
        console: Console,
        language: Language = Language.ENGLISH,
        verbosity: Verbosity = Verbosity.NORMAL,
        *,
        has_bar: bool = True,
    ) -> None:
        self._console = console
        self._language = language
        quiet = verbosity is Verbosity.QUIET
        is_screen = console.is_terminal and not console.is_dumb_terminal
        self._live = is_screen and has_bar and not quiet
        self._verbose = verbosity is Verbosity.VERBOSE
        self._told = self._live or self._verbose
        self._quiet = quiet
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
        self._task = self._bar.add_task(_STARTING.of(language), total=None)
        self._checks = self._judged = self._requests = self._deviating = 0
        self._known: frozenset[str] = frozenset()

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
                self._describe()
            case FindingMade():
                self._judge(event.finding)
            case ReferenceMissing():
                result = _NOT_COMPARED.format(because=event.because.mapped(line))
                if not self._quiet:
                    self._say(Text(result.of(self._language)))
            case RunFinished():
                self._finish(event)
            case CheckStarted() | ReferenceAnswered():
                return

    def _start(self, event: RunStarted) -> None:
        header = event.header
        self._checks = len(event.checks)
        self._known = named_checks(header)
        self._bar.update(self._task, total=self._checks)
        if not self._told:
            return
        # The URL and the model id are input and may contain control characters.
        target = _TESTING.format(
            url=line(header.base_url), model=line(header.model), contract=line(header.contract)
        )
        words = _PRELIMINARY if self._verbose else _HOW_MUCH
        how_much = words.format(checks=counted(self._checks, CHECK), tier=TIERS[header.tier])
        self._say(Text.assemble(target.of(self._language), (how_much.of(self._language), "dim")))

    def _judge(self, finding: Finding) -> None:
        self._judged += 1
        self._bar.update(self._task, completed=self._judged)
        verdict = finding.verdict
        if verdict in DEVIATIONS and finding.id in self._known:
            verdict = Verdict.EXPECTED
        if verdict in DEVIATIONS:
            self._deviating += 1
            self._describe()
        if not self._verbose or (self._live and verdict in CALM):
            return
        mark, style = VERDICT_MARKS[verdict]
        name = VERDICTS[verdict].of(self._language)
        count = "" if self._live else f"[{self._judged}/{self._checks}] "
        self._say(Text.assemble(count, (f"{mark} {_padded(name, 12)} ", style), line(finding.id)))

    def _describe(self) -> None:
        """Show in the bar how many requests were sent, and how many checks deviate so far."""
        sent = counted(self._requests, REQUEST)
        words = _SO_FAR.format(sent=sent, n=self._deviating) if self._deviating else sent
        self._bar.update(self._task, description=words.of(self._language))

    def _finish(self, event: RunFinished) -> None:
        """Say of the lines above that some of them follow from others."""
        explained = len(event.footer.explained)
        if self._verbose and explained:
            told = _EXPLAINED.format(findings=counted(explained, FINDING))
            self._say(Text(told.of(self._language), style="dim"))

    def _say(self, text: Text) -> None:
        self._console.print(text, soft_wrap=not self._live, highlight=False)


_STARTING = Words("starting", "正在启动")
_TESTING = Words(
    "Testing {url}, model {model}, against the {contract} contract: ",
    "按契约 {contract} 测试 {url}，模型 {model}：",
)
_HOW_MUCH = Words("{checks}, {tier}", "{checks}，{tier}")
_PRELIMINARY = Words(
    "{checks}, {tier}; verdicts are preliminary until the run ends",
    "{checks}，{tier}；运行结束之前的判定均为初步结果",
)
_SO_FAR = Words(
    "{sent}, {n} deviating so far (preliminary)", "{sent}，目前有 {n} 项存在偏差（初步结果）"
)
_EXPLAINED = Words(
    "Explained by others, counting nowhere: {findings} above; the result names the causes.",
    "以上有 {findings}由其他发现所致，不计入判定；结果中会列出原因。",
)
_NOT_COMPARED = Words(
    "No comparison with the reference server: {because}", "未与参考服务器对比：{because}"
)


def _padded(word: str, width: int) -> str:
    """Pad a word with blanks to a display width."""
    return word + " " * (width - cell_len(word))
