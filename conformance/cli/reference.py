"""``--reference``: whom a run asks the same, so that reports can show both answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import click

from conformance.bundled import (
    KEY_VARIABLE,
    REFERENCE,
    BundledServerError,
    bundled_server,
    is_installed,
)
from conformance.cli import inputs
from conformance.cli.guard import UserError
from conformance.cli.terminal import say
from conformance.contract import DOCUMENTS, Contract
from conformance.language import same
from conformance.model import Target
from conformance.reference import Reference, ReferenceMissingError
from conformance.targets.typed import TypedError, read_base_url, read_key

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
        help="Whom to ask what shows deviations, so that reports can show its answers beside the "
        "endpoint's. [default: bundled, where the server is installed and not itself judged]",
    )
    model = click.option(
        "--reference-model",
        metavar="ID",
        help="The model to ask the reference for; required with a URL.",
    )
    key = click.option(
        "--reference-key-env",
        "reference_key_name",
        callback=inputs.key_variable,
        metavar="NAME",
        help="The environment variable that holds the reference's API key. [default: no key]",
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
    """Say whom to ask, or None for nobody.

    Raises:
        UsageError: the options do not go together.
        UserError: the URL or the key cannot be used.
    """
    if name in {None, BUNDLED, NONE} and (model is not None or key_name is not None):
        raise click.UsageError("--reference-model and --reference-key-env go with a URL")
    if name is None:
        name = BUNDLED if is_installed() and not bundled_is_judged else NONE
    if name == NONE:
        return None
    if name == BUNDLED:
        return Reference(BUNDLED, lambda: _bundled(contract))
    return _named(name, model, key_name, contract)


def dialect_of(document: str) -> str:
    """Choose what the bundled server speaks where nobody says.

    Held to a vendor's document it speaks as that one; held to the live API, or to a contract of
    one's own, it serves everything, which shows more of the suite than a dialect that refuses.
    """
    return document if document in DOCUMENTS and document != LIVE else REFERENCE


def _named(url: str, model: str | None, key_name: str | None, contract: Contract) -> Reference:
    try:
        where = read_base_url(url)
        key = read_key(key_name, os.environ) if key_name else ""
    except TypedError as error:
        raise UserError(f"--reference {error}") from None
    if not model:
        raise click.UsageError(
            f"--reference needs --reference-model: which of the models at {where.host} is to be "
            "asked"
        )
    if key_name and not key:
        raise UserError(f"the environment variable {key_name} is not set or empty")
    if where.corrected:
        say(f"--reference {where.corrected}")
    if key:
        say(f"sending the API key in ${key_name} to the reference, {where.host}")
    target = Target(where.url, model, contract.name, key or None)

    def opened() -> AbstractContextManager[Target]:
        return nullcontext(target)

    return Reference(where.url, opened, secrets=(key,) if key else ())


@contextmanager
def _bundled(contract: Contract) -> Iterator[Target]:
    """Start the bundled server, in the words of the contract's document."""
    try:
        with bundled_server(dialect=dialect_of(contract.document)) as server:
            yield Target(server.base_url, server.model, contract.name, server.api_key, KEY_VARIABLE)
    except (BundledServerError, OSError) as error:
        raise ReferenceMissingError(same(str(error))) from None
