"""The findings of a run on one screen: a block a cause, and the rest counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from conformance.language import Language, same
from conformance.language import Text as Words
from conformance.report import causes
from conformance.report.case import case_of
from conformance.report.console.styles import MAX_NAMES, VERDICT_MARKS, marked
from conformance.report.console.unwrapped import Indented, height_of, unwrapped
from conformance.report.locale.finding_text import finding_text
from conformance.report.locale.terms import (
    FINDING,
    MORE_FINDINGS,
    VERDICTS,
    counted,
    listing,
)
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
    root = group.lead.root
    mark, style = VERDICT_MARKS[root.shown]
    verdict = VERDICTS[root.shown].of(language)
    told = Text.assemble(
        (f"{mark} {verdict}  ", style), marked(_sentence_of(summary, group).of(language))
    )
    case = case_of(summary, root)
    below: list[RenderableType] = [_dim(_names_of(group), language)]
    if case.known is not None:
        below.append(_dim(case.known, language))
    # What is known needs no reproducing.
    command = case.command if most and case.known is None else None
    if command is not None:
        forms = _shortened(command, is_enough=case.caution is None)
        shown = (unwrapped(one, style="cyan") for one in forms)
        fitting = (one for one in shown if height_of(Indented(one, 6), console) <= most)
        below += [one for one in [next(fitting, None)] if one is not None]
    if group.others:
        below.append(_dim(_apart(group), language))
    return Group(told, Indented(Group(*below), 4))


def _shortened(command: str, *, is_enough: bool) -> Iterator[str]:
    """Yield a command, each request on one line; of several requests then only the first one.

    Its comment stays where it says that the request may not show the finding.
    """
    requests = command.replace(" \\\n  ", " ").split("\n\n")
    yield "\n\n".join(requests)
    if len(requests) > 1:
        rows = requests[0].splitlines()
        yield "\n".join(row for row in rows if not (is_enough and row.startswith("#")))


def _dim(words: Words, language: Language) -> Text:
    text = marked(words.of(language))
    text.stylize("dim")
    return text


def _names_of(group: causes.Group) -> Words:
    """Name the finding that is shown, and those that follow from it or have the same reason."""
    lead = group.lead
    if group.alike:
        named = [line(finding.id) for finding in (lead.root, *group.alike)]
        return _CROWD.format(findings=counted(len(named), FINDING), names=_listed(named))
    if not lead.explained:
        return same(line(lead.root.id))
    named = [line(finding.id) for finding in lead.explained]
    return _EXPLAINS.format(
        root=line(lead.root.id), findings=counted(len(named), FINDING), names=_listed(named)
    )


def _apart(group: causes.Group) -> Words:
    """Count the other findings about the subject, which are not said to have the same cause."""
    named = [line(cause.root.id) for cause in group.others]
    explained = sum(len(cause.explained) for cause in group.others)
    more = _EXPLAINING.format(n=explained) if explained else same("")
    return _APART.format(
        findings=counted(len(named), MORE_FINDINGS),
        subject=f"`{line(group.lead.root.subject)}`",
        names=_listed(named),
        more=more,
    )


def _listed(names: Sequence[str]) -> Words:
    return listing(names, MAX_NAMES)


def _sentence_of(summary: Summary, group: causes.Group) -> Words:
    root = group.lead.root
    return finding_text(root.message) if group.alike else summary.sentence_of(root)


_CROWD = Words("{findings}: {names}", "{findings}：{names}")
_EXPLAINS = Words("{root}; explains {findings}: {names}", "{root}；由此导致 {findings}：{names}")
_APART = Words(
    "{findings} about {subject}, not traced to this one: {names}{more}",
    "另有 {findings}涉及 {subject}，未归因于此：{names}{more}",
)
_EXPLAINING = Words(" (with {n} explained)", "（另有 {n} 项由此导致）")
_MORE = Words("and {n} more ({findings}): see the report", "还有 {n} 处（{findings}）：见报告")
