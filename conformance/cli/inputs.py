"""Validate command-line values: base URL, key, formats, numbers. Errors never repeat a key."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.terminal import say
from conformance.cluster.scheduler import ClusterError, Scheduler, read_scheduler
from conformance.contract import CONTRACTS, Contract, ContractError, load_contract
from conformance.input_files import one_line
from conformance.model import DEFAULT_KEY_ENV
from conformance.targets import settings
from conformance.targets.address import located, read_path
from conformance.targets.keys import TYPED_KEY_ENV, default_key_env, why_not_sent
from conformance.targets.parsing import BaseUrl, TypedError, is_variable, read_base_url, usable_key
from conformance.targets.settings import LARGEST, LEAST, MOST
from conformance.transport.exposure import exposure


def above_zero(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """Accept a number above zero that can be a timeout or a rate, or None."""
    if value is None:
        return None
    if not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value} is not a number greater than 0.", ctx, param)
    if not LEAST <= value <= MOST:
        raise click.BadParameter(f"{value} is not from {LEAST:g} to {MOST:g}.", ctx, param)
    return value


def scheduler(ctx: click.Context, param: click.Parameter, value: str | None) -> Scheduler | None:
    """Accept what names a Dask cluster, or None."""
    if value is None:
        return None
    try:
        return read_scheduler(value.strip())
    except ClusterError as error:
        raise click.BadParameter(f"{one_line(repr(value), 80)} {error}.", ctx, param) from None


class _Folder(click.Path):
    """A path of a folder; an empty one would be the current folder, which nobody means."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Reject an empty path."""
        if value == "":
            self.fail("the path is empty; name a new folder, such as --out reports/today.")
        return super().convert(value, param, ctx)


FOLDER = _Folder()
"""The type of an output folder."""


class _Whole(click.ParamType[int]):
    """An integer that a record holds; help texts are spared the limits of 64 bits."""

    name = "integer"

    def __init__(self, least: int) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the integer, or fail with what is allowed."""
        number: int = click.INT.convert(value, param, ctx)
        if number < self._least:
            limit = f"at least {self._least}" if self._least == 1 else "above -2^63"
            self.fail(f"{number} is not {limit}.", param, ctx)
        if number > LARGEST:
            self.fail(f"{number} is not below 2^63.", param, ctx)
        return number


SEED = _Whole(-LARGEST)
COUNT = _Whole(1)


def model_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Accept the id of a model: printable text of at most 1,000 characters, or None."""
    if not value:
        return value  # its absence has a message of its own
    try:
        return settings.model(value)
    except TypedError as error:
        raise click.BadParameter(f"{error}.", ctx, param) from None


def names_among(
    ctx: click.Context, param: click.Parameter, value: str | None, *, known: Sequence[str]
) -> tuple[str, ...]:
    """Parse a comma-separated list, without duplicates and in the order given; None is empty.

    Raises:
        click.BadParameter: a name is unknown, or the list is empty.
    """
    if value is None:
        return ()
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    listed = ", ".join(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(
            f"unknown format {unknown[0]!r}; choose from {listed}.", ctx, param
        )
    if not names:
        raise click.BadParameter(f"give at least one of {listed}.", ctx, param)
    return names


def base_url(typed: str) -> BaseUrl:
    """Parse and normalise a base URL.

    Raises:
        UserError: the URL is unusable; the message says what to type instead.
    """
    try:
        return read_base_url(typed)
    except TypedError as error:
        raise UserError(f"--base-url {error}") from None


def endpoint(typed: str, path: str | None, contract: Contract) -> BaseUrl:
    """Parse ``--base-url`` and ``--path``, and say how the base URL was corrected.

    Raises:
        UserError: the URL is unusable; the message says what to type instead.
    """
    where = located(base_url(typed), path, contract)
    if where.corrected:
        say(f"--base-url {where.corrected}")
    return where


def endpoint_path(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Accept ``--path``: where the endpoint is on its host, or None."""
    if value is None:
        return None
    try:
        return read_path(value)
    except TypedError as error:
        raise click.BadParameter(f"{error}.", ctx, param) from None


def key_variable(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Check that ``--api-key-env`` is a variable's name and not the key itself."""
    if value is None:
        return None
    if not is_variable(value, os.environ):
        raise click.BadParameter(
            f"give the name of an environment variable, such as {DEFAULT_KEY_ENV}, not the key "
            "itself (the value is not shown here; if it was a key, remove it from your shell's "
            "history)",
            ctx,
            param,
        )
    return value


@dataclass(frozen=True, slots=True)
class Key:
    """A key, or None, and the variable that stands for it in commands."""

    text: str | None = field(repr=False)
    variable: str


def api_key(variable: str | None, where: BaseUrl) -> Key:
    """Read the key for an endpoint from the environment, or prompt for it in a terminal.

    Only a key that is meant for the endpoint is read, see :mod:`conformance.targets.keys`. What is
    sent, and what is not, is announced before the first request.

    Raises:
        UserError: the named variable is unset or empty, or its value cannot be a key.
    """
    name = variable or default_key_env(where.url)
    typed = os.environ.get(name, "") if name else ""
    if not variable and (unsent := why_not_sent(where.url, os.environ, "--api-key-env")):
        say(unsent)
    if not typed.strip() and sys.stdin.isatty() and sys.stderr.isatty():
        unset = f"${name} is not set; press" if name else "press"
        question = f"API key for {where.host} ({unset} Enter for none)"
        typed = click.prompt(question, default="", hide_input=True, show_default=False, err=True)
    try:
        key = usable_key(name or "the key", typed)
    except TypedError as error:
        raise UserError(str(error)) from None
    if not key and variable is not None:
        raise UserError(
            f"environment variable {name} is not set or is empty; set it, or omit --api-key-env "
            "for an endpoint that needs no key"
        )
    name = name or TYPED_KEY_ENV
    if key:
        say(f"sending the API key in ${name} to {where.host}")
        warn(exposure(where.url, [name]))
    return Key(key or None, name)


def warn(warning: str | None) -> None:
    """Print a warning if there is one."""
    if warning:
        say(warning)


def contract(name_or_path: str) -> Contract:
    """Load a contract.

    Raises:
        UserError: the name is unknown, or the file is not a valid overlay.
    """
    try:
        return load_contract(name_or_path)
    except ContractError as error:
        hint = "" if name_or_path in CONTRACTS or not _is_file(name_or_path) else _WAY_OUT
        if name_or_path == "auto":
            hint = _ASKS
        if "action " in str(error) and str(error).endswith("selects nothing"):
            hint = _NOTHING_SELECTED
        raise UserError(f"--contract: {error}{hint}") from None


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


_WAY_OUT = "; an overlay changes spec/openapi.yaml, as docs/own-contract.md shows"
_ASKS = "; auto asks an endpoint: use it with `conformance run --base-url` or `conformance doctor`"
_NOTHING_SELECTED = (
    "; no such place is in spec/openapi.yaml, where a parameter is at "
    "$.components.schemas.CreateCompletionRequest.properties.NAME"
)
