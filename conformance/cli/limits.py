"""Options that limit or pace a run, and the :class:`Options` built from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import click

from conformance.cli import inputs
from conformance.engine.selection import PRICES, Options, globs_for
from conformance.language import Text
from conformance.model import Limits, Tier
from conformance.report.locale.terms import REQUEST, counted, duration
from conformance.targets.settings import LEAST, MOST

Function = TypeVar("Function", bound=Callable[..., Any])

HOW = frozenset(
    {
        "tier",
        "select",
        "exclude",
        "stage",
        "max_requests",
        "max_spend_tokens",
        "concurrency",
        "rate",
        "timeout",
        "seed",
        "strict",
        "max_failures",
        "region",
        "label",
        "profiles",
    }
)
"""Parameter names of a command that map to fields of :class:`Options`."""


TRANSPORT = frozenset({"concurrency", "rate", "timeout"})
"""Those of them that make up :class:`TransportOptions`."""


def _by_tier(limit: Callable[[Limits], int | None]) -> str:
    most = ", ".join(f"{limit(Options(tier).ceiling):,}" for tier in Tier)
    return f"[default by tier: {most}]"


def within_limits(function: Function) -> Function:
    """Add ``--max-requests``, ``--max-spend-tokens`` and the other limits of a run."""
    defaults = Options()
    for option in reversed(
        (
            click.option(
                "--max-requests",
                type=inputs.COUNT,
                metavar="N",
                help=f"Send at most N requests. {_by_tier(lambda most: most.requests)}",
            ),
            click.option(
                "--max-spend-tokens",
                type=inputs.COUNT,
                metavar="N",
                help="Spend at most N tokens, counted by each request's upper bound. "
                f"{_by_tier(lambda most: most.tokens)}",
            ),
            click.option(
                "--concurrency",
                type=click.IntRange(min=1, max=1000),
                metavar="N",
                help="Maximum number of concurrent requests; with 1, nothing is sent in bursts. "
                f"[default: {defaults.transport.concurrency}; bursts {defaults.transport.burst}]",
            ),
            click.option(
                "--rate",
                type=float,
                callback=inputs.above_zero,
                metavar="N",
                help=f"Maximum requests per second, {LEAST:g} to {MOST:g}. [default: no limit]",
            ),
            click.option(
                "--timeout",
                type=float,
                callback=inputs.above_zero,
                default=defaults.transport.timeout,
                show_default=True,
                metavar="S",
                help=f"Timeout in seconds for each attempt at a request, {LEAST:g} to {MOST:g}.",
            ),
            click.option(
                "--seed",
                type=inputs.SEED,
                default=defaults.seed,
                show_default=True,
                metavar="N",
                help="Random seed; the same seed generates the same requests.",
            ),
            click.option("--strict", is_flag=True, help="Treat warnings as failures."),
            click.option(
                "--max-failures",
                type=inputs.COUNT,
                metavar="N",
                help="End the run at N failures, not counting expected ones and those that others "
                "explain; checks that have begun are finished.",
            ),
        )
    ):
        function = option(function)
    return function


def options_of(given: Mapping[str, Any], base: Options | None = None) -> Options:
    """Build :class:`Options` from command-line values.

    Args:
        given: values by the names of :data:`HOW`.
        base: values for options that were not given; the suite's defaults if None.

    Raises:
        UsageError: checks are selected beside a profile, which selects its own.
    """
    base = base or Options()
    result = dict(given)
    limits = replace(
        base.limits,
        requests=result.pop("max_requests", base.limits.requests),
        tokens=result.pop("max_spend_tokens", base.limits.tokens),
    )
    if "tier" in result:
        result["tier"] = Tier(result["tier"])
    if result.get("select") and (result.get("profiles") or base.profiles):
        where = "--profile" if result.get("profiles") else "the profile of the targets file"
        raise click.UsageError(
            f"{where} and --select cannot be combined: a profile selects what its client needs"
        )
    if result.get("profiles"):
        result["select"] = globs_for(result["profiles"])
    how = {name: result.pop(name) for name in TRANSPORT & result.keys()}
    concurrency = how.pop("concurrency", None)
    transport = replace(base.transport, **how).at_most(concurrency)
    return replace(base, limits=limits, transport=transport, **result)


def slow_rate(options: Options) -> Text | None:
    """Say how long a run takes at its rate; None if it has none, or takes at most a minute."""
    rate = options.transport.rate
    if rate is None:
        return None
    price = PRICES[options.tier].requests
    limit = options.limits.requests
    requests = price if limit is None else min(limit, price)
    seconds = (requests - 1) / rate
    if seconds <= UNANNOUNCED_SECONDS:
        return None
    return _SLOW.format(
        rate=f"{rate:g}",
        between=_long(1 / rate),
        requests=counted(requests, REQUEST),
        whole=_long(seconds),
    )


def _long(seconds: float) -> Text:
    """Format seconds, hours above an hour, and days above two days."""
    if seconds < HOUR_SECONDS:
        return duration(seconds)
    hours = seconds / HOUR_SECONDS
    if hours < 48:
        return Text(f"{hours:.1f} hours", f"{hours:.1f} 小时")
    return Text(f"{hours / 24:,.0f} days", f"{hours / 24:,.0f} 天")


HOUR_SECONDS = 3_600
UNANNOUNCED_SECONDS = 60
"""A run that its rate makes longer says so at its start."""

_SLOW = Text(
    "--rate {rate} is one request every {between}; up to {requests} take about {whole}. Ctrl-C "
    "ends the run and keeps its results.",
    "--rate {rate} 表示每 {between}发送一次请求；至多 {requests}，约需 {whole}。"
    "按 Ctrl-C 可结束运行并保留已有结果。",
)


def typed(context: click.Context) -> Mapping[str, Any]:
    """Return the values of :data:`HOW` that were given explicitly on the command line."""
    source = click.core.ParameterSource.COMMANDLINE
    return {
        name: context.params[name] for name in HOW if context.get_parameter_source(name) is source
    }
