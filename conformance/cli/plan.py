"""``conformance plan``: estimate the cost of a run, offline."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.cli import inputs
from conformance.cli.help import examples
from conformance.cli.limits import options_of
from conformance.cli.options import (
    choosing,
    for_clients,
    under_contract,
    why_nothing_is_chosen,
    with_prices,
)
from conformance.cli.terminal import say, show
from conformance.contract import Contract
from conformance.engine.estimate import Plan, PlannedCheck
from conformance.engine.estimate import plan as planned
from conformance.engine.selection import Options
from conformance.model import ExitCode, Money, Prices, Stage, Tier, most_money_of
from conformance.profiles import Profile
from conformance.report.console import console_for
from conformance.report.locale.terms import money, plural, rounded


@click.command(
    epilog=examples(
        "conformance plan --tier deep --contract zhizengzeng",
        "conformance plan --select 'stop.*' --format json",
    )
)
@under_contract
@for_clients
@choosing(Tier.STANDARD)
@click.option(
    "--seed",
    type=inputs.SEED,
    default=Options().seed,
    show_default=True,
    metavar="N",
    help="Random seed of the planned run; it determines the generated requests.",
)
@with_prices
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Output format.",
)
def plan(
    *,
    contract_name: str,
    tier: str,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    stage: Stage | None,
    profiles: tuple[Profile, ...],
    seed: int,
    prices: Prices | None,
    as_format: str,
) -> ExitCode:
    """Count the requests and worst-case tokens of a run without sending anything."""
    contract = inputs.contract(contract_name)
    given = {"select": select, "exclude": exclude, "stage": stage, "seed": seed}
    options = options_of({"tier": tier, "profiles": profiles, **given})
    if as_format == "text":
        return show_plan(contract, options, prices)
    nothing = why_nothing_is_chosen(contract, options)
    if nothing:
        say(nothing)
        return ExitCode.NOTHING_RAN
    counted = planned(contract, options)
    chosen = {
        "tier": tier,
        "select": list(options.select),
        "profiles": [profile.name for profile in profiles],
        "exclude": list(exclude),
        "stage": stage,
        "seed": seed,
    }
    most = _most(counted, prices)
    document = {
        "contract": contract.name,
        **chosen,
        "ceiling": asdict(options.ceiling),
        "money": {"amount": f"{most.amount:f}", "currency": most.currency} if most else None,
    }
    click.echo(json.dumps({**document, **asdict(counted)}, indent=2))
    return ExitCode.CONFORMING


def show_plan(contract: Contract, options: Options, prices: Prices | None = None) -> ExitCode:
    """Print what a run would send and cost at most; nothing is sent."""
    nothing = why_nothing_is_chosen(contract, options)
    if nothing:
        say(nothing)
        return ExitCode.NOTHING_RAN
    _show(planned(contract, options), contract.name, options, prices, console_for())
    return ExitCode.CONFORMING


def _most(cost: Plan | PlannedCheck, prices: Prices | None) -> Money | None:
    if prices is None:
        return None
    return most_money_of(cost.prompt_tokens, cost.completion_tokens, prices)


def _show(
    counted: Plan, contract: str, options: Options, prices: Prices | None, console: Console
) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column(justify="right")
    heads = ("check", "requests", "max. tokens", f"max. {prices.currency}" if prices else "")
    table.add_row(*(Text(head, style="dim") for head in heads))
    skipped = [check for check in counted.checks if check.skip is not None]
    for check in counted.checks:
        if check.skip is None:
            most = _most(check, prices)
            spent = rounded(most) if most else ""
            table.add_row(check.id, f"{check.requests:,}", f"{check.tokens:,}", spent)
    show(table, console)
    if skipped:
        show(Text(f"\n{plural(len(skipped), 'check')} skipped", style="bold"), console)
        table = Table.grid(padding=(0, 2))
        for check in skipped:
            table.add_row(Text(check.id), Text(check.skip or "", style="dim"))
        show(table, console)
    most = _most(counted, prices)
    worth = f", {money(most).en}" if most else ""
    total = (
        f"\n{plural(len(counted.checks) - len(skipped), 'check')}, {contract} contract, "
        f"{options.tier.value} tier: {plural(counted.requests, 'request')}, at most "
        f"{plural(counted.tokens, 'token')}{worth}. Checks share requests, so the total is lower "
        "than the sum. Checks repeat requests when responses differ, up to "
        f"{options.ceiling.requests:,} requests and {options.ceiling.tokens:,} tokens in total."
    )
    show(Text(total), console)
