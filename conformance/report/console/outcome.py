"""The result of a run in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.model import Finding, Run, State, Verdict
from conformance.report.case import Case, case_of
from conformance.report.console.styles import (
    CONCLUSIONS,
    LESSER_STYLE,
    MAX_NAMES,
    MAX_VALUE_CHARS,
    STATE_MARKS,
    VERDICT_MARKS,
    marked,
)
from conformance.report.locale.terms import (
    LEVELS,
    MORE_FINDINGS,
    MORE_REASONS,
    STATES,
    VERDICTS,
    counted,
    duration,
    listing,
)
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary
from conformance.report.text_diff import Segments

CROWD = 4
"""Inconclusive findings with one reason that are too many to be shown one by one."""


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
                alike = [row for row in rows if row.subject.kind == kind and row.state is state]
                if alike:
                    listed = Text.assemble(
                        (noun, "dim"), line(", ".join(row.subject.name for row in alike))
                    )
                    lesser = all(row.is_lesser for row in alike)
                    mark = Text(self._state(state), style=LESSER_STYLE if lesser else style)
                    table.add_row(mark, listed)
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
        title = _UNDOCUMENTED.format(document=line(self._summary.run.header.document))
        return _titled(self._of(title), table)

    def _troubles(self, most: int | None) -> RenderableType | None:
        """Show findings that need attention: all, or at most ``most``."""
        troubles = self._individual()
        if not troubles:
            return None
        result = _selected(troubles, most)
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

    def _individual(self) -> Sequence[Finding]:
        """Findings that need attention, without crowds of inconclusive ones with one reason.

        If a key is revoked in the middle of a run, more than a hundred checks have the same reason.
        It is given once, under "Not verified".
        """
        troubles = self._summary.troubles
        reasons = Counter(f.message for f in troubles if f.verdict is Verdict.INCONCLUSIVE)
        return [
            f
            for f in troubles
            if f.verdict is not Verdict.INCONCLUSIVE or reasons[f.message] < CROWD
        ]

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
_UNDOCUMENTED = Words(
    "Not documented by {document} (informational)", "{document} 文档未提及（仅供参考）"
)
_FINDINGS = Words("Findings", "发现")
_IN_REPORTS = Words("and {findings} in the report files", "报告文件中还有 {findings}")
_EXPECTED = Words("expected", "预期")
_SEEN = Words("actual", "实际")
_PROMISED = Words("source", "出处")
_CAUSE = Words("likely cause", "可能原因")
_TO_DO = Words("fix", "修复方法")
_AND = Words("and {reasons}", "还有 {reasons}")
_NOT_VERIFIED = Words("Not verified", "未验证")


def _selected(troubles: Sequence[Finding], most: int | None) -> list[Finding]:
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
