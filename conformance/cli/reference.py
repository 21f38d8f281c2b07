"""``--reference``: a second server that gets the same requests (differential testing)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from conformance.cli import inputs
from conformance.cli.exit_codes import UserError
from conformance.cli.terminal import say
from conformance.contract import Contract
from conformance.engine.comparison import Reference
from conformance.targets import MissingSecretError
from conformance.targets.bundled import is_installed
from conformance.targets.parsing import TypedError, read_base_url
from conformance.targets.references import BUNDLED, ReferenceNames
from conformance.transport.exposure import exposure

NONE = "none"

Function = TypeVar("Function", bound=Callable[..., Any])


def with_reference(function: Function) -> Function:
    """Add ``--reference``, ``--reference-model`` and ``--reference-key-env``."""
    reference = click.option(
        "--reference",
        "reference_name",
        metavar="bundled|URL|none",
        help="Server to compare deviating responses with (differential testing). [default: "
        "bundled if installed, none when testing the bundled server itself]",
    )
    model = click.option(
        "--reference-model",
        callback=inputs.model_name,
        metavar="ID",
        help="Model to request from the reference server; required with a URL.",
    )
    key = click.option(
        "--reference-key-env",
        "reference_key_name",
        callback=inputs.key_variable,
        metavar="NAME",
        help="Environment variable that holds the reference server's API key. [default: no key]",
    )
    return reference(model(key(function)))


def reference_of(
    name: str | None,
    model: str | None,
    key_name: str | None,
    *,
    contract: Contract,
    bundled_is_judged: bool,
) -> Reference | None:
    """Build the reference from the options; None disables the comparison.

    Raises:
        UsageError: the options contradict each other.
        UserError: the URL or the key is unusable.
    """
    names = reference_names(name, model, key_name, bundled_is_judged=bundled_is_judged)
    return None if names is None else with_key(names, contract, os.environ)


def reference_names(
    name: str | None, model: str | None, key_name: str | None, *, bundled_is_judged: bool
) -> ReferenceNames | None:
    """Return what the options name, without the key; None disables the comparison.

    Raises:
        UsageError: the options contradict each other.
        UserError: the URL is unusable.
    """
    if name in {None, BUNDLED, NONE} and (model is not None or key_name is not None):
        raise click.UsageError("--reference-model and --reference-key-env require --reference URL")
    if name is None:
        name = BUNDLED if is_installed() and not bundled_is_judged else NONE
    if name == NONE:
        return None
    if name == BUNDLED:
        return ReferenceNames(BUNDLED)
    try:
        where = read_base_url(name)
    except TypedError as error:
        raise UserError(f"--reference {error}") from None
    if not model:
        raise click.UsageError(
            f"--reference-model is required with a URL: name a model that {where.host} serves"
        )
    if where.corrected:
        say(f"--reference {where.corrected}")
    return ReferenceNames(where.url, model, key_name)


def with_key(
    names: ReferenceNames, contract: Contract, environment: Mapping[str, str]
) -> Reference:
    """Return the reference with its key, and say where that is sent.

    Raises:
        UserError: the key is missing or unusable.
    """
    try:
        reference = names.reference(contract, environment)
    except TypedError as error:
        raise UserError(f"--reference {error}") from None
    except MissingSecretError:
        raise UserError(f"environment variable {names.key_name} is not set or is empty") from None
    if reference.secrets:
        host = read_base_url(names.url).host
        say(f"sending the API key in ${names.key_name} to the reference server at {host}")
        inputs.warn(exposure(names.url, [str(names.key_name)]))
    return reference
