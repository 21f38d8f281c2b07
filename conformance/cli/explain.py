"""``conformance explain CHECK``: the requirement, its sources and the check's code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from conformance.checks import Check
from conformance.cli import inputs
from conformance.cli.exit_codes import UserError
from conformance.cli.help import examples
from conformance.cli.options import under_contract
from conformance.cli.terminal import show
from conformance.contract import CONTRACTS, Contract
from conformance.engine.discovery import all_checks
from conformance.model import Effect, ExitCode, Requirement
from conformance.report.case import written
from conformance.report.console import console_for, marked
from conformance.report.diagnosis import cause_of
from conformance.report.summary_rows import origin


@click.command(
    epilog=examples(
        "conformance explain stop.five-refused",
        "conformance explain max-tokens.default --contract zhizengzeng",
    )
)
@click.argument("check_id", metavar="CHECK")
@under_contract
def explain(check_id: str, contract_name: str) -> ExitCode:
    """Explain a check: its requirement, sources, likely cause and code."""
    check = _find(check_id)
    chosen = inputs.contract(contract_name)
    contracts = [chosen, *(inputs.contract(name) for name in CONTRACTS if name != chosen.name)]
    requirement = chosen.requirement(check.requirement)
    console = console_for()
    needs = f"; needs {', '.join(check.needs)}" if check.needs else ""
    head = Text.assemble((check.id, "bold"), (f"  {check.tier.value} tier{needs}", "dim"))
    show(head, console)
    show(marked(check.title), console)
    show(Text(check.title_zh, style="dim"), console)
    show(_titled("Requirement", _requirement(requirement)), console)
    said = written(origin(requirement, chosen.document, chosen.subjects), requirement.subject)
    stated = _pairs((source.document, source.says.en) for source in said)
    show(_titled("Sources", stated), console)
    made = _pairs((contract.name, _made_of(requirement, contract)) for contract in contracts)
    show(_titled("Contracts", made), console)
    code = Syntax(
        check.source, "python", theme="ansi_dark", background_color="default", word_wrap=True
    )
    show(_titled("If it fails", _causes(requirement)), console)
    title = f"Code, in {check.run.__module__}"
    show(_titled(title, code if console.is_terminal else Text(check.source)), console)
    return ExitCode.CONFORMING


def _find(check_id: str) -> Check:
    known = {check.id: check for check in all_checks()}
    if check_id in known:
        return known[check_id]
    near = _near(check_id, known.values())
    hint = (
        f"did you mean {' or '.join(near)}?" if near else "run `conformance list` to see all checks"
    )
    raise UserError(f"unknown check {check_id!r}; {hint}")


def _near(name: str, checks: Iterable[Check]) -> Sequence[str]:
    """Return the ids of checks that a name may mean: of its area or requirement, or like it."""
    ids = {check.id: check.requirement for check in checks}
    named = [key for key, requirement in ids.items() if requirement == name]
    named += [key for key in ids if key.startswith(f"{name}.")]
    # A misspelt area is told from the part before the dot.
    area, _, rest = name.partition(".")
    areas = {key.partition(".")[0] for key in ids}
    alike = difflib.get_close_matches(name, ids, n=MAX_NEAR, cutoff=MIN_LIKENESS)
    if rest and area not in areas:
        close = difflib.get_close_matches(area, areas, n=1, cutoff=MIN_AREA_LIKENESS)
        inside = [key for key in ids if close and key.startswith(f"{close[0]}.")]
        named += [key for key in alike if key in inside] or inside
    named += alike
    return list(dict.fromkeys(named))[:MAX_NEAR]


MAX_NEAR = 3
"""Maximum number of checks that are suggested for an unknown name."""

MIN_LIKENESS = 0.4
"""Least likeness of a suggested id, from 0 to 1."""

MIN_AREA_LIKENESS = 0.7
"""Least likeness of an area to the one that was typed; an area is a short word."""


def _requirement(requirement: Requirement) -> RenderableType:
    head = Text.assemble(requirement.id, (f"  {requirement.level.value}", "bold"))
    return Group(head, Text(requirement.statement), Text(requirement.statement_zh, style="dim"))


def _made_of(requirement: Requirement, contract: Contract) -> str:
    """Return what a contract says about the subject, or why the requirement is not in force."""
    silent = contract.why_not_in_force(requirement.id)
    if silent is not None:
        return f"not in force: {silent}"
    promises = {subject.name: subject.promise for subject in contract.subjects}
    promise = promises.get(requirement.subject)
    return f"in force; {promise}" if promise else "in force"


def _causes(requirement: Requirement) -> Table:
    """Return the likely cause of a failure and the fix."""
    cause = cause_of(requirement.id, Effect.ALTERED)
    return _pairs([("likely cause", cause.cause), ("fix", cause.remedy)])


def _pairs(pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, words in pairs:
        table.add_row(Text(name, style="dim"), Text(words))
    return table


def _titled(title: str, body: RenderableType) -> RenderableType:
    return Group(Text(), Text(title, style="bold"), Padding(body, (0, 0, 0, 2)))
