"""Build the matrix from runs; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from conformance.language import Text, join_texts
from conformance.model import Common, Conclusion, Finding, Run, Verdict
from conformance.record.conclusions import JUDGED, conclude, conclude_early
from conformance.report.headline import cut_short_of, headline_of
from conformance.report.locale.terms import HEADLINES, Noun, counted
from conformance.report.matrix.records import Cell, Check, Matrix, Recorded, Row, Subject
from conformance.report.summary import Summary
from conformance.report.summary_rows import Row as SubjectRow

NOT_RUN = Text("Not run", "未运行")
TARGET = Noun("target", "targets", "{n} 个目标")

_NO_RUN_OF_DOCUMENT = Text("No run used this document's contract.", "没有使用此文档契约的运行。")
_UNSEEN = frozenset({Verdict.EXPLAINED, Verdict.SKIPPED})
"""Verdicts that say nothing about a parameter or field."""

_WORST_FIRST = (
    Conclusion.NOT_CONFORMING,
    Conclusion.INCOMPLETE,
    Conclusion.UNDECIDED,
    Conclusion.NOTHING_RAN,
    Conclusion.AS_EXPECTED,
    Conclusion.CONFORMING,
)
_CALM = frozenset({Conclusion.CONFORMING, Conclusion.NOTHING_RAN})


def matrix_of(
    recorded: Iterable[Recorded], documents: Sequence[str], common: Common | None = None
) -> Matrix:
    """Build one table from runs.

    Args:
        recorded: the runs, in the order of their rows.
        documents: names of documents that always get a row, even without a run.
        common: what documents promise alike, to compare the runs by that, too; None for no such
            comparison.
    """
    given = tuple(recorded)
    known = {_document_of(one) for one in given}
    missing = (
        Recorded(document, document=document, because=_NO_RUN_OF_DOCUMENT)
        for document in documents
        if document not in known
    )
    rows = (
        *(_by_common(_row(one), one.run, common) for one in given),
        *(replace(_row(one), is_asked=False) for one in missing),
    )
    runs = [one.run for one in given if one.run is not None]
    parameters, fields = (_names(runs, rows, kind) for kind in ("parameter", "field"))
    return Matrix(
        rows=rows,
        parameters=parameters,
        fields=fields,
        subjects=tuple(_subjects(runs, (*parameters, *fields))),
        sentence=_sentence([row for row in rows if row.is_asked] or rows),
        shared=common.documents if common and any(row.common for row in rows) else (),
    )


def _document_of(one: Recorded) -> str:
    return one.run.header.document if one.run else one.document


def _row(one: Recorded) -> Row:
    if one.run is None:
        return Row(
            name=one.name,
            page=None,
            base_url=one.base_url,
            model=one.model,
            contract=one.document,
            document=one.document,
            conclusion=None,
            headline=NOT_RUN,
            sentence=NOT_RUN,
            because=one.because,
        )
    summary, header = Summary(one.run), one.run.header
    reason = summary.because or one.because
    return Row(
        name=one.name,
        page=one.page,
        base_url=header.base_url,
        model=header.model,
        contract=header.contract,
        document=header.document,
        conclusion=summary.conclusion,
        headline=summary.headline,
        sentence=summary.sentence,
        because=reason,
        tier=header.tier.value,
        strict=header.strict,
        started_at=header.started_at,
        suite_version=header.suite_version,
        elapsed=summary.elapsed,
        cost=summary.cost,
        cost_in_words=summary.cost_in_words,
        money=summary.money,
        cells={row.subject.name: _cell(row) for row in summary.rows},
        verdicts={finding.id: finding.shown for finding in one.run.findings},
    )


def _by_common(row: Row, run: Run | None, common: Common | None) -> Row:
    """Add the states and the conclusion by the promises alone that all documents make."""
    if run is None or common is None:
        return row
    findings = tuple(f for f in run.findings if f.requirement in common.requirements)
    shown = Summary(replace(run, findings=findings)).rows
    judged = sum(finding.verdict in JUDGED for finding in findings)
    # A run that was not completed has not been completed by this contract either.
    cut_short = run.footer is None or run.footer.because is not None
    concluded = conclude_early if cut_short else conclude
    left = tuple(finding for finding in findings if finding.expectation is None)
    conclusion = concluded(left, strict=run.header.strict) if judged else None
    if conclusion in _CALM and len(left) < len(findings):
        conclusion = Conclusion.AS_EXPECTED
    limits = cut_short_of(run.header, [(finding.verdict, finding.message) for finding in findings])
    return replace(
        row,
        common={
            one.subject.name: _cell(one) for one in shown if one.subject.name in common.subjects
        },
        common_conclusion=conclusion,
        common_headline=headline_of(conclusion, limits, judged) if conclusion else _NOT_TESTED,
    )


def _cell(row: SubjectRow) -> Cell:
    # Findings are sorted worst first.
    worst = row.troubles[0].id if row.troubles else None
    seen = any(finding.verdict not in _UNSEEN for finding in row.findings)
    return Cell(
        row.state, row.subject.documented, seen, worst, row.is_lesser, is_expected=row.is_expected
    )


def _names(runs: Sequence[Run], rows: Sequence[Row], kind: str) -> tuple[str, ...]:
    """Return the names of one kind in the order of the contracts, without empty columns."""
    result = {
        name for row in rows for name, cell in row.cells.items() if cell.documented or cell.seen
    }
    named = (s.name for run in runs for s in run.header.subjects if s.kind == kind)
    return tuple(name for name in dict.fromkeys(named) if name in result)


def _subjects(runs: Sequence[Run], order: Sequence[str]) -> Iterator[Subject]:
    """Group checks by subject: subjects of the contracts first, then others."""
    about: dict[str, dict[str, Check]] = {name: {} for name in order}
    for finding in sorted((f for run in runs for f in run.findings), key=lambda f: f.id):
        about.setdefault(finding.subject, {})[finding.id] = _check(finding)
    for name, checks in about.items():
        if checks:
            yield Subject(name, tuple(checks.values()))


def _check(finding: Finding) -> Check:
    return Check(finding.id, Text(finding.title, finding.title_zh))


_NOT_TESTED = Text("Not tested", "未测试")
_IN_PART = Text("conforming in the checks that ran", "在已运行的检查中符合契约")
"""Of a run that a selection or a limit cut short."""


def _counted_as(row: Row) -> Text:
    if row.conclusion is None:
        return NOT_RUN
    is_whole = (
        row.conclusion is not Conclusion.CONFORMING or row.headline == HEADLINES[row.conclusion]
    )
    return HEADLINES[row.conclusion] if is_whole else _IN_PART


def _sentence(rows: Sequence[Row]) -> Text:
    """Count the targets, without the rows of mere documents, by conclusion in one sentence."""
    counts = Counter(_counted_as(row) for row in rows)
    result = [
        Text("{count} {words}", "{count} 个{words}").format(
            count=counts[words], words=words.mapped(str.lower)
        )
        for words in (*(HEADLINES[conclusion] for conclusion in _WORST_FIRST), _IN_PART, NOT_RUN)
        if counts[words]
    ]
    if not result:
        return Text("No runs.", "没有任何运行。")
    return Text("{targets}: {parts}.", "{targets}：{parts}。").format(
        targets=counted(len(rows), TARGET), parts=join_texts(result, Text(", ", "，"))
    )
