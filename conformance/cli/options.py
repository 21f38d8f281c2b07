"""The options that several commands share: which checks, under which contract."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from conformance.checks import all_checks
from conformance.cli.inputs import format_names, key_variable
from conformance.contract import DOCUMENTS, Contract
from conformance.language import Language, language_of
from conformance.model import Stage, Tier
from conformance.selection import Options, choose

Function = TypeVar("Function", bound=Callable[..., Any])

DEFAULT_CONTRACT = "openai"


def choosing(default_tier: Tier) -> Callable[[Function], Function]:
    """Add ``--tier``, ``--select`` and ``--stage``."""

    def add(function: Function) -> Function:
        select = click.option(
            "--select",
            "-k",
            multiple=True,
            metavar="GLOB",
            help="Only checks whose id, requirement or area matches; may be repeated: "
            "'stop.*', 'streaming'.",
        )
        tier = click.option(
            "--tier",
            type=click.Choice([tier.value for tier in Tier]),
            default=default_tier.value,
            show_default=True,
            help="How deep to look; each tier holds the cheaper ones.",
        )
        stage = click.option(
            "--stage",
            type=click.Choice([stage.value for stage in Stage]),
            callback=lambda _ctx, _param, value: Stage(value) if value else None,
            help="Only the checks of this stage ask: directed ones, each written for one sentence, "
            "or generated ones, drawn from all that the contract allows or forbids.",
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
        help=f"Which document's promises to hold it to: {', '.join(DOCUMENTS)}; or your own "
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
        help="Which reports to write, with commas between: html, junit, json, markdown.",
    )


def in_language(function: Function) -> Function:
    """Add ``--lang``; the command is handed a :class:`~conformance.language.Language`."""
    option: Callable[[Function], Function] = click.option(
        "--lang",
        "language",
        type=click.Choice([language.value for language in Language]),
        callback=lambda _ctx, _param, value: Language(value) if value else language_of(os.environ),
        help="The language of the output; a page holds both. [default: the locale's]",
    )
    return option(function)


def with_key_from(default: str) -> Callable[[Function], Function]:
    """Add ``--api-key-env``; ``default`` tells what happens without it."""
    return click.option(
        "--api-key-env",
        "key_name",
        callback=key_variable,
        metavar="NAME",
        help=f"The environment variable that holds the API key. [default: {default}]",
    )


def why_nothing_is_chosen(contract: Contract, options: Options) -> str | None:
    """Say why no check is left to judge, or None where there is one."""
    if choose(all_checks(), contract, options):
        return None
    globs = " ".join(f"--select '{glob}'" for glob in options.select)
    return (
        f"{globs} matches no check of the {options.tier.value} tier; "
        "`conformance list` shows them all"
    )
