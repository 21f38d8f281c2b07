"""The one endpoint that a command is about: typed, or a target of ``conformance.toml``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from conformance.cli import inputs
from conformance.cli.exit_codes import UserError
from conformance.cli.options import AUTO, DEFAULT_CONTRACT
from conformance.contract import Contract
from conformance.input_files import is_file
from conformance.model import Target
from conformance.targets import FILE, Entry, MissingSecretError, TargetsError, read_targets


def entries_here() -> tuple[Entry, ...] | str | None:
    """Return the targets of the file, what is wrong with it, or None if there is none."""
    if not is_file(Path(FILE)):
        return None
    try:
        return read_targets(Path(FILE))
    except TargetsError as error:
        return error.mistakes[0]


def typed_endpoint(
    typed: str, path: str | None, model: str | None, key_name: str | None, contract_name: str
) -> tuple[Target, Contract]:
    """Return the endpoint that the options name.

    Raises:
        UserError: the URL, the contract or the key cannot be used.
        UsageError: no model is named.
    """
    contract = inputs.contract(DEFAULT_CONTRACT if contract_name == AUTO else contract_name)
    where = inputs.endpoint(typed, path, contract)
    if not model:
        raise click.UsageError(
            f"--model is required with --base-url: name a model that {where.host} serves"
        )
    key = inputs.api_key(key_name, where)
    return Target(where.url, model, contract.name, key.text, key.variable), contract


def named_target(wanted: str, entries: tuple[Entry, ...] | str | None) -> tuple[Target, Contract]:
    """Return the target of a name.

    Raises:
        UserError: there is none, or its key is not set.
    """
    if not isinstance(entries, tuple):
        raise UserError(entries or f"--target needs {FILE}, which does not exist here")
    found = next((entry for entry in entries if entry.name == wanted), None)
    if found is None:
        known = ", ".join(entry.name for entry in entries)
        raise UserError(f"no target in {FILE} is named {wanted!r}; known targets: {known}")
    contract = inputs.contract(found.contract)
    try:
        return found.target(contract, os.environ), contract
    except MissingSecretError as error:
        raise UserError(f"{wanted}: {error.reason.en}") from None
