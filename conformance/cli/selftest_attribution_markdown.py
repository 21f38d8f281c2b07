"""The result of ``conformance selftest --attribution`` as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from conformance.report.markdown import code, escape
from conformance.selftest.attribution import Figures, RunResult, false_positives
from conformance.selftest.told import Told, told_in

HEADS = (
    "faults",
    "runs",
    "true findings",
    "findings per cause",
    "faults reported",
    "false states",
    "commands that show it",
)


def render(
    groups: Mapping[str, Figures], results: Sequence[RunResult], complaints: Sequence[str]
) -> str:
    """Write the totals, then what is false, not reported, told twice or not shown, by name.

    Args:
        groups: the figures of the single faults, the pairs and the fives, by name.
        results: the runs.
        complaints: what is wrong, one sentence per reason.
    """
    return "\n".join(_lines(groups, results, complaints)).rstrip("\n") + "\n"


def _lines(
    groups: Mapping[str, Figures], results: Sequence[RunResult], complaints: Sequence[str]
) -> Iterator[str]:
    yield from (f"- {escape(complaint)}" for complaint in complaints)
    if not complaints:
        yield "Every finding names its cause, and its command shows it."
    yield f"\n| {' | '.join(HEADS)} |"
    yield f"|{'---|' * len(HEADS)}"
    told = (told_in(of_one_size) for of_one_size in _by_size(results))
    for (name, figures), often in zip(groups.items(), told, strict=True):
        yield f"| {' | '.join((name, *_cells(figures, often)))} |"
    yield from _named(
        "False positives",
        (f"{code(check)}: {_codes(names)}" for check, names in false_positives(results)),
    )
    yield from _named(
        "Reported by no finding",
        (
            f"{code(trial.name)} in {code(run.planting.name)}"
            for run in results
            for trial in run.unreported
        ),
    )
    yield from _named(
        "Told more than once",
        (
            f"{code(one.name)}: {one.findings} findings for {one.causes}"
            for one in told_in(results).repeated
        ),
    )
    yield from _named(
        "Not shown by its command",
        (
            f"{code(claim.check)} of {code(run.planting.name)}"
            for run in results
            for claim in run.findings
            if claim.reproduced is False
        ),
    )


def _by_size(results: Sequence[RunResult]) -> Iterator[list[RunResult]]:
    """Yield the runs with one fault, then those with two, then those with five."""
    for size in sorted({len(run.planting.trials) for run in results}):
        yield [run for run in results if len(run.planting.trials) == size]


def _cells(figures: Figures, told: Told) -> Iterator[str]:
    yield f"{figures.runs:,}"
    yield f"{figures.true:,} of {figures.findings:,} ({100 * figures.precision:.1f} %)"
    yield f"{told.per_cause:.2f}"
    yield f"{figures.reported:,} of {figures.planted:,}"
    yield f"{figures.false_states:,} of {figures.states:,}"
    yield f"{figures.reproduced:,} of {figures.commands:,}"


def _named(title: str, entries: Iterable[str]) -> Iterator[str]:
    listed = [f"- {entry}" for entry in entries]
    if listed:
        yield f"\n### {title}\n"
        yield from listed


def _codes(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))
