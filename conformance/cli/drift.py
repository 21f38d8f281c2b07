"""``conformance drift``: whether the model behind a name has changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance import __version__
from conformance.cli import inputs
from conformance.cli.drift_text import told
from conformance.cli.exit_codes import UserError
from conformance.cli.files import WriteError, write_text
from conformance.cli.help import examples
from conformance.cli.one_endpoint import entries_here, named_target, typed_endpoint
from conformance.cli.options import UNNAMED_KEY, at_path, in_language, under_contract, with_key_from
from conformance.cli.terminal import say
from conformance.contract import Contract
from conformance.drift import asking, comparison
from conformance.drift.comparison import Outcome
from conformance.drift.questions import PROMPTS, ROUNDS, temperature_of
from conformance.drift.recording import (
    MAX_ROUNDS,
    MIN_ROUNDS,
    DriftFileError,
    Method,
    Recording,
    are_prompts,
    line_of,
    read_recording,
)
from conformance.engine.header import now
from conformance.input_files import InputError, one_line, read_file
from conformance.language import Language
from conformance.model import ExitCode, Target, TransportOptions
from conformance.report.locale.finding_text import finding_text
from conformance.report.locale.terms import plural
from conformance.targets import FILE
from conformance.transport import gate
from conformance.transport.address import without_login
from conformance.transport.redact import Redactor

Function = TypeVar("Function", bound=Callable[..., Any])

BORDER_REQUESTS = 300
CODES = {
    Outcome.DIFFERS: ExitCode.NOT_CONFORMING,
    Outcome.NO_DIFFERENCE: ExitCode.CONFORMING,
    Outcome.TOO_FEW: ExitCode.UNDECIDED,
}
MAX_BORDERS_BYTES = 2**20
PATH = click.Path(path_type=Path)


@click.group(
    epilog=examples(
        "conformance drift record --target zero --out zero-monday.ndjson",
        "conformance drift record --target zero --out zero-tuesday.ndjson",
        "conformance drift compare zero-monday.ndjson zero-tuesday.ndjson",
    )
)
def drift() -> None:
    """Tell whether the model behind a name has changed.

    A recording costs 20 requests of one token. Two recordings of the same endpoint, or of an
    endpoint and one that is known to serve the model, are compared by a permutation test.
    """


def _of_one_endpoint(function: Function) -> Function:
    options = (
        click.option("--base-url", metavar="URL", help="Endpoint to ask."),
        at_path,
        click.option(
            "--model",
            callback=inputs.model_name,
            metavar="ID",
            help="Model to request; required with --base-url.",
        ),
        with_key_from(UNNAMED_KEY),
        click.option("--target", "wanted", metavar="NAME", help=f"Target of {FILE} to ask."),
        under_contract,
        click.option(
            "--rate",
            type=float,
            callback=inputs.above_zero,
            metavar="N",
            help="Maximum requests per second; 0.01 spreads a recording over half an hour. "
            "[default: no limit]",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _endpoint(
    *,
    base_url: str | None,
    path: str | None,
    model: str | None,
    key_name: str | None,
    wanted: str | None,
    contract_name: str,
) -> tuple[Target, Contract]:
    if (base_url is None) == (wanted is None):
        raise click.UsageError(f"name one endpoint: --base-url and --model, or --target of {FILE}")
    if wanted is not None:
        return named_target(wanted, entries_here())
    return typed_endpoint(base_url or "", path, model, key_name, contract_name)


@drift.command(
    epilog=examples(
        "conformance drift record --base-url https://api.example.com/v1 --model some-model \\",
        "                         --api-key-env EXAMPLE_KEY --out monday.ndjson",
    )
    + "\n\nExit codes: 0 complete; 3 answers are missing; 4 usage error.",
)
@_of_one_endpoint
@click.option(
    "--out",
    type=PATH,
    required=True,
    metavar="FILE",
    help="File of the recording; an incomplete one of the same endpoint is continued.",
)
@click.option(
    "--rounds",
    type=click.IntRange(MIN_ROUNDS, MAX_ROUNDS),
    default=ROUNDS,
    show_default=True,
    help="How often each prompt is asked; at most prompts × rounds requests are sent.",
)
@click.option(
    "--borders",
    "borders_file",
    type=PATH,
    metavar="FILE",
    help="Compare texts instead of log probabilities, with the prompts of this file of "
    "`conformance drift borders`.",
)
@in_language
def record(
    *,
    out: Path,
    rounds: int,
    borders_file: Path | None,
    rate: float | None,
    language: Language,
    **endpoint: Any,
) -> ExitCode:
    """Record the likeliest tokens after five short prompts.

    Each prompt is asked as often as --rounds says, and no more requests are sent than that, retries
    included. What is there already is not asked again.
    """
    prompts = PROMPTS if borders_file is None else _borders_in(borders_file)
    method = Method.LOGPROBS if borders_file is None else Method.TEXTS
    target, contract = _endpoint(**endpoint)
    planned = _planned(target, prompts, method, rounds)
    recording = _continued(out, planned)
    count = len(recording.missing)
    if not count:
        raise UserError(f"{out} is complete; name a new file for a new recording")
    if not recording.answers:
        write_text(out, planned.head)
    stopped = asyncio.run(_record(out, recording, target, contract, TransportOptions(1, rate)))
    left = len(read_recording(out).missing)
    if stopped is not None:
        say(f"{plural(left, 'answer')} missing: {finding_text(stopped.why).of(language)}")
        if left < len(planned.missing):
            say("the same command asks for what is missing")
        return ExitCode.UNDECIDED
    click.echo(out)
    return ExitCode.CONFORMING


def _planned(target: Target, prompts: tuple[str, ...], method: Method, rounds: int) -> Recording:
    redactor = Redactor.of(target, gate.known())
    return Recording(
        base_url=redactor.text(without_login(target.base_url)),
        model=redactor.text(target.model),
        started_at=now(),
        suite_version=__version__,
        method=method,
        temperature=temperature_of(method),
        prompts=prompts,
        rounds=rounds,
        target=target.name,
    )


def _continued(out: Path, planned: Recording) -> Recording:
    """Return what is in the file already, or the plan if there is no file.

    Raises:
        UserError: the file is something else.
    """
    if not out.exists():
        return planned
    try:
        there = read_recording(out)
    except DriftFileError as error:
        raise UserError(f"--out: {error}") from None
    if not there.asks_as(planned):
        raise UserError(
            f"--out: {out} is a recording of another endpoint, model, prompts or rounds; name a "
            "new file"
        )
    # What was cut off in the middle of a line goes, so that the next line begins at its start.
    write_text(out, there.head + "".join(map(line_of, there.answers)))
    return there


async def _record(
    out: Path, recording: Recording, target: Target, contract: Contract, options: TransportOptions
) -> asking.Stopped | None:
    most = len(recording.missing)
    redactor = Redactor.of(target, gate.known())
    async with asking.opened(target, contract, most, options) as api:
        async for event in asking.ask(api, target, recording):
            if isinstance(event, asking.Stopped):
                return event
            scores = {redactor.text(name): score for name, score in event.scores.items()}
            _append(out, line_of(replace(event, scores=scores)))
    return None


def _append(out: Path, line: str) -> None:
    try:
        with out.open("a", encoding="utf-8") as file:
            file.write(gate.redact(line))
    except OSError as error:
        raise WriteError({error.strerror or "unknown error": [out]}) from None


def _borders_in(path: Path) -> tuple[str, ...]:
    """Read the prompts of a file of border inputs.

    Raises:
        UserError: it is none.
    """
    try:
        values = json.loads(read_file(path, MAX_BORDERS_BYTES))
    except InputError as error:
        raise UserError(f"--borders: {error}") from None
    except (ValueError, RecursionError):
        raise UserError(f"--borders: {path} is not JSON") from None
    if not isinstance(values, dict) or values.get("kind") != "borders":
        raise UserError(f"--borders: {path} is no file of `conformance drift borders`")
    prompts = values.get("prompts")
    if not isinstance(prompts, list) or not are_prompts(prompts):
        raise UserError(f"--borders: {path} has no usable list of prompts")
    return tuple(prompts)


@drift.command(
    epilog=examples("conformance drift borders --target zero --out zero-borders.json")
    + "\n\nExit codes: 0 five were found; 3 fewer were; 4 usage error.",
)
@_of_one_endpoint
@click.option("--out", type=PATH, required=True, metavar="FILE", help="File of the prompts.")
@click.option(
    "--requests",
    type=click.IntRange(1, 1_000),
    default=BORDER_REQUESTS,
    show_default=True,
    help="The most requests of one token to send.",
)
@in_language
def borders(
    *, out: Path, requests: int, rate: float | None, language: Language, **endpoint: Any
) -> ExitCode:
    """Look for border inputs, where an endpoint lists no log probabilities.

    These are short prompts on whose first token the model hesitates, so that a change shows in its
    text. They are looked for once, and belong to one model.
    """
    _assert_new(out)
    target, contract = _endpoint(**endpoint)
    found, stopped = asyncio.run(_borders(target, contract, requests, TransportOptions(1, rate)))
    if found:
        redactor = Redactor.of(target, gate.known())
        values = {
            "kind": "borders",
            "model": redactor.text(target.model),
            "base_url": redactor.text(without_login(target.base_url)),
            "found_at": now(),
            "prompts": found,
        }
        write_text(out, json.dumps(values, indent=2) + "\n")
    if stopped is not None:
        why = finding_text(stopped.why).of(language)
        say(f"{plural(len(found), 'border input')} found: {one_line(why)}")
    if found:
        click.echo(out)
    return ExitCode.CONFORMING if stopped is None else ExitCode.UNDECIDED


def _assert_new(out: Path) -> None:
    """Check the file before requests are paid for: another one is not lost, and it can be made.

    Raises:
        UserError: it exists, or its folder does not.
    """
    if out.exists() or out.is_symlink():
        raise UserError(f"--out: {out} exists; name a new file")
    if not out.parent.is_dir():
        raise UserError(f"--out: there is no folder {out.parent}; create it, or name another file")


async def _borders(
    target: Target, contract: Contract, requests: int, options: TransportOptions
) -> tuple[list[str], asking.Stopped | None]:
    found: list[str] = []
    async with asking.opened(target, contract, requests, options) as api:
        async for event in asking.borders(api, target):
            if isinstance(event, asking.Stopped):
                return found, event
            found.append(event)
    return found, None


@drift.command(
    epilog=examples(
        "conformance drift compare monday.ndjson tuesday.ndjson",
        "conformance drift compare own-server.ndjson relay.ndjson --format json",
    )
    + "\n\nExit codes: 0 no difference seen; 1 they differ; 3 too few answers; 4 usage error.",
)
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)
@click.option(
    "--seed", type=inputs.SEED, default=0, show_default=True, help="Of the deals that are drawn."
)
@in_language
def compare(old: Path, new: Path, form: str, seed: int, language: Language) -> ExitCode:
    """Compare two recordings: do the answers come from the same model?

    A difference is reported falsely at most once in 2,000 comparisons, if answers to a prompt vary
    between the recordings as they vary within them.
    """
    try:
        before, after = read_recording(old), read_recording(new)
        result = comparison.compare(before, after, seed=seed)
    except DriftFileError as error:
        raise UserError(str(error)) from None
    if form == "json":
        limits = {"level": comparison.LEVEL, "tolerance": comparison.TOLERANCE}
        click.echo(json.dumps({**asdict(result), **limits}, indent=2))
    else:
        for sentence in told(result, before, after, language):
            click.echo(sentence)
    return CODES[result.outcome]
