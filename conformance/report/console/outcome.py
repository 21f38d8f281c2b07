"""The result of a run in a terminal."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.model import Finding, Run, State, Verdict
from conformance.report.case import case_of
from conformance.report.console.blocks import blocks
from conformance.report.console.clients import clients, verdict_on_clients
from conformance.report.console.details import details, follows
from conformance.report.console.objectives import objectives
from conformance.report.console.styles import (
    CONCLUSIONS,
    LESSER_STYLE,
    MAX_NAMES,
    MAX_VALUE_CHARS,
    STATE_MARKS,
    VERDICT_MARKS,
    marked,
)
from conformance.report.console.unwrapped import Indented, height_of
from conformance.report.console.verbosity import Verbosity
from conformance.report.locale.terms import FIELD, STATES, VERDICTS, counted, duration, listing
from conformance.report.objectives import missed_in_words
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary

MAX_LINES = 40
"""Maximum lines of a result, so that it fits on one screen."""


def show(
    run: Run,
    console: Console,
    language: Language = Language.ENGLISH,
    verbosity: Verbosity = Verbosity.NORMAL,
) -> None:
    """Print the outcome of a run: the verdict, then a block for each cause.

    Args:
        run: the run.
        console: where to print.
        language: the language.
        verbosity: quiet prints only the verdict, verbose every finding and reason in full.
    """
    shown = _Outcome(Summary(run), language, console).rendered(verbosity)
    with console.capture() as captured:
        console.print(shown, highlight=False, crop=False)
    # Remove the trailing blanks that tables add.
    text = "\n".join(text.rstrip() for text in captured.get().split("\n"))
    console.out(text.rstrip("\n"), highlight=False)


class _Outcome:
    """The printed result of a run, in one language."""

    def __init__(self, summary: Summary, language: Language, console: Console) -> None:
        self._summary = summary
        self._language = language
        self._console = console
        self._verbose, self._most = False, MAX_NAMES

    def rendered(self, verbosity: Verbosity) -> RenderableType:
        """Assemble the output."""
        if verbosity is Verbosity.QUIET:
            on_clients = verdict_on_clients(self._summary.run, self._language)
            missed = missed_in_words(self._summary.run)
            last_lines = [on_clients] if on_clients else []
            last_lines += [Text(self._of(missed))] if missed else []
            return Group(*self._verdict_and_reason(), *last_lines)
        self._verbose = verbosity is Verbosity.VERBOSE
        self._most = len(self._summary.rows) if self._verbose else MAX_NAMES
        used = clients(self._summary.run, self._language, verbose=self._verbose)
        is_for_clients = bool(self._summary.run.header.profiles)
        states = None if is_for_clients and not self._verbose else self._states()
        head = [self._verdict(), used if is_for_clients else None, states, self._undocumented()]
        wanted = objectives(self._summary.run, self._language)
        last = None if is_for_clients else used
        before = Group(Text(), *(block for block in head if block is not None))
        if self._verbose:
            rest = [self._every_finding(), wanted, last, self._gaps()]
        else:
            below = self._gaps_counted()
            blocks_shown = [block for block in (before, wanted, last, below) if block]
            heights = [height_of(block, self._console) for block in blocks_shown]
            rest = [self._causes(MAX_LINES - sum(heights) - 2), wanted, last, below]
        return Group(before, *(block for block in rest if block is not None))

    def _of(self, words: Words) -> str:
        return words.of(self._language)

    def _verdict(self) -> RenderableType:
        summary, header = self._summary, self._summary.run.header
        facts = _FACTS.format(
            url=line(header.base_url),
            model=line(header.model),
            contract=line(header.contract),
            cost=summary.cost_in_words,
            took=duration(summary.elapsed),
        )
        result = self._verdict_and_reason()
        notes = (summary.judged_again, summary.taken_up)
        result.extend(Text(line(self._of(note))) for note in notes if note)
        for told in summary.notes:
            worded = _NOTE.format(note=cut(line(self._of(told)), MAX_VALUE_CHARS))
            result.append(marked(self._of(worded)))
        counts = [self._counts()] if summary.tally and not self._could_not_begin else []
        return Group(*result, Text(self._of(facts), style="dim"), *counts)

    def _verdict_and_reason(self) -> list[Text]:
        """Return the verdict and, on a line of its own, why the run ended early, if it did."""
        because = self._summary.because
        reason = [Text(cut(line(self._of(because)), MAX_VALUE_CHARS))] if because else []
        return [self._verdict_line(), *reason]

    def _verdict_line(self) -> Text:
        headline = _HEADLINE.format(headline=self._summary.headline)
        return Text.assemble(
            (self._of(headline), CONCLUSIONS[self._summary.conclusion]),
            marked(self._of(self._summary.sentence)),
        )

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
                of_state = [row for row in rows if row.subject.kind == kind and row.state is state]
                for expected in (False, True):
                    alike = [row for row in of_state if row.is_expected is expected]
                    if not alike:
                        continue
                    names = line(", ".join(row.subject.name for row in alike))
                    listed = Text.assemble((noun, "dim"), names)
                    if kind == "field" and state in _CALM_STATES and len(alike) > self._most:
                        listed = Text(self._of(counted(len(alike), FIELD)), style="dim")
                    lesser = all(row.is_lesser for row in alike)
                    mark = Text(self._state(state), style=LESSER_STYLE if lesser else style)
                    if expected:
                        _, known_style = VERDICT_MARKS[Verdict.EXPECTED]
                        mark = Text(f"{self._state(state)}{self._of(_KNOWN)}", style=known_style)
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

    def _causes(self, room: int) -> RenderableType | None:
        """Show a block per cause, as many as there is room for."""
        shown = blocks(self._summary, self._console, self._language, room)
        return _titled(self._of(_FINDINGS), Group(*shown)) if shown else None

    def _every_finding(self) -> RenderableType | None:
        """Show every finding that needs attention with its evidence and what follows from it."""
        summary = self._summary
        if not summary.troubles:
            return None
        table = Table.grid(padding=(0, 2))
        for finding in summary.troubles:
            table.add_row(
                self._verdict_of(finding), details(case_of(summary, finding), self._language)
            )
            for consequence in summary.explained_by(finding):
                shown = follows(case_of(summary, consequence), self._language)
                table.add_row(self._verdict_of(consequence), shown)
        return _titled(self._of(_FINDINGS), table)

    def _verdict_of(self, finding: Finding) -> Text:
        mark, style = VERDICT_MARKS[finding.shown]
        return Text(f"{mark} {self._of(VERDICTS[finding.shown])}", style=style)

    def _gaps_counted(self) -> RenderableType | None:
        """Count what was not verified, in one line."""
        if not self._summary.gaps or self._could_not_begin:
            return None
        parts = [f"{len(gap.left_open)} {self._of(gap.why)}" for gap in self._summary.gaps]
        listed = self._of(_COMMA).join(parts)
        return Group(
            Text(),
            Text.assemble((self._of(_NOT_VERIFIED), "bold"), self._of(_COLON), listed),
        )

    def _gaps(self) -> RenderableType | None:
        # After a failed preflight the verdict already says why.
        if not self._summary.gaps or self._could_not_begin:
            return None
        result: list[RenderableType] = []
        for gap in self._summary.gaps:
            result.append(Text(f"{len(gap.left_open)} {self._of(gap.why)}"))
            reasons = [(reason, names) for reason, names in gap.reasons.items() if reason.en]
            for reason, names in reasons:
                which = line(self._of(listing(names, MAX_NAMES)))
                cause = marked(cut(self._of(reason), MAX_VALUE_CHARS))
                why = Text.assemble(f"{which}{self._of(_COLON)}", cause, style="dim")
                result.append(Padding(why, (0, 0, 0, 2)))
        return _titled(self._of(_NOT_VERIFIED), Group(*result))


_CALM_STATES = frozenset({State.HONOURED, State.ACCEPTED, State.UNTESTED})
"""States whose response fields are only counted, unless there are few."""

_HEADLINE = Words("{headline}. ", "{headline}。")
_FACTS = Words(
    "{url}, {model}, contract {contract}; {cost}; {took}",
    "{url}，{model}，契约 {contract}；{cost}；用时 {took}",
)
_NOTE = Words("Note: {note}", "提示：{note}")
_COMMA = Words(", ", "，")
_COLON = Words(": ", "：")
_KNOWN = Words(" (expected)", "（已知）")
_FIELDS = Words("fields: ", "字段：")
_STATES = Words("Parameters and response fields", "参数与响应字段")
_UNDOCUMENTED = Words(
    "Not documented by {document} (informational)", "{document} 文档未提及（仅供参考）"
)
_FINDINGS = Words("Findings", "发现")
_NOT_VERIFIED = Words("Not verified", "未验证")


def _titled(title: str, body: RenderableType) -> RenderableType:
    return Group(Text(), Text(title, style="bold"), Indented(body, 2))
