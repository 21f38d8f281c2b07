"""A finding in a terminal with all of its evidence."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from conformance.language import Language
from conformance.language import Text as Words
from conformance.report.case import Case
from conformance.report.console.styles import MAX_VALUE_CHARS, marked
from conformance.report.locale.terms import LEVELS
from conformance.report.sanitize import cut, line
from conformance.report.text_diff import Segments


def details(case: Case, language: Language) -> RenderableType:
    """Show a finding: its sentence, the values, the source, the likely cause and the fix."""
    finding = case.finding
    level = f"  {LEVELS[finding.level].of(language)}"
    result: list[RenderableType] = [
        Text.assemble((line(finding.id), "bold"), (level, "dim")),
        marked(case.summary.sentence_of(finding).of(language)),
    ]
    if finding.expected is None and finding.seen is None and finding.message:
        message = cut(line(case.message.of(language)), MAX_VALUE_CHARS)
        result.append(Text(message, style="dim"))
    table = Table.grid(padding=(0, 1))
    for name, text in _evidence(case, language):
        table.add_row(Text(name.of(language), style="dim"), text)
    return Group(*result, table)


def follows(case: Case, language: Language) -> RenderableType:
    """Show a finding that another one explains: its sentence, its root and why."""
    finding = case.finding
    return Group(
        Text(line(finding.id), style="bold"),
        marked(case.summary.sentence_of(finding).of(language)),
        Text(line(case.reason.of(language)), style="dim"),
    )


def _evidence(case: Case, language: Language) -> Iterator[tuple[Words, Text]]:
    """Yield labelled rows: promise, expected, actual, source, likely cause, fix."""
    if case.known is not None:
        yield _KNOWN, marked(case.known.of(language))
    yield _PROMISE, marked(case.title.of(language))
    for name, fragments in zip((_EXPECTED, _SEEN), case.compared_in(language), strict=True):
        if fragments:
            yield name, _distinguished(fragments)
    if case.likely is None or case.remedy is None:
        return
    for source in case.sources[:1]:
        promised = f"{source.document}: {source.says.of(language)}"
        yield _SOURCE, Text(cut(line(promised), MAX_VALUE_CHARS))
    yield _CAUSE, marked(case.likely.of(language))
    yield _TO_DO, marked(case.remedy.of(language))


def _distinguished(fragments: Segments) -> Text:
    """Show a value with differences emphasised, truncated if long."""
    text = Text()
    for fragment in fragments:
        text.append(line(fragment.text), style="bold underline" if fragment.differs else None)
    text.truncate(MAX_VALUE_CHARS, overflow="ellipsis")
    return text


_KNOWN = Words("known", "已知")
_PROMISE = Words("promise", "承诺")
_EXPECTED = Words("expected", "预期")
_SEEN = Words("actual", "实际")
_SOURCE = Words("source", "出处")
_CAUSE = Words("likely cause", "可能原因")
_TO_DO = Words("fix", "修复方法")
