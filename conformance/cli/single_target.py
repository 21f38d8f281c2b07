"""Run the checks against one endpoint: the given base URL or the bundled server."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

import click

from conformance.cli import inputs
from conformance.cli.execution import interruptible, judge
from conformance.cli.exit_codes import UserError
from conformance.cli.expected import Expecting, revised
from conformance.cli.files import WriteError
from conformance.cli.folder import RECORD, fresh_folder, write_reports
from conformance.cli.github import show_in_ci
from conformance.cli.limits import slow_rate
from conformance.cli.memory import give_back
from conformance.cli.metrics import write_metrics
from conformance.cli.options import why_nothing_is_chosen
from conformance.cli.outputs import Output, Rendered, names_of, stdout_for, write_named
from conformance.cli.places import place_of
from conformance.cli.resuming import (
    BEGINNING,
    HOW_TO_REPEAT,
    NEW,
    Resume,
    State,
    TakenUp,
    existing_folder,
    taken_up,
)
from conformance.cli.screen import screen
from conformance.cli.terminal import say
from conformance.contract import Contract
from conformance.engine.comparison import Reference
from conformance.engine.selection import Options
from conformance.language import Language
from conformance.model import ExitCode, Prices, Target
from conformance.record.line import RunFileError
from conformance.record.ndjson import read_run
from conformance.report import console
from conformance.targets import MissingSecretError, with_headers
from conformance.targets.bundled import KEY_VARIABLE, REFERENCE, BundledServerError, bundled_server
from conformance.targets.references import dialect_of


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The endpoint options as typed; no base URL means the bundled server.

    ``headers`` go with every request; ``headers_env`` are further ones, each with the environment
    variable that holds its value. ``prices`` are those of a million tokens.
    """

    base_url: str | None
    model: str | None
    dialect: str | None
    key_name: str | None
    contract_name: str
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_env: Mapping[str, str] = field(default_factory=dict)
    path: str | None = None
    prices: Prices | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint under test; ``host`` becomes part of the folder name."""

    target: Target
    host: str


def run_one(
    request: RunRequest,
    contract: Contract,
    options: Options,
    reference: Reference | None,
    *,
    out: Path | None,
    outputs: Sequence[Output],
    language: Language,
    verbosity: console.Verbosity = console.Verbosity.NORMAL,
    known: Expecting | None = None,
    resume: Resume | None = None,
    metrics: Path | None = None,
) -> ExitCode:
    """Run the checks, print the result, and write the record and reports."""
    options = replace(options, expected=known.file if known else None)
    nothing = why_nothing_is_chosen(contract, options)
    if nothing:
        say(nothing)
        return ExitCode.NOTHING_RAN
    with stdout_for(outputs) as stdout:
        return _run(
            request,
            contract,
            options,
            reference,
            out=out,
            outputs=outputs,
            stdout=stdout,
            language=language,
            verbosity=verbosity,
            known=known,
            resume=resume,
            metrics=metrics,
        )


def _run(
    request: RunRequest,
    contract: Contract,
    options: Options,
    reference: Reference | None,
    *,
    out: Path | None,
    outputs: Sequence[Output],
    stdout: TextIO,
    language: Language,
    verbosity: console.Verbosity,
    known: Expecting | None,
    resume: Resume | None,
    metrics: Path | None,
) -> ExitCode:
    slow = slow_rate(options)
    if slow is not None:
        say(slow.of(language))
    terminal = screen()
    with interruptible(), ExitStack() as stack:
        if request.base_url is None:
            endpoint = _bundled(request, contract.name, stack)
        else:
            endpoint = named_endpoint(request, request.base_url, contract)
        if resume is None:
            folder = stack.enter_context(fresh_folder(out, endpoint.host, contract.name))
            part = BEGINNING
        else:
            folder = stack.enter_context(existing_folder(resume.folder))
            is_bundled = request.base_url is None
            part = _part(endpoint.target, contract, options, resume, is_bundled=is_bundled)
        failure = judge(
            endpoint.target,
            contract,
            options,
            folder,
            terminal,
            reference=reference,
            language=language,
            verbosity=verbosity,
            part=part,
        )
    give_back()
    try:
        judged = read_run(folder / RECORD)
    except RunFileError:
        # The run ended before its header was written, so there is nothing to report.
        if failure is None:
            raise click.Abort from None
        say(failure)
        return ExitCode.UNDECIDED
    if known is not None and failure is None:
        judged = revised(judged, known, folder / RECORD)
    console.show(judged, terminal, language, verbosity)
    click.echo()
    rendered = Rendered(None, language, place_of(judged.header))
    one = (judged.header.contract, judged, rendered)
    try:
        written = write_reports(judged, folder, names_of(outputs), rendered)
        named = (*write_named([one], outputs, stdout), *write_metrics(metrics, [judged]))
        for path in (*named, *written):
            click.echo(path)
    except WriteError:
        if failure:
            say(failure)  # the disk that stopped the run stops its reports, too
        raise
    show_in_ci([one], language)
    if failure:
        say(failure)
        return ExitCode.UNDECIDED
    return judged.exit_code


def _part(
    target: Target, contract: Contract, options: Options, resume: Resume, *, is_bundled: bool
) -> TakenUp:
    """Return what is taken over from the record.

    Raises:
        UserError: it is of another run, or nothing of it is left to do.
    """
    part = taken_up(
        resume.folder, target, contract, options, repeat=resume.repeat, is_bundled=is_bundled
    )
    if part.state is State.FINISHED:
        left = "no check of it is inconclusive" if resume.repeat else HOW_TO_REPEAT
        raise UserError(f"the run in {resume.folder} is finished, {left}; {NEW}")
    if part.state is State.BROKEN_OFF:
        say(part.sentence)
    return part


def named_endpoint(request: RunRequest, typed: str, contract: Contract) -> Endpoint:
    """Return the endpoint of ``--base-url``, ``--model`` and the key.

    Raises:
        UsageError, UserError: one of them is missing or unusable.
    """
    if request.dialect is not None:
        raise click.UsageError(
            "--dialect applies only to the bundled server; omit it with --base-url"
        )
    where = inputs.endpoint(typed, request.path, contract)
    if not request.model:
        raise click.UsageError(
            f"--model is required with --base-url: name a model that {where.host} serves"
        )
    key = inputs.api_key(request.key_name, where)
    target = Target(
        where.url, request.model, contract.name, key.text, key.variable, prices=request.prices
    )
    try:
        target = with_headers(target, request.headers, request.headers_env, os.environ)
    except MissingSecretError as error:
        raise UserError(f"--header-env: {error}") from None
    return Endpoint(target, where.host)


def _bundled(request: RunRequest, contract: str, stack: ExitStack) -> Endpoint:
    """Start the bundled server."""
    if request.headers or request.headers_env:
        raise click.UsageError("--header and --header-env require --base-url")
    if request.model is not None or request.key_name is not None:
        raise click.UsageError(
            "--model and --api-key-env require --base-url; the bundled server has its own"
        )
    if request.path is not None:
        raise click.UsageError("--path needs --base-url; the bundled server has its own path")
    dialect = request.dialect or dialect_of(request.contract_name)
    try:
        server = stack.enter_context(bundled_server(dialect=dialect))
    except BundledServerError as error:
        raise UserError(f"{error}; or test another endpoint with --base-url") from None
    if dialect != REFERENCE:
        say(f"the bundled server emulates {dialect}")
    target = Target(
        server.base_url,
        server.model,
        contract,
        server.api_key,
        KEY_VARIABLE,
        prices=request.prices,
    )
    return Endpoint(target, "bundled")
