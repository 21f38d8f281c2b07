"""Command-line options shared by several commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import click

from conformance.cli.inputs import format_names, key_variable
from conformance.contract import CONTRACTS, Contract
from conformance.engine.discovery import all_checks
from conformance.engine.selection import Options, choose
from conformance.input_files import one_line
from conformance.language import Language, language_of
from conformance.model import DEFAULT_KEY_ENV, Stage, Tier
from conformance.report.console.verbosity import Verbosity
from conformance.targets.keys import OPENAI_HOST
from conformance.transport import gate

Function = TypeVar("Function", bound=Callable[..., Any])

DEFAULT_CONTRACT = "openai"

MOST_GLOB_CHARS = 200
"""Characters of ``--select`` that a message repeats."""

UNNAMED_KEY = f"{DEFAULT_KEY_ENV}, for https://{OPENAI_HOST} only, or a prompt in a terminal"
"""Where the key is read from without ``--api-key-env``, for a help text."""


def choosing(default_tier: Tier) -> Callable[[Function], Function]:
    """Add ``--tier``, ``--select`` and ``--stage``."""

    def add(function: Function) -> Function:
        select = click.option(
            "--select",
            "-k",
            multiple=True,
            metavar="GLOB",
            help="Run only checks whose id, requirement or area matches, such as 'stop.*' or "
            "'streaming'; may be repeated.",
        )
        tier = click.option(
            "--tier",
            type=click.Choice([tier.value for tier in Tier]),
            default=default_tier.value,
            show_default=True,
            help="Test depth; each tier includes the cheaper ones.",
        )
        stage = click.option(
            "--stage",
            type=click.Choice([stage.value for stage in Stage]),
            callback=lambda _ctx, _param, value: Stage(value) if value else None,
            help="Run only checks of this stage: directed (hand-written, one requirement each), "
            "generated (property-based, with random requests) or together (sent in bursts).",
        )
        return tier(select(stage(function)))

    return add


def under_contract(function: Function) -> Function:
    """Add ``--contract``."""
    return click.option(
        "--contract",
        "contract_name",
        default=DEFAULT_CONTRACT,
        show_default=True,
        metavar="NAME|PATH",
        help=f"Contract to test against: {', '.join(CONTRACTS)}, or the path of your own "
        "OpenAPI Overlay of spec/openapi.yaml.",
    )(function)


def into_formats(default: str) -> Callable[[Function], Function]:
    """Add ``--format``."""
    return click.option(
        "--format",
        "format_names",
        callback=format_names,
        default=default,
        show_default=True,
        metavar="NAMES",
        help="Reports to write, comma-separated: html, junit, json, markdown.",
    )


def in_language(function: Function) -> Function:
    """Add ``--lang``; the command receives a :class:`~conformance.language.Language`."""
    option: Callable[[Function], Function] = click.option(
        "--lang",
        "language",
        type=click.Choice([language.value for language in Language]),
        callback=lambda _ctx, _param, value: Language(value) if value else language_of(os.environ),
        help="Output language; HTML pages contain both. [default: from the locale]",
    )
    return option(function)


def how_much(function: Function) -> Function:
    """Add ``--verbose`` and ``--quiet``; the command receives ``verbosity``."""

    @click.option(
        "--verbose",
        "-v",
        is_flag=True,
        help="Print a line per check while running, and every finding with its evidence.",
    )
    @click.option(
        "--quiet", "-q", is_flag=True, help="Print only the verdict and the paths of the files."
    )
    @wraps(function)
    def chosen(*args: Any, verbose: bool, quiet: bool, **given: Any) -> Any:
        if verbose and quiet:
            raise click.UsageError("--verbose and --quiet cannot be combined; choose one of them")
        loud = Verbosity.VERBOSE if verbose else Verbosity.NORMAL
        return function(*args, verbosity=Verbosity.QUIET if quiet else loud, **given)

    return cast(Function, chosen)


def with_key_from(default: str) -> Callable[[Function], Function]:
    """Add ``--api-key-env``; the help text shows ``default``."""
    return click.option(
        "--api-key-env",
        "key_name",
        callback=key_variable,
        metavar="NAME",
        help=f"Environment variable that holds the API key. [default: {default}]",
    )


def why_nothing_is_chosen(contract: Contract, options: Options) -> str | None:
    """Return why the selection is empty, or None if at least one check is selected."""
    if choose(all_checks(), contract, options):
        return None
    typed = gate.redact(" ".join(f"--select '{glob}'" for glob in options.select))
    globs = one_line(typed, MOST_GLOB_CHARS)
    return (
        f"{globs} matches no check in the {options.tier.value} tier; "
        "run `conformance list` to see all checks"
    )
