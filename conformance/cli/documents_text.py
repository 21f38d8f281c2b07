"""Results for the vendors' pages in a terminal: an overview, then each page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.cli.terminal import show as put
from conformance.docs_audit.contradictions import Disagreement, Row, Section
from conformance.docs_audit.results import Examined, Finding, Outcome, Replayed, Severity
from conformance.report.console import marked
from conformance.report.locale.terms import plural
from conformance.report.sanitize import cut, line

OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.MET: ("✓", "green"),
    Outcome.NOT_MET: ("✗", "bold red"),
    Outcome.NOT_RUN: ("○", "yellow"),
}
SEVERITIES: dict[Severity, tuple[str, str]] = {
    Severity.DEFECT: ("✗", "red"),
    Severity.GAP: ("…", "yellow"),
}
KINDS: dict[Disagreement, tuple[str, str]] = {
    Disagreement.CONTRADICTION: ("≠", "red"),
    Disagreement.SILENCE: ("…", "dim"),
}
MAX_VALUE_CHARS = 240
"""Characters of one value from an endpoint."""
WIDEST_TOPIC = 18
"""Minimum width of the topic column in a narrow terminal."""


def show(
    examined: Sequence[Examined], sections: tuple[Section, ...] | None, console: Console
) -> None:
    """Print the result.

    Rows in which some documents are merely silent are shown only if no other part ran.
    """
    parts = [one for one in examined if one.findings is not None or one.replays is not None]
    if parts:
        put(_overview(parts), console)
        for one in parts:
            for fragment in _page(one):
                put(fragment, console)
    if sections is not None:
        for fragment in _contradictions(sections, silences=not parts):
            put(fragment, console)


def _overview(examined: Sequence[Examined]) -> RenderableType:
    replayed = any(one.replays is not None for one in examined)
    linted = any(one.findings is not None for one in examined)
    table = Table.grid(padding=(0, 3))
    table.add_column()
    heads = ["page"]
    for head in [*(Outcome if replayed else ()), *(Severity if linted else ())]:
        table.add_column(justify="right")
        heads.append(f"{head.value}s" if isinstance(head, Severity) else head.value)
    table.add_row(*(Text(head, style="dim") for head in heads))
    for one in examined:
        cells = [Text(line(one.page.document), style="bold")]
        cells += [_counted(one.count(o), OUTCOMES[o][1]) for o in Outcome if replayed]
        cells += [_counted(one.count(s), SEVERITIES[s][1]) for s in Severity if linted]
        table.add_row(*cells)
    return table


def _counted(count: int, style: str) -> Text:
    return Text(str(count), style=style if count else "dim")


def _page(one: Examined) -> Iterator[RenderableType]:
    yield Text.assemble("\n", (line(one.page.document), "bold"), f"  {line(one.page.title)}")
    if one.replays is not None:
        yield Padding(Text(f"Examples, sent to {line(one.against)}", style="dim"), (0, 0, 0, 2))
        for replayed in one.replays:
            yield Padding(_replayed(replayed), (0, 0, 0, 2))
    if one.findings:
        yield Padding(Text("Findings", style="dim"), (0, 0, 0, 2))
    for same in _by_rule(one.findings or ()):
        yield Padding(_findings(same), (0, 0, 0, 2))
    if one.findings == ():
        yield Padding(Text("No findings", style="dim"), (0, 0, 0, 2))


def _replayed(replayed: Replayed) -> RenderableType:
    mark, style = OUTCOMES[replayed.outcome]
    head = Text.assemble(
        (f"{mark} {replayed.outcome.value}  ", style),
        line(replayed.example),
        (f"  {line(replayed.client)}{_expected(replayed)}", "dim"),
    )
    result: list[RenderableType] = []
    if replayed.reason:
        result.append(Text(cut(line(replayed.reason), MAX_VALUE_CHARS), style="dim"))
    if replayed.note:
        result.append(Text(cut(line(replayed.note), MAX_VALUE_CHARS), style="dim"))
    for unmet in replayed.unmet:
        result.append(Text(line(unmet.expectation)))
        result.append(_pairs({"expected": unmet.expected, "actual": unmet.seen}))
    return Group(head, *(Padding(fragment, (0, 0, 0, 4)) for fragment in result))


def _expected(replayed: Replayed) -> str:
    """Count the expectations of an example that was sent."""
    count = len(replayed.met) + len(replayed.unmet)
    return f", {plural(count, 'expectation')}" if count else ""


def _by_rule(findings: Sequence[Finding]) -> Iterable[list[Finding]]:
    """Group findings with the same rule and fix, in order of first occurrence."""
    rules: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        rules.setdefault((finding.rule, finding.fix), []).append(finding)
    return rules.values()


def _findings(same: Sequence[Finding]) -> RenderableType:
    """Show one rule's findings, with the common fix once at the end."""
    mark, style = SEVERITIES[same[0].severity]
    head = Text.assemble((f"{mark} {same[0].severity.value}  ", style), (same[0].rule, "bold"))
    result = Table.grid(padding=(0, 1))
    for finding in same:
        result.add_row(Text("where", style="dim"), Text(line(finding.place), style="bold"))
        result.add_row(Text("text", style="dim"), Text(cut(line(finding.written), MAX_VALUE_CHARS)))
        result.add_row(Text("problem", style="dim"), marked(cut(finding.wrong, MAX_VALUE_CHARS)))
    result.add_row(Text("fix", style="dim"), marked(same[0].fix))
    return Group(head, Padding(result, (0, 0, 0, 4)))


