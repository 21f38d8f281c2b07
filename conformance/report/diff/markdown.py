"""``compare.md``: a short comparison for the page of a CI job."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.language import Language, Text
from conformance.report.diff.differences import Differences
from conformance.report.diff.sections import (
    EXPECTED,
    NOW,
    THEN,
    Section,
    evidence_of,
    lines_of,
    measured_on,
    sections_of,
    title_of,
)
from conformance.report.locale.terms import STATES, VERDICTS
from conformance.report.markdown import code, escape, prose

MAX_FINDINGS_LISTED = 50
"""Maximum number of checks listed per section; CI pages truncate long summaries."""

_CHECK, _VERDICT = Text("check", "检查"), Text("verdict", "判定")
_NAME, _STATE = Text("name", "名称"), Text("state", "状态")
_MORE = Text("{count} more in the HTML and JSON files.", "另有 {count} 项，见 HTML 与 JSON 文件。")


def render(result: Differences, language: Language) -> str:
    """Write the comparison as GitHub-flavoured Markdown, in one language."""
    return "\n\n".join(part for part in _parts(result, language) if part) + "\n"


def _parts(result: Differences, language: Language) -> Iterator[str]:
    yield f"## {result.headline.of(language)}"
    yield prose(result.sentence.of(language))
    yield "\n".join(f"- {prose(notice.of(language))}" for notice in result.notices)
    for section in sections_of(result):
        yield f"### {section.title.of(language)} ({len(section.changes)})"
        yield _table(section, language) if section.is_reported else _names(section, language)
    yield _states(result, language)
    yield _figures(result, language)
    measured = measured_on(result)
    yield measured.of(language) if measured else ""


def _turn(*words: str) -> str:
    return " → ".join(words)


def _table(section: Section, language: Language) -> str:
    heads = [column.of(language) for column in (_VERDICT, _CHECK, EXPECTED, THEN, NOW)]
    rows = [f"| {' | '.join(heads)} |", "| --- | --- | --- | --- | --- |"]
    for changed in section.changes[:MAX_FINDINGS_LISTED]:
        verdicts = [VERDICTS[one.shown].of(language) for one in (changed.was, changed.now) if one]
        said = dict(evidence_of(changed))
        cells = [
            code(said[name].of(language)) if name in said else "" for name in (EXPECTED, THEN, NOW)
        ]
        title = prose(title_of(changed.finding).of(language))
        check = f"{code(changed.finding.id)}<br>{title}"
        rows.append(f"| {_turn(*verdicts)} | {check} | {' | '.join(cells)} |")
    return _with_rest("\n".join(rows), section, language)


def _names(section: Section, language: Language) -> str:
    names = ", ".join(code(changed.finding.id) for changed in section.changes[:MAX_FINDINGS_LISTED])
    return _with_rest(names, section, language)


def _with_rest(text: str, section: Section, language: Language) -> str:
    left = len(section.changes) - MAX_FINDINGS_LISTED
    return f"{text}\n\n{_MORE.of(language).format(count=left)}" if left > 0 else text


def _states(result: Differences, language: Language) -> str:
    if not result.turned:
        return ""
    rows = [f"| {_NAME.of(language)} | {_STATE.of(language)} |", "| --- | --- |"]
    for turned in result.turned:
        states = _turn(*(STATES[state].of(language) for state in (turned.was, turned.now)))
        rows.append(f"| {code(turned.name)} | {states} |")
    return "\n".join(rows)


def _figures(result: Differences, language: Language) -> str:
    rows = [f"| | {THEN.of(language)} | {NOW.of(language)} | |", "| --- | ---: | ---: | ---: |"]
    for figure in lines_of(result):
        cells = (figure.name, figure.was, figure.now)
        reported_of = " | ".join(escape(cell.of(language)) for cell in cells)
        rows.append(f"| {reported_of} | {figure.by} |")
    return "\n".join(rows)
