"""``conformance run``: judge one endpoint and leave a folder of evidence."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from conformance.bundled import KEY_VARIABLE, REFERENCE, BundledServerError, bundled_server
from conformance.cli import inputs
from conformance.cli.folder import RECORD, fresh_folder, write_reports
from conformance.cli.guard import UserError
from conformance.cli.judging import interruptible, judge
from conformance.cli.options import (
    choosing,
    examples,
    into_formats,
    under_contract,
    why_nothing_is_chosen,
    with_key_from,
)
from conformance.cli.reference import dialect_of, reference_of, with_reference
from conformance.cli.terminal import say
from conformance.contract import DOCUMENTS
from conformance.model import DEFAULT_KEY_ENV, EXIT_CODES, ExitCode, Limits, Target, Tier
from conformance.reports import console
from conformance.selection import Options
from conformance.wire.record import RunFileError, read_run

DIALECTS = (REFERENCE, *DOCUMENTS)


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """What is judged; ``host`` names its folder."""

    target: Target
    host: str


@click.command(
    short_help="Judge an endpoint.",
    epilog=examples(
        "conformance run",
        "conformance run --base-url https://api.example.com/v1 --model some-model \\",
        "                --api-key-env EXAMPLE_KEY --contract zhizengzeng",
        "conformance run --tier smoke --select 'stop.*' --max-requests 20",
        "conformance run --contract zero --dialect gpt-ge",
    ),
)
@click.option(
    "--base-url",
    metavar="URL",
    help="The endpoint, up to and without /completions. [default: the bundled reference server]",
)
@click.option("--model", metavar="ID", help="The model to ask for; required with --base-url.")
@click.option(
    "--dialect",
    type=click.Choice(DIALECTS),
    metavar="NAME",
    help="The document that the bundled server speaks as: "
    f"{', '.join(DIALECTS)}. [default: a vendor's contract: its own, else {REFERENCE}]",
)
@with_key_from(f"{DEFAULT_KEY_ENV}, or a prompt in a terminal")
@under_contract
@choosing(Tier.STANDARD)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A new or empty folder. [default: reports/<date>-<host>-<contract>]",
)
@into_formats("html,junit,json")
@click.option(
    "--max-requests", type=click.IntRange(min=1), metavar="N", help="Send no more than N requests."
)
@click.option(
    "--max-spend-tokens",
    type=click.IntRange(min=1),
    metavar="N",
    help="Spend no more than N tokens, by what requests can cost at most.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1, max=1000),
    default=Options().concurrency,
    show_default=True,
    metavar="N",
    help="Requests in flight at a time.",
)
@click.option(
    "--rate",
    type=float,
    callback=inputs.above_zero,
    metavar="N",
    help="Requests a second at most.",
)
@click.option(
    "--timeout",
    type=float,
    callback=inputs.above_zero,
    default=Options().timeout,
    show_default=True,
    metavar="S",
    help="Seconds for one attempt at a request.",
)
@click.option(
    "--seed",
    type=int,
    default=Options().seed,
    show_default=True,
    metavar="N",
    help="Makes the run's own choices repeatable.",
)
@click.option("--strict", is_flag=True, help="Count lesser deviations as broken promises.")
@with_reference
def run(
    *,
    base_url: str | None,
    model: str | None,
    dialect: str | None,
    key_name: str | None,
    contract_name: str,
    tier: str,
    select: tuple[str, ...],
    out: Path | None,
    format_names: tuple[str, ...],
    max_requests: int | None,
    max_spend_tokens: int | None,
    concurrency: int,
    rate: float | None,
    timeout: float,
    seed: int,
    strict: bool,
    reference_name: str | None,
    reference_model: str | None,
    reference_key_name: str | None,
) -> ExitCode:
    """Judge an endpoint, or the bundled reference server where none is named."""
    contract = inputs.contract(contract_name)
    options = Options(
        tier=Tier(tier),
        select=select,
        limits=Limits(requests=max_requests, tokens=max_spend_tokens),
        concurrency=concurrency,
        rate=rate,
        timeout=timeout,
        seed=seed,
        strict=strict,
    )
    reference = reference_of(
        reference_name,
        reference_model,
        reference_key_name,
        contract=contract,
        bundled_is_judged=base_url is None,
    )
    nothing = why_nothing_is_chosen(contract, options)
    if nothing:
        say(nothing)
        return ExitCode.NOTHING_RAN
    screen = console.console_for()
    with interruptible(), ExitStack() as stack:
        if base_url is None:
            spoken = dialect or dialect_of(contract_name)
            endpoint = _bundled(model, key_name, contract.name, spoken, stack)
        else:
            endpoint = _named(base_url, model, dialect, key_name, contract.name)
        folder = fresh_folder(out, endpoint.host, contract.name)
        failure = judge(endpoint.target, contract, options, folder, screen, reference=reference)
    try:
        judged = read_run(folder / RECORD)
    except RunFileError:
        # It ended before it had begun, and left nothing that a report could be made of.
        if failure is None:
            raise click.Abort from None
        say(failure)
        return ExitCode.UNDECIDED
    console.show(judged, screen)
    click.echo()
    for path in write_reports(judged, folder, format_names):
        click.echo(path)
    if failure:
        say(failure)
        return ExitCode.UNDECIDED
    return EXIT_CODES[judged.conclusion]


def _named(
    typed: str, model: str | None, dialect: str | None, key_name: str | None, contract: str
) -> _Endpoint:
    """Make sure of the endpoint that was named."""
    if dialect is not None:
        raise click.UsageError(
            "--dialect is for the bundled server; an endpoint named with --base-url speaks its own"
        )
    where = inputs.base_url(typed)
    if not model:
        raise click.UsageError(
            f"--base-url needs --model: which of the models at {where.host} is to be asked"
        )
    if where.corrected:
        say(f"--base-url {where.corrected}")
    key = inputs.api_key(key_name, where.host)
    name = key_name or DEFAULT_KEY_ENV
    if key:
        say(f"sending the API key in ${name} to {where.host}")
    return _Endpoint(Target(where.url, model, contract, key, name), where.host)


def _bundled(
    model: str | None, key_name: str | None, contract: str, dialect: str, stack: ExitStack
) -> _Endpoint:
    """Start the bundled server."""
    if model is not None or key_name is not None:
        raise click.UsageError(
            "--model and --api-key-env go with --base-url; the bundled server has its own"
        )
    try:
        server = stack.enter_context(bundled_server(dialect=dialect))
    except BundledServerError as error:
        raise UserError(f"{error}; or name an endpoint with --base-url") from None
    if dialect != REFERENCE:
        say(f"the bundled server speaks as {dialect}")
    target = Target(server.base_url, server.model, contract, server.api_key, KEY_VARIABLE)
    return _Endpoint(target, "bundled")
