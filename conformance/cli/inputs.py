"""What a user types, made sure of: base URL, key, formats, numbers. Errors never repeat a key."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence

import click

from conformance.cli.guard import UserError
from conformance.contract import Contract, ContractError, load_contract
from conformance.model import DEFAULT_KEY_ENV
from conformance.reports import formats
from conformance.targets.typed import BaseUrl, TypedError, is_variable, read_base_url, usable_key


def above_zero(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """Make sure of a number above zero; infinity and NaN compare as nobody expects."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value} is not a number above 0.", ctx, param)
    return value


def format_names(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Read the names of a run's formats between commas, each once and in the order given."""
    return names_among(ctx, param, value, known=tuple(formats()))


def names_among(
    ctx: click.Context, param: click.Parameter, value: str | None, *, known: Sequence[str]
) -> tuple[str, ...]:
    """Read names between commas, each once and in the order given; none where none are asked for.

    Raises:
        click.BadParameter: one is not known, or the text holds none.
    """
    if value is None:
        return ()
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    listed = ", ".join(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"there is no format {unknown[0]!r}; known: {listed}.", ctx, param)
    if not names:
        raise click.BadParameter(f"name at least one of {listed}.", ctx, param)
    return names


def base_url(typed: str) -> BaseUrl:
    """Make sure of a base URL, with or without a slash at its end.

    Raises:
        UserError: it cannot be used; the sentence says what to type instead.
    """
    try:
        return read_base_url(typed)
    except TypedError as error:
        raise UserError(f"--base-url {error}") from None


def key_variable(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Make sure that ``--api-key-env`` names a variable and is not the key itself."""
    if value is None:
        return None
    if not is_variable(value, os.environ):
        raise click.BadParameter(
            f"give the name of an environment variable, such as {DEFAULT_KEY_ENV}, never the key "
            "itself (what was given is not repeated here; if it was a key, it now stands in your "
            "shell's history)",
            ctx,
            param,
        )
    return value


def api_key(variable: str | None, host: str) -> str | None:
    """Read the key from the environment, or ask for it where somebody is there to answer.

    Raises:
        UserError: a variable was named and is not set, or holds what cannot be a key.
    """
    name = variable or DEFAULT_KEY_ENV
    typed = os.environ.get(name, "")
    if not typed.strip() and sys.stdin.isatty() and sys.stderr.isatty():
        asked = f"API key for {host} (${name} is not set; leave empty for none)"
        typed = click.prompt(asked, default="", hide_input=True, show_default=False, err=True)
    try:
        key = usable_key(name, typed)
    except TypedError as error:
        raise UserError(str(error)) from None
    if not key and variable is not None:
        raise UserError(
            f"the environment variable {name} is not set or empty: set it, or leave --api-key-env "
            "out for an endpoint that wants no key"
        )
    return key or None


def contract(name_or_path: str) -> Contract:
    """Load a contract.

    Raises:
        UserError: there is none of that name, or the file cannot be read.
    """
    try:
        return load_contract(name_or_path)
    except ContractError as error:
        raise UserError(f"--contract: {error}") from None
