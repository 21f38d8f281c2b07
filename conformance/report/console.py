"""Terminal output: the progress of a run and its result.

A terminal gets colours and a progress bar; a file or pipe gets one plain line per check. Control
characters from an endpoint are made visible, so that no response can move the cursor, change
colours or reorder a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.model import Conclusion, Finding, Run, State, Verdict
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
from conformance.report.case import Case, case_of
from conformance.report.locale.terms import (
    CHECK,
    LEVELS,
    MORE_FINDINGS,
    MORE_REASONS,
    REQUEST,
    STATES,
    TIERS,
    VERDICTS,
    counted,
    duration,
    listing,
)
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary
from conformance.report.summary_rows import CALM
from conformance.report.text_diff import Segments

VERDICT_MARKS: dict[Verdict, tuple[str, str]] = {
    Verdict.PASS: ("✓", "green"),
    Verdict.FAIL: ("✗", "bold red"),
    Verdict.WARN: ("≠", "yellow"),
    Verdict.REFUSED: ("⊘", "blue"),
    Verdict.INCONCLUSIVE: ("?", "yellow"),
    Verdict.SKIPPED: ("○", "dim"),
    Verdict.INFO: ("·", "dim"),
    Verdict.ERROR: ("!", "bold magenta"),
}
STATE_MARKS: dict[State, tuple[str, str]] = {
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
    Conclusion.INCOMPLETE: "bold yellow",
}
MAX_VALUE_CHARS = 240
"""Maximum characters of one value in the terminal; the record has all."""
MAX_NAMES = 3
"""Maximum number of checks named per skip reason; the HTML report names all."""


class Progressing:
    """Shows a run's progress; a context manager."""

    def __init__(self, console: Console, language: Language = Language.ENGLISH) -> None:
        self._console = console
        self._language = language
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
        self._task = self._bar.add_task(_STARTING.of(language), total=None)
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
                sent = counted(self._requests, REQUEST).of(self._language)
                self._bar.update(self._task, description=sent)
            case FindingMade():
                self._judge(event.finding)
            case ReferenceMissing():
                result = _NOT_COMPARED.format(because=event.because.mapped(line))
                self._say(Text(result.of(self._language)))
            case CheckStarted() | ReferenceAnswered() | RunFinished():
                return

    def _start(self, event: RunStarted) -> None:
        header = event.header
        self._checks = len(event.checks)
        self._bar.update(self._task, total=self._checks)
        # The URL and the model id are input and may contain control characters.
        held = _HOLDING.format(
            url=line(header.base_url), model=line(header.model), contract=line(header.contract)
        )
        how_much = _HOW_MUCH.format(checks=counted(self._checks, CHECK), tier=TIERS[header.tier])
        self._say(Text.assemble(held.of(self._language), (how_much.of(self._language), "dim")))

    def _judge(self, finding: Finding) -> None:
        self._judged += 1
        self._bar.update(self._task, completed=self._judged)
        verdict = finding.verdict
        if self._live and verdict in CALM:
            return
        mark, style = VERDICT_MARKS[verdict]
        name = VERDICTS[verdict].of(self._language)
        count = "" if self._live else f"[{self._judged}/{self._checks}] "
        self._say(Text.assemble(count, (f"{mark} {_padded(name, 12)} ", style), line(finding.id)))

    def _say(self, text: Text) -> None:
        self._console.print(text, soft_wrap=not self._live, highlight=False)


_STARTING = Words("starting", "正在启动")
_HOLDING = Words(
    "Testing {url}, model {model}, against the {contract} contract: ",
    "按契约 {contract} 测试 {url}，模型 {model}：",
)
_HOW_MUCH = Words("{checks}, {tier}", "{checks}，{tier}")


def _padded(word: str, width: int) -> str:
    """Pad a word with blanks to a display width."""
    return word + " " * (width - cell_len(word))


def show(run: Run, console: Console, language: Language = Language.ENGLISH) -> None:
    """Print the outcome of a run."""
    # A terminal shows the first few; a pipe gets everything.
    findings, reasons = (12, 6) if console.is_terminal else (None, None)
    shown = _Outcome(Summary(run), language).rendered(findings, reasons)
    with console.capture() as captured:
        console.print(shown, highlight=False)
    # Remove the trailing blanks that tables add.
    text = "\n".join(text.rstrip() for text in captured.get().split("\n"))
    console.out(text.rstrip("\n"), highlight=False)


