"""``conformance list``: all checks by area."""

from __future__ import annotations

import json
from itertools import groupby

import click
from rich.padding import Padding
from rich.text import Text

from conformance.checks import Check
from conformance.cli import inputs
from conformance.cli.help import examples
from conformance.cli.options import DEFAULT_CONTRACT, choosing, why_nothing_is_chosen
from conformance.cli.terminal import say, show
from conformance.contract import Contract
from conformance.engine.discovery import all_checks
from conformance.engine.selection import Options, choose
from conformance.model import ExitCode, Stage, Tier
from conformance.report.console import console_for, marked
from conformance.report.locale.terms import plural


@click.command(
    "list",
    epilog=examples(
        "conformance list --tier smoke", "conformance list --select 'logprobs.*' --json"
    ),
)
@choosing(Tier.DEEP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_checks(
    *,
    tier: str,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    stage: Stage | None,
    as_json: bool,
) -> ExitCode:
    """List checks by area: id, tier, requirement and title."""
    contract = inputs.contract(DEFAULT_CONTRACT)
    options = Options(tier=Tier(tier), select=select, exclude=exclude, stage=stage)
    nothing = why_nothing_is_chosen(contract, options)
    if nothing:
        say(nothing)
        return ExitCode.NOTHING_RAN
    chosen = {choice.check.id for choice in choose(all_checks(), contract, options)}
    checks = [check for check in all_checks() if check.id in chosen]
    if as_json:
        click.echo(json.dumps([_record(check, contract) for check in checks], indent=2))
    else:
        _show(checks, contract)
    return ExitCode.CONFORMING


def _area(check: Check, contract: Contract) -> str:
    return contract.requirement(check.requirement).area


def _record(check: Check, contract: Contract) -> dict[str, object]:
    return {
        "id": check.id,
        "area": _area(check, contract),
        "tier": check.tier.value,
        "requirement": check.requirement,
        "level": contract.requirement(check.requirement).level.value,
        "title": check.title,
        "title_zh": check.title_zh,
        "needs": list(check.needs),
    }


def _show(checks: list[Check], contract: Contract) -> None:
    console = console_for()
    checks = sorted(checks, key=lambda check: (_area(check, contract), check.id))
    for area, inside in groupby(checks, key=lambda check: _area(check, contract)):
        show(Text(area, style="bold"), console)
        for check in inside:
            what = f"  {check.tier.value} tier, requirement {check.requirement}"
            show(Padding(Text.assemble(check.id, (what, "dim")), (0, 0, 0, 2)), console)
            show(Padding(marked(check.title), (0, 0, 0, 6)), console)
        show(Text(), console)
    show(
        Text(f"{plural(len(checks), 'check')}; run `conformance explain CHECK` for details."),
        console,
    )
