"""``--reference``: a second server that gets the same requests (differential testing)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import click

from conformance.cli import inputs
from conformance.cli.exit_codes import UserError
from conformance.cli.terminal import say
from conformance.contract import CONTRACTS, Contract
from conformance.engine.comparison import Reference, ReferenceMissingError
from conformance.language import same
from conformance.model import Target
from conformance.targets.bundled import (
    KEY_VARIABLE,
    REFERENCE,
    BundledServerError,
    bundled_server,
    is_installed,
)
from conformance.targets.parsing import TypedError, read_base_url, read_key
from conformance.transport.exposure import exposure

BUNDLED = "bundled"
NONE = "none"
LIVE = "openai"

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
    if name in {None, BUNDLED, NONE} and (model is not None or key_name is not None):
        raise click.UsageError("--reference-model and --reference-key-env require --reference URL")
    if name is None:
        name = BUNDLED if is_installed() and not bundled_is_judged else NONE
    if name == NONE:
        return None
    if name == BUNDLED:
        return Reference(BUNDLED, lambda: _bundled(contract))
    return _named(name, model, key_name, contract)


def dialect_of(document: str) -> str:
    """Choose the bundled server's default dialect for a contract.

    A vendor's contract gets that vendor's dialect. The ``openai`` contract and custom contracts get
    the dialect that serves every feature, so that more checks have something to judge.
    """
    return document if document in CONTRACTS and document != LIVE else REFERENCE


def _named(url: str, model: str | None, key_name: str | None, contract: Contract) -> Reference:
    try:
        where = read_base_url(url)
        key = read_key(key_name, os.environ) if key_name else ""
    except TypedError as error:
        raise UserError(f"--reference {error}") from None
    if not model:
        raise click.UsageError(
            f"--reference-model is required with a URL: name a model that {where.host} serves"
        )
    if key_name and not key:
        raise UserError(f"environment variable {key_name} is not set or is empty")
    if where.corrected:
        say(f"--reference {where.corrected}")
    if key:
        say(f"sending the API key in ${key_name} to the reference server at {where.host}")
        inputs.warn(exposure(where.url, [str(key_name)]))
    target = Target(where.url, model, contract.name, key or None)

    def opened() -> AbstractContextManager[Target]:
        return nullcontext(target)

    return Reference(where.url, opened, secrets=(key,) if key else ())


@contextmanager
def _bundled(contract: Contract) -> Iterator[Target]:
    """Start the bundled server in the dialect of the contract's document."""
    try:
        with bundled_server(dialect=dialect_of(contract.document)) as server:
            yield Target(server.base_url, server.model, contract.name, server.api_key, KEY_VARIABLE)
    except (BundledServerError, OSError) as error:
        raise ReferenceMissingError(same(str(error))) from None
