"""A run of one endpoint: the one that was named, or the bundled server."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from conformance.bundled import KEY_VARIABLE, REFERENCE, BundledServerError, bundled_server
from conformance.cli import inputs
from conformance.cli.folder import RECORD, fresh_folder, write_reports
from conformance.cli.guard import UserError
from conformance.cli.judging import interruptible, judge
from conformance.cli.options import why_nothing_is_chosen
from conformance.cli.reference import dialect_of
from conformance.cli.terminal import say
from conformance.contract import Contract
from conformance.language import Language
from conformance.model import DEFAULT_KEY_ENV, EXIT_CODES, ExitCode, Target
from conformance.reference import Reference
from conformance.reports import console
from conformance.selection import Options
from conformance.wire.record import RunFileError, read_run


@dataclass(frozen=True, slots=True)
class Asked:
    """Which endpoint was asked for; without a base URL it is the bundled server."""

    base_url: str | None
    model: str | None
    dialect: str | None
    key_name: str | None
    contract_name: str


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """What is judged; ``host`` names its folder."""

    target: Target
    host: str


def run_one(
    asked: Asked,
    contract: Contract,
    options: Options,
    reference: Reference | None,
    *,
    out: Path | None,
    format_names: Sequence[str],
    language: Language,
) -> ExitCode:
    """Judge one endpoint, tell what came of it, and leave a folder of evidence."""
    nothing = why_nothing_is_chosen(contract, options)
    if nothing:
        say(nothing)
        return ExitCode.NOTHING_RAN
    screen = console.console_for()
    with interruptible(), ExitStack() as stack:
        if asked.base_url is None:
            endpoint = _bundled(asked, contract.name, stack)
        else:
            endpoint = _named(asked, asked.base_url, contract.name)
        folder = fresh_folder(out, endpoint.host, contract.name)
        failure = judge(
            endpoint.target,
            contract,
            options,
            folder,
            screen,
            reference=reference,
            language=language,
        )
    try:
        judged = read_run(folder / RECORD)
    except RunFileError:
        # It ended before it had begun, and left nothing that a report could be made of.
        if failure is None:
            raise click.Abort from None
        say(failure)
        return ExitCode.UNDECIDED
    console.show(judged, screen, language)
    click.echo()
    for path in write_reports(judged, folder, format_names, language=language):
        click.echo(path)
    if failure:
        say(failure)
        return ExitCode.UNDECIDED
    return EXIT_CODES[judged.conclusion]


def _named(asked: Asked, typed: str, contract: str) -> _Endpoint:
    """Make sure of the endpoint that was named."""
    if asked.dialect is not None:
        raise click.UsageError(
            "--dialect is for the bundled server; an endpoint named with --base-url speaks its own"
        )
    where = inputs.base_url(typed)
    if not asked.model:
        raise click.UsageError(
            f"--base-url needs --model: which of the models at {where.host} is to be asked"
        )
    if where.corrected:
        say(f"--base-url {where.corrected}")
    key = inputs.api_key(asked.key_name, where.host)
    name = asked.key_name or DEFAULT_KEY_ENV
    if key:
        say(f"sending the API key in ${name} to {where.host}")
    return _Endpoint(Target(where.url, asked.model, contract, key, name), where.host)


def _bundled(asked: Asked, contract: str, stack: ExitStack) -> _Endpoint:
    """Start the bundled server."""
    if asked.model is not None or asked.key_name is not None:
        raise click.UsageError(
            "--model and --api-key-env go with --base-url; the bundled server has its own"
        )
    dialect = asked.dialect or dialect_of(asked.contract_name)
    try:
        server = stack.enter_context(bundled_server(dialect=dialect))
    except BundledServerError as error:
        raise UserError(f"{error}; or name an endpoint with --base-url") from None
    if dialect != REFERENCE:
        say(f"the bundled server speaks as {dialect}")
    target = Target(server.base_url, server.model, contract, server.api_key, KEY_VARIABLE)
    return _Endpoint(target, "bundled")