def _pairs(values: Mapping[str, str]) -> Table:
    table = Table.grid(padding=(0, 1))
    for name, text in values.items():
        table.add_row(Text(name, style="dim"), Text(cut(line(text), MAX_VALUE_CHARS)))
    return table


def _contradictions(sections: Sequence[Section], *, silences: bool) -> Iterator[RenderableType]:
    yield Text("\nWhere the documents disagree", style="bold")
    hidden = 0
    for section in sections:
        rows = [r for r in section.rows if silences or r.kind is Disagreement.CONTRADICTION]
        hidden += len(section.rows) - len(rows)
        if rows:
            yield Padding(Text(section.title, style="bold dim"), (1, 0, 0, 2))
            body = _in_words(rows) if section.in_words else _side_by_side(rows)
            yield Padding(body, (0, 0, 0, 2))
    if hidden:
        result = plural(hidden, "more row")
        words = f"and {result} in which some documents are silent; --only contradictions shows all"
        yield Padding(Text(words, style="dim"), (1, 0, 0, 2))


def _side_by_side(rows: Sequence[Row]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(overflow="fold", min_width=min(WIDEST_TOPIC, _widest(rows)))
    names = list(rows[0].says)
    for name in names:
        table.add_column(overflow="fold", min_width=len(name))
    table.add_row(Text(""), *(Text(line(name), style="dim") for name in names))
    for row in rows:
        mark, style = KINDS[row.kind]
        topic = Text.assemble((f"{mark} ", style), line(row.topic))
        table.add_row(topic, *(Text(line(row.says[name])) for name in names))
    return table


def _widest(rows: Sequence[Row]) -> int:
    return max(len(f"≠ {row.topic}") for row in rows)


def _in_words(rows: Sequence[Row]) -> RenderableType:
    result: list[RenderableType] = []
    for row in rows:
        mark, style = KINDS[row.kind]
        result.append(Text.assemble((f"{mark} ", style), line(row.topic)))
        table = Table.grid(padding=(0, 2))
        for name, words in row.says.items():
            table.add_row(Text(line(name), style="dim"), Text(line(words)))
        result.append(Padding(table, (0, 0, 0, 4)))
    return Group(*result)
