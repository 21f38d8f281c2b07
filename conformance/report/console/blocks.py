"""The findings of a run on one screen: a block a cause, and the rest counted."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.report import causes
from conformance.report.case import case_of
from conformance.report.console.styles import MAX_NAMES, VERDICT_MARKS, marked
from conformance.report.console.unwrapped import Indented, height_of, unwrapped
from conformance.report.locale.finding_text import finding_text
from conformance.report.locale.terms import FINDING, VERDICTS, counted, listing
from conformance.report.sanitize import line
from conformance.report.summary import Summary

WRAPPED_COMMANDS = 2
"""On a narrow screen, only the first blocks have a command of several lines."""

MAX_COMMAND_LINES = 4
"""A longer command is only in the report."""


def blocks(
    summary: Summary,
    console: Console,
    language: Language,
    room: int,
    *,
    commands: bool = True,
) -> Sequence[RenderableType]:
    """Write one block per cause: what was found, how often, and a command that shows it.

    Args:
        summary: the run.
        console: where it is printed, for its width.
        language: the language.
        room: how many lines there are; causes that do not fit are counted in the last one.
        commands: whether to show commands.
    """
    groups = causes.groups_of(summary)
    shown: list[RenderableType] = []
    for place, group in enumerate(groups):
        most = MAX_COMMAND_LINES if place < WRAPPED_COMMANDS else 1
        block = _block(summary, group, console, language, most if commands else 0)
        last = place == len(groups) - 1
        height = height_of(block, console)
        if shown and height + (0 if last else 1) > room:
            left = groups[place:]
            findings = counted(causes.count_findings(left), FINDING)
            more = _MORE.format(n=len(left), findings=findings).of(language)
            shown.append(Text(more, style="dim"))
            break
        shown.append(block)
        room -= height
    return shown


def _block(
    summary: Summary, group: causes.Group, console: Console, language: Language, most: int
) -> RenderableType:
    worst = group.worst
    mark, style = VERDICT_MARKS[worst.verdict]
    verdict = VERDICTS[worst.verdict].of(language)
    told = Text.assemble(
        (f"{mark} {verdict}  ", style), marked(_sentence_of(summary, group).of(language))
    )
    names = [line(finding.id) for finding in group.findings]
    often = (_OFTEN if group.subject else _OFTEN_OF_ALL).format(
        findings=counted(len(names), FINDING),
        subject=f"`{line(group.subject)}`",
        names=listing(names, MAX_NAMES),
    )
    counted_line = marked(often.of(language))
    counted_line.stylize("dim")
    below: list[RenderableType] = [counted_line]
    command = case_of(summary, worst).command if most else None
    if command is not None:
        one_line = unwrapped(command.replace(" \\\n  ", " "), style="cyan")
        if height_of(Indented(one_line, 6), console) <= most:
            below.append(one_line)
    return Group(told, Indented(Group(*below), 4))


def _sentence_of(summary: Summary, group: causes.Group) -> Words:
    return summary.sentence_of(group.worst) if group.subject else finding_text(group.worst.message)


_OFTEN_OF_ALL = Words("{findings}: {names}", "{findings}：{names}")
_OFTEN = Words("{findings} about {subject}: {names}", "{findings}，关于 {subject}：{names}")
_MORE = Words("and {n} more ({findings}): see the report", "还有 {n} 处（{findings}）：见报告")
