"""The options that say how much a run may do, and what comes of them: a run's own options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import click

from conformance.cli import inputs
from conformance.model import Limits, Tier
from conformance.selection import Options

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
"""The names under which a command is handed what makes up :class:`Options`."""


TRANSPORT = frozenset({"concurrency", "rate", "timeout"})
"""Those of them that make up :class:`TransportOptions`."""


def _by_tier(limit: Callable[[Limits], int | None]) -> str:
    most = ", ".join(f"{limit(Options(tier).ceiling):,}" for tier in Tier)
    return f"[default: {most}, by tier]"


def within_limits(function: Function) -> Function:
    """Add ``--max-requests``, ``--max-spend-tokens`` and what else bounds or paces a run."""
    usual = Options()
    for option in reversed(
        (
            click.option(
                "--max-requests",
                type=click.IntRange(min=1),
                metavar="N",
                help=f"Send no more than N requests. {_by_tier(lambda most: most.requests)}",
            ),
            click.option(
                "--max-spend-tokens",
                type=click.IntRange(min=1),
                metavar="N",
                help="Spend no more than N tokens, by what requests can cost at most. "
                f"{_by_tier(lambda most: most.tokens)}",
            ),
            click.option(
                "--concurrency",
                type=click.IntRange(min=1, max=1000),
                default=usual.transport.concurrency,
                show_default=True,
                metavar="N",
                help="Requests in flight at a time.",
            ),
            click.option(
                "--rate",
                type=float,
                callback=inputs.above_zero,
                metavar="N",
                help="Requests a second at most.",
            ),
            click.option(
                "--timeout",
                type=float,
                callback=inputs.above_zero,
                default=usual.transport.timeout,
                show_default=True,
                metavar="S",
                help="Seconds for one attempt at a request.",
            ),
            click.option(
                "--seed",
                type=int,
                default=usual.seed,
                show_default=True,
                metavar="N",
                help="Makes the run's own choices repeatable.",
            ),
            click.option(
                "--strict", is_flag=True, help="Count lesser deviations as broken promises."
            ),
        )
    ):
        function = option(function)
    return function


def options_of(given: Mapping[str, Any], base: Options | None = None) -> Options:
    """Make a run's options of what was given, and leave the rest as it was.

    Args:
        given: values by the names of :data:`HOW`.
        base: what holds where nothing was given; the suite's own defaults unless said otherwise.
    """
    base = base or Options()
    told = dict(given)
    limits = replace(
        base.limits,
        requests=told.pop("max_requests", base.limits.requests),
        tokens=told.pop("max_spend_tokens", base.limits.tokens),
    )
    if "tier" in told:
        told["tier"] = Tier(told["tier"])
    transport = replace(
        base.transport, **{name: told.pop(name) for name in TRANSPORT & told.keys()}
    )
    return replace(base, limits=limits, transport=transport, **told)


def typed(context: click.Context) -> Mapping[str, Any]:
    """Return those values of :data:`HOW` that stood on the command line."""
    source = click.core.ParameterSource.COMMANDLINE
    return {
        name: context.params[name] for name in HOW if context.get_parameter_source(name) is source
    }