def console_for(*, terminal: bool | None = None) -> Console:
    """Open the console; colours follow NO_COLOR and the terminal.

    Output to a pipe is not wrapped, so that each line can be found with grep.
    """
    console = Console(force_terminal=terminal, highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console = Console(width=PIPE_WIDTH, highlight=False, emoji=False, markup=False)
    return console


PIPE_WIDTH = 1_000
"""Width in characters for output that is not a terminal; wide enough for no wrapping."""


class _Outcome:
    """The printed result of a run, in one language."""

    def __init__(self, summary: Summary, language: Language) -> None:
        self._summary = summary
        self._language = language

    def rendered(self, findings: int | None, reasons: int | None) -> RenderableType:
        """Assemble the output with at most this many findings and reasons; None shows all."""
        blocks = [
            self._verdict(),
            self._states(),
            self._undocumented(),
            self._troubles(findings),
            self._gaps(reasons),
        ]
        return Group(Text(), *(block for block in blocks if block is not None))

    def _of(self, words: Words) -> str:
        return words.of(self._language)

    def _verdict(self) -> RenderableType:
        summary, header = self._summary, self._summary.run.header
        headline = _HEADLINE.format(headline=summary.headline)
        facts = _FACTS.format(
            url=line(header.base_url),
            model=line(header.model),
            contract=line(header.contract),
            cost=summary.cost_in_words,
            took=duration(summary.elapsed),
        )
        result = [
            Text.assemble(
                (self._of(headline), CONCLUSIONS[summary.conclusion]),
                marked(self._of(summary.sentence)),
            )
        ]
        if summary.because:
            result.append(Text(cut(line(self._of(summary.because)), MAX_VALUE_CHARS)))
        if summary.judged_again:
            result.append(Text(line(self._of(summary.judged_again))))
        counts = [self._counts()] if summary.tally and not self._could_not_begin else []
        return Group(*result, Text(self._of(facts), style="dim"), *counts)

    @property
    def _could_not_begin(self) -> bool:
        return self._summary.because is not None and not self._summary.judged

    def _counts(self) -> Text:
        parts = [
            Text(f"{count} {self._of(VERDICTS[verdict])}", style=VERDICT_MARKS[verdict][1])
            for verdict, count in self._summary.tally
        ]
        return Text(self._of(_COMMA)).join(parts)

    def _states(self) -> RenderableType | None:
        """List parameters and fields by state, the worst first."""
        rows = [row for row in self._summary.rows if row.subject.documented]
        if not rows or not self._summary.judged:
            return None
        table = Table.grid(padding=(0, 2))
        for state, (_, style) in STATE_MARKS.items():
            for kind, noun in (("parameter", ""), ("field", self._of(_FIELDS))):
                names = [
                    row.subject.name
                    for row in rows
                    if row.subject.kind == kind and row.state is state
                ]
                if names:
                    listed = Text.assemble((noun, "dim"), line(", ".join(names)))
                    table.add_row(Text(self._state(state), style=style), listed)
        return _titled(self._of(_STATES), table)

    def _state(self, state: State) -> str:
        return f"{STATE_MARKS[state][0]} {self._of(STATES[state])}"

    def _undocumented(self) -> RenderableType | None:
        """List undocumented parameters and fields by state."""
        table = Table.grid(padding=(0, 2))
        for state in STATE_MARKS:
            names = [row.subject.name for row in self._summary.undocumented if row.state is state]
            if names:
                result = Text(line(", ".join(names)))
                table.add_row(Text(self._state(state), style="dim"), result)
        if not table.row_count:
            return None
        title = _BEYOND.format(document=line(self._summary.run.header.document))
        return _titled(self._of(title), table)

    def _troubles(self, most: int | None) -> RenderableType | None:
        """Show findings that need attention: all, or at most ``most``."""
        troubles = self._summary.troubles
        if not troubles:
            return None
        result = _telling(troubles, most)
        table = Table.grid(padding=(0, 2))
        for finding in result:
            mark, style = VERDICT_MARKS[finding.verdict]
            verdict = Text(f"{mark} {self._of(VERDICTS[finding.verdict])}", style=style)
            table.add_row(verdict, self._finding(case_of(self._summary, finding)))
        left = len(troubles) - len(result)
        if not left:
            return _titled(self._of(_FINDINGS), table)
        more = _IN_REPORTS.format(findings=counted(left, MORE_FINDINGS))
        return _titled(self._of(_FINDINGS), Group(table, Text(self._of(more), style="dim")))

    def _finding(self, case: Case) -> RenderableType:
        finding = case.finding
        level = f"  {self._of(LEVELS[finding.level])}"
        result: list[RenderableType] = [
            Text.assemble((line(finding.id), "bold"), (level, "dim")),
            marked(self._of(case.title)),
        ]
        if finding.expected is None and finding.seen is None and finding.message:
            result.append(Text(cut(line(self._of(case.message)), MAX_VALUE_CHARS), style="dim"))
        table = Table.grid(padding=(0, 1))
        for name, text in self._evidence(case):
            table.add_row(Text(self._of(name), style="dim"), text)
        result.append(table)
        return Group(*result)

    def _evidence(self, case: Case) -> Iterator[tuple[Words, Text]]:
        """Yield labelled rows: expected, actual, source, likely cause, fix."""
        for name, fragments in zip(
            (_EXPECTED, _SEEN), case.compared_in(self._language), strict=True
        ):
            if fragments:
                yield name, _distinguished(fragments)
        if case.likely is None or case.remedy is None:
            return
        for source in case.sources[:1]:
            promised = f"{source.document}: {self._of(source.says)}"
            yield _PROMISED, Text(cut(line(promised), MAX_VALUE_CHARS))
        yield _CAUSE, marked(self._of(case.likely))
        yield _TO_DO, marked(self._of(case.remedy))

    def _gaps(self, most: int | None) -> RenderableType | None:
        # After a failed preflight the verdict already says why.
        if not self._summary.gaps or self._could_not_begin:
            return None
        result: list[RenderableType] = []
        for gap in self._summary.gaps:
            result.append(Text(f"{len(gap.left_open)} {self._of(gap.why)}"))
            reasons = [(reason, names) for reason, names in gap.reasons.items() if reason.en]
            for reason, names in reasons[:most]:
                which = line(self._of(listing(names, MAX_NAMES)))
                cause = marked(cut(self._of(reason), MAX_VALUE_CHARS))
                why = Text.assemble(f"{which}{self._of(_COLON)}", cause, style="dim")
                result.append(Padding(why, (0, 0, 0, 2)))
            left = len(reasons) - len(reasons[:most])
            if left:
                more = _AND.format(reasons=counted(left, MORE_REASONS))
                result.append(Padding(Text(self._of(more), style="dim"), (0, 0, 0, 2)))
        return _titled(self._of(_NOT_VERIFIED), Group(*result))


_HEADLINE = Words("{headline}. ", "{headline}。")
_FACTS = Words(
    "{url}, {model}, contract {contract}; {cost}; {took}",
    "{url}，{model}，契约 {contract}；{cost}；用时 {took}",
)
_COMMA = Words(", ", "，")
_COLON = Words(": ", "：")
_FIELDS = Words("fields: ", "字段：")
_STATES = Words("Parameters and response fields", "参数与响应字段")
_BEYOND = Words("Not documented by {document} (informational)", "{document} 文档未提及（仅供参考）")
_FINDINGS = Words("Findings", "发现")
_IN_REPORTS = Words("and {findings} in the report files", "报告文件中还有 {findings}")
_EXPECTED = Words("expected", "预期")
_SEEN = Words("actual", "实际")
_NOT_COMPARED = Words(
    "No comparison with the reference server: {because}", "未与参考服务器对比：{because}"
)
_PROMISED = Words("source", "出处")
_CAUSE = Words("likely cause", "可能原因")
_TO_DO = Words("fix", "修复方法")
_AND = Words("and {reasons}", "还有 {reasons}")
_NOT_VERIFIED = Words("Not verified", "未验证")


def _telling(troubles: Sequence[Finding], most: int | None) -> list[Finding]:
    """Choose the findings to show: one per subject before a second for any."""
    about: Counter[str] = Counter()
    ranked: list[tuple[int, int]] = []
    for place, finding in enumerate(troubles):
        ranked.append((about[finding.subject], place))
        about[finding.subject] += 1
    return [troubles[place] for place in sorted(place for _, place in sorted(ranked)[:most])]


def _distinguished(fragments: Segments) -> Text:
    """Show a value with differences emphasised, truncated if long."""
    text = Text()
    for fragment in fragments:
        text.append(line(fragment.text), style="bold underline" if fragment.differs else None)
    text.truncate(MAX_VALUE_CHARS, overflow="ellipsis")
    return text


def _titled(title: str, body: RenderableType) -> RenderableType:
    return Group(Text(), Text(title, style="bold"), Padding(body, (0, 0, 0, 2)))


def marked(sentence: str) -> Text:
    """Render names in backticks in bold."""
    text = Text()
    for place, part in enumerate(line(sentence).split("`")):
        text.append(part, style="bold" if place % 2 else None)
    return text
