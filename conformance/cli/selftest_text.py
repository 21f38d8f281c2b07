"""The kill matrix for a terminal: detection by area, then missed faults and false positives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from conformance.cli.selftest_summary import sentence
from conformance.cli.terminal import show as put
from conformance.report.console import VERDICT_MARKS, marked
from conformance.report.locale.terms import listed, plural
from conformance.report.sanitize import cut, line
from conformance.selftest.catalogue import Fault
from conformance.selftest.matrix import Matrix, Share
from conformance.selftest.outcome import Outcome

MAX_SENTENCE_CHARS = 200
"""Characters of one sentence."""

MAX_NAMES = 40
"""Names shown in a list; JSON contains all."""


def show(matrix: Matrix, console: Console) -> None:
    """Print the result."""
    for part in _parts(matrix):
        put(part, console)


def _parts(matrix: Matrix) -> Iterator[RenderableType]:
    if matrix.rows:
        yield _table(matrix)
    yield from _missed("Missed", matrix.missed)
    yield from _named("Expected only at the deep tier", matrix.not_yet)
    yield from _false_alarms(matrix.false_alarms)
    if matrix.unsteady:
        yield Text("\nDifferent results with different seeds", style="bold")
        for one in matrix.unsteady:
            yield Text(f"  {one.name} ({one.tier.value}): {one.what}")
    if matrix.everything and matrix.idle:
        yield Text(f"\n{plural(len(matrix.idle), 'check')} that detected no fault", style="bold")
        yield Padding(Text(listed(matrix.idle, MAX_NAMES)), (0, 0, 0, 2))
    yield Text()
    yield _prices(matrix)
    yield Text()
    yield Text(sentence(matrix))
    for complaint in matrix.complaints:
        yield Text(f"✗ {complaint}", style="bold red")
    if not matrix.complaints:
        yield Text("✓ all expected faults detected, no false positives", style="bold green")


def _table(matrix: Matrix) -> RenderableType:
    """Per area: detection at each tier without a trigger, then detection with a trigger."""
    rows, tiers = matrix.rows, matrix.tiers
    table = Table.grid(padding=(0, 3))
    table.add_column(overflow="fold")
    heads = ["area", "faults", *(tier.value for tier in tiers), "with a trigger"]
    heads += ["other failures"] if matrix.complete else []
    for _ in heads[1:]:
        table.add_column(justify="right")
    table.add_row(*(Text(head, style="dim") for head in heads))
    for row in rows:
        total = max((share.of for share in row.by_tier.values()), default=0)
        cells = [Text(row.area, style="bold" if row is rows[-1] else ""), Text(str(total))]
        cells += [_share(row.by_tier[tier]) for tier in tiers]
        cells += [_share(row.hidden)]
        cells += [] if row.besides is None else [Text(str(row.besides), style="dim")]
        table.add_row(*cells)
    return table


def _share(share: Share) -> Text:
    if not share.of:
        return Text("–", style="dim")
    style = "green" if share.found == share.of else "yellow"
    return Text(f"{share.found} of {share.of}  {share.percent:3d} %", style=style)


def _missed(title: str, outcomes: Sequence[Outcome]) -> Iterator[RenderableType]:
    """List missed faults with the findings of the checks that should detect them."""
    if not outcomes:
        return
    yield Text(f"\n{title} ({len(outcomes)})", style="bold red")
    for outcome in outcomes:
        fault = outcome.trial.shown
        assert isinstance(fault, Fault)  # noqa: S101 - nothing else is missed
        yield Text.assemble("✗ ", (line(outcome.trial.name), "bold"), f"  {_where(outcome)}")
        yield Padding(marked(fault.summary), (0, 0, 0, 4))
        yield Padding(Text(f"breaks {listed(fault.requirements)}", style="dim"), (0, 0, 0, 4))
        if outcome.because:
            yield Padding(Text(cut(line(outcome.because), MAX_SENTENCE_CHARS)), (0, 0, 0, 4))
        for remark in outcome.own:
            mark, style = VERDICT_MARKS[remark.verdict]
            head = (f"{mark} {remark.verdict.value}  ", style)
            message = f"  {cut(line(remark.message), MAX_SENTENCE_CHARS)}" if remark.message else ""
            result = Text.assemble(head, remark.check, (message, "dim"))
            yield Padding(result, (0, 0, 0, 4))


def _named(title: str, outcomes: Sequence[Outcome]) -> Iterator[RenderableType]:
    if outcomes:
        yield Text(f"\n{title} ({len(outcomes)})", style="bold")
        names = tuple(dict.fromkeys(outcome.trial.name for outcome in outcomes))
        yield Padding(Text(listed(names, MAX_NAMES)), (0, 0, 0, 2))


def _false_alarms(outcomes: Sequence[Outcome]) -> Iterator[RenderableType]:
    if not outcomes:
        return
    yield Text(f"\nFalse positives ({len(outcomes)})", style="bold red")
    for outcome in outcomes:
        yield Text.assemble("✗ ", (line(outcome.trial.name), "bold"), f"  {_where(outcome)}")
        for alarm in outcome.false_alarms:
            yield Padding(Text(cut(line(alarm), MAX_SENTENCE_CHARS)), (0, 0, 0, 4))


def _where(outcome: Outcome) -> str:
    trial = outcome.trial
    seed = f", seed {trial.seed}" if trial.seed else ""
    return f"{trial.tier.value} tier, {trial.contract} contract{seed}"


def _prices(matrix: Matrix) -> RenderableType:
    table = Table.grid(padding=(0, 3))
    heads = (
        "tier",
        "runs",
        "median requests",
        "maximum",
        "median tokens",
        "maximum",
        "seconds",
    )
    for place, _ in enumerate(heads):
        table.add_column(justify="right" if place else "left")
    table.add_row(*(Text(head, style="dim") for head in heads))
    for price in matrix.prices:
        numbers = (price.runs, *price.requests, *price.tokens)
        result = (*(f"{number:,.0f}" for number in numbers), f"{price.seconds:.1f}")
        table.add_row(price.tier.value, *result)
    return table
