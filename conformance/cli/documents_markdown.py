"""Results for the vendors' pages as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from conformance.docs_audit.contradictions import Disagreement, Section
from conformance.docs_audit.results import Examined, Finding, Outcome, Replayed, Severity
from conformance.report.markdown import code, escape, prose

OUTCOMES = {Outcome.MET: "✅", Outcome.NOT_MET: "❌", Outcome.NOT_RUN: "▫️"}
KINDS = {Disagreement.CONTRADICTION: "≠", Disagreement.SILENCE: "…"}


def render(examined: Sequence[Examined], sections: tuple[Section, ...] | None) -> str:
    """Write the result; parts that did not run are omitted."""
    parts: list[str] = []
    result = [one for one in examined if one.findings is not None or one.replays is not None]
    if result:
        parts.append("# Documentation\n")
        parts.extend(_overview(result))
        for one in result:
            parts.append(f"\n## {escape(one.page.document)}: {escape(one.page.title)}\n")
            if one.replays is not None:
                parts.extend([*_replays(one, one.replays), ""])
            if one.findings is not None:
                parts.extend([*_findings(one.findings), ""])
    if sections is not None:
        parts.extend(_contradictions(sections))
    return "\n".join(parts).rstrip("\n") + "\n"


def _overview(examined: Sequence[Examined]) -> Iterator[str]:
    replayed = any(one.replays is not None for one in examined)
    linted = any(one.findings is not None for one in examined)
    kinds = [*(Outcome if replayed else ()), *(Severity if linted else ())]
    heads = [f"{kind.value}s" if isinstance(kind, Severity) else kind.value for kind in kinds]
    rows = [
        [escape(one.page.document), *(str(one.count(kind)) for kind in kinds)] for one in examined
    ]
    return _table(["page", *heads], rows)


def _replays(one: Examined, replays: Sequence[Replayed]) -> Iterator[str]:
    yield f"### Examples, sent to {escape(one.against)}\n"
    rows = [
        [
            f"{OUTCOMES[r.outcome]} {r.outcome.value}",
            escape(r.example),
            escape(r.client),
            "<br>".join(_remarks(r)),
        ]
        for r in replays
    ]
    yield from _table(["", "example", "client", ""], rows)


def _remarks(replayed: Replayed) -> Iterator[str]:
    if replayed.reason:
        yield escape(replayed.reason)
    if replayed.note:
        yield escape(replayed.note)
    for unmet in replayed.unmet:
        what, expected, seen = escape(unmet.expectation), code(unmet.expected), code(unmet.seen)
        yield f"{what}: expected {expected}, actual {seen}"


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    yield "### Findings\n"
    if not findings:
        yield "None."
    for finding in findings:
        yield f"- **{escape(finding.place)}** ({finding.severity.value}, `{finding.rule}`)"
        yield f"  - text: {code(finding.written)}"
        yield f"  - problem: {prose(finding.wrong)}"
        yield f"  - fix: {prose(finding.fix)}"
        yield f"  - {prose(finding.says_zh)}{prose(finding.fix_zh)}"


def _contradictions(sections: Iterable[Section]) -> Iterator[str]:
    yield "# Where the documents disagree\n"
    yield (
        "Generated from `spec/` by `conformance documents --only contradictions --format "
        "markdown`; do not edit. ≠: documents contradict each other. …: the documents that mention "
        "it agree, the others are silent. –: not applicable to this document."
    )
    for section in sections:
        yield f"\n## {escape(section.title)}\n"
        names = list(section.rows[0].says)
        rows = (
            [KINDS[row.kind], code(row.topic), *(escape(row.says[name]) for name in names)]
            for row in section.rows
        )
        yield from _table(["", "", *names], rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
