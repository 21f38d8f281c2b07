"""Options that limit or pace a run, and the :class:`Options` built from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import click

from conformance.cli import inputs
from conformance.engine.selection import Options
from conformance.model import Limits, Tier

Function = TypeVar("Function", bound=Callable[..., Any])

HOW = frozenset(
    {
        "tier",
        "select",
        "stage",
        "max_requests",
        "max_spend_tokens",
        "concurrency",
        "rate",
        "timeout",
        "seed",
        "strict",
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
                help="Maximum requests per second.",
            ),
            click.option(
                "--timeout",
                type=float,
                callback=inputs.above_zero,
                default=defaults.transport.timeout,
                show_default=True,
                metavar="S",
                help="Timeout in seconds for each attempt at a request.",
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
        )
    ):
        function = option(function)
    return function


def options_of(given: Mapping[str, Any], base: Options | None = None) -> Options:
    """Build :class:`Options` from command-line values.

    Args:
        given: values by the names of :data:`HOW`.
        base: values for options that were not given; the suite's defaults if None.
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
    how = {name: result.pop(name) for name in TRANSPORT & result.keys()}
    concurrency = how.pop("concurrency", None)
    transport = replace(base.transport, **how).at_most(concurrency)
    return replace(base, limits=limits, transport=transport, **result)


def typed(context: click.Context) -> Mapping[str, Any]:
    """Return the values of :data:`HOW` that were given explicitly on the command line."""
    source = click.core.ParameterSource.COMMANDLINE
    return {
        name: context.params[name] for name in HOW if context.get_parameter_source(name) is source
    }
