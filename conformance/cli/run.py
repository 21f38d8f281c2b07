"""``conformance run``: test one endpoint, or every target in ``conformance.toml``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.cli import inputs
from conformance.cli.exit_codes import UserError
from conformance.cli.expected import NONE, expecting, with_expected_file
from conformance.cli.folder import fresh_folder
from conformance.cli.help import examples
from conformance.cli.limits import HOW, options_of, within_limits
from conformance.cli.metrics import with_metrics_file
from conformance.cli.options import (
    AUTO,
    UNNAMED_KEY,
    at_path,
    choosing,
    for_clients,
    how_much,
    in_language,
    into_formats,
    under_contract_or_auto,
    with_headers_of,
    with_key_from,
    with_prices,
    with_slo,
    with_tokenizer,
)
from conformance.cli.reference import reference_of, with_reference
from conformance.cli.resuming import Resume, assert_usable, parts_of, taking_up
from conformance.cli.screen import on_screen
from conformance.cli.single_target import RunRequest, run_one
from conformance.cli.terminal import say
from conformance.cluster.scheduler import Scheduler
from conformance.contract import CONTRACTS
from conformance.model import ExitCode, Tier
from conformance.targets import FILE, Entry, TargetsError, read_targets
from conformance.targets.bundled import REFERENCE

if TYPE_CHECKING:
    from conformance.cli.multiple_targets import Judge

DIALECTS = (REFERENCE, *CONTRACTS)


@click.command(
    epilog=examples(
        "conformance run",
        "conformance run --base-url https://api.example.com/v1 --model some-model \\",
        "                --api-key-env EXAMPLE_KEY --contract zhizengzeng",
        "conformance run --tier smoke --select 'stop.*' --max-requests 20",
        "conformance run --target 'zero*' --target eronmind --jobs 2",
        "conformance run --contract zero --dialect gpt-ge",
        "conformance run --format html,sarif=conformance.sarif",
        "conformance run --config targets.toml --shard 1/4 --out part-1",
        "conformance run --config targets.toml --shard 1/4 --resume part-1",
        "conformance run --config targets.toml --scheduler local:4 --jobs 40",
        "conformance run --profile lm-eval",
    )
    + "\n\n--contract auto exits with 6: it proposes a contract and judges nothing. With several "
    "targets the worst result decides the exit code: 1 not conforming, then 2 interrupted, "
    "3 inconclusive or a key was missing, 5 no checks ran, 0 all conform.",
)
@click.option(
    "--base-url",
    metavar="URL",
    help=f"Base URL of the endpoint, without /completions. [default: the targets in {FILE} if that "
    "file exists, otherwise the bundled reference server]",
)
@at_path
@click.option(
    "--model",
    callback=inputs.model_name,
    metavar="ID",
    help="Model to request; required with --base-url.",
)
@click.option(
    "--dialect",
    type=click.Choice(DIALECTS),
    metavar="NAME",
    help="Test the bundled server while it emulates this vendor: "
    f"{', '.join(DIALECTS)}. [default: the contract's vendor, otherwise {REFERENCE}]",
)
@with_key_from(UNNAMED_KEY)
@with_headers_of
@with_prices
@with_slo
@with_tokenizer
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=f"File that lists the targets to test. [default: {FILE} if it exists]",
)
@click.option(
    "--target",
    "wanted",
    multiple=True,
    metavar="GLOB",
    help="Test only targets whose name matches; may be repeated.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1, max=100),
    default=4,
    show_default=True,
    metavar="N",
    help="Number of targets tested in parallel.",
)
@click.option(
    "--scheduler",
    callback=inputs.scheduler,
    metavar="WHERE",
    help="Test the targets of the file on the workers of a Dask cluster: local, local:4 (processes "
    "on this machine), or the address of its scheduler, such as tcp://scheduler:8786.",
)
@under_contract_or_auto
@for_clients
@choosing(Tier.STANDARD)
@click.option(
    "--out",
    type=inputs.FOLDER,
    metavar="DIR",
    help="Output folder; must be new or empty. [default: reports/<date>-<host>-<contract>]",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Send nothing; print the requests and tokens of the run, as `conformance plan` does.",
)
@taking_up
@with_expected_file
@with_metrics_file
@into_formats("html,junit,json")
@within_limits
@with_reference
@how_much
@on_screen
@in_language
@click.pass_context
def run(context: click.Context, /, **given: Any) -> ExitCode:
    """Test an endpoint; without --base-url, the targets in conformance.toml or the bundled server.

    Command-line options override the file.
    """
    assert_usable(given)
    if given["contract_name"] == AUTO:
        from conformance.cli.proposal import propose  # noqa: PLC0415 - runs start sooner without

        if given["base_url"] is None or given["dry_run"]:
            raise click.UsageError(_NEEDS_ENDPOINT)
        return propose(_request_of(given), context.obj or (), given["language"])
    how = {name: given[name] for name in HOW}
    landing = {name: given[name] for name in ("out", "outputs", "language", "verbosity", "metrics")}
    if given["resume"] is not None:
        landing["resume"] = Resume(given["resume"], given["repeat_inconclusive"])
    path = _file(given)
    if path is not None:
        # Most runs judge one endpoint, and start sooner without what many need.
        from conformance.cli.many_results import worst  # noqa: PLC0415
        from conformance.cli.multiple_targets import planned_of, run_many  # noqa: PLC0415

        entries = chosen(path, given["wanted"])
        if not (entries := parts_of(entries, given["shard"])):
            say(f"no target of {path} is in shard {given['shard']}; there is nothing to do")
            if given["out"] is not None and not given["dry_run"]:
                with fresh_folder(given["out"], "", ""):  # `merge` refuses one that is missing
                    pass
            return ExitCode.CONFORMING
        if len(entries) > 1 and given["expected_name"] not in {None, NONE}:
            raise click.UsageError(
                f"--expected is for one target, and {len(entries)} are selected; select one with "
                f"--target, or set expected per target in {path}"
            )
        judge, environment = _elsewhere(context, given["scheduler"])
        planned = [planned_of(context, entry, given, environment) for entry in entries]
        if given["dry_run"]:
            from conformance.cli.plan import show_plan  # noqa: PLC0415 - runs start sooner without

            return worst(
                [show_plan(one.contract, one.options, one.entry.prices) for one in planned]
            )
        return run_many(planned, environment, path, jobs=given["jobs"], judge=judge, **landing)
    if given["scheduler"] is not None:
        raise click.UsageError(
            "--scheduler divides the targets of a file among workers; the checks of one endpoint "
            "are not divided"
        )
    if given["shard"] is not None:
        raise click.UsageError(
            "--shard divides the targets of a file; the checks of one endpoint are not divided"
        )
    contract = inputs.contract(given["contract_name"])
    if given["dry_run"]:
        from conformance.cli.plan import show_plan  # noqa: PLC0415 - runs start sooner without

        return show_plan(contract, options_of(how), given["prices"])
    reference = reference_of(
        given["reference_name"],
        given["reference_model"],
        given["reference_key_name"],
        contract=contract,
        bundled_is_judged=given["base_url"] is None,
    )
    request = _request_of(given)
    name = given["expected_name"]
    known = expecting(
        None if name in {None, NONE} else Path(name),
        update=given["expected_update"],
        prune=given["expected_prune"],
    )
    options = replace(options_of(how), tokenizer=given["tokenizer"], objectives=given["objectives"])
    return run_one(request, contract, options, reference, known=known, **landing)


def _elsewhere(
    context: click.Context, scheduler: Scheduler | None
) -> tuple[Judge | None, Mapping[str, str]]:
    """Return what tests the targets, if it is not this process, and where their secrets are."""
    if scheduler is None:
        return None, os.environ
    # Most runs start sooner without.
    from conformance.cli.on_workers import environment_of, judging_on  # noqa: PLC0415

    is_typed = context.get_parameter_source("jobs") is click.core.ParameterSource.COMMANDLINE
    jobs: int | None = context.params["jobs"] if is_typed else None
    return judging_on(scheduler, jobs), environment_of(scheduler)


def _request_of(given: dict[str, Any]) -> RunRequest:
    return RunRequest(
        **{name: given[name] for name in ("base_url", "model", "dialect", "key_name")},
        contract_name=given["contract_name"],
        headers=given["headers"],
        headers_env=given["headers_env"],
        path=given["path"],
        prices=given["prices"],
    )


_NEEDS_ENDPOINT = (
    "--contract auto asks one endpoint which server it is: name it with --base-url, and leave out "
    "--dry-run, which sends nothing"
)


def _file(given: dict[str, Any]) -> Path | None:
    """Return the targets file, or None to test a single endpoint.

    Raises:
        UsageError: options for one endpoint are mixed with options for many.
    """
    config: Path | None = given["config"]
    many = "--config" if config is not None else "--target" if given["wanted"] else None
    for name in ("base_url", "dialect"):
        if given[name] is not None:
            if many:
                one = f"--{name.replace('_', '-')}"
                raise click.UsageError(
                    f"{one} and {many} cannot be combined: the first tests one endpoint, the "
                    "second the targets in a file"
                )
            return None
    path = config or Path(FILE)
    if config is None and not os.path.exists(path):  # noqa: PTH110 - never raises
        if many:
            raise click.UsageError(
                f"--target needs {FILE}, which does not exist here; create one with "
                "`conformance init`"
            )
        return None
    if given["headers"] or given["headers_env"]:
        raise click.UsageError(
            f"--header and --header-env are for --base-url; set headers and headers-env in {path}"
        )
    if given["path"] is not None:
        raise click.UsageError(f"--path is for --base-url; set path per target in {path}")
    if given["key_name"] is not None:
        raise click.UsageError(
            f"--api-key-env would send one key to every target in {path}; set api-key-env per "
            "target in that file"
        )
    if config is None:
        say(f"testing the targets in {path}; use --dialect {REFERENCE} to test the bundled server")
    return path


def mistakes_of(error: TargetsError) -> UserError:
    """Say all mistakes of a targets file but the last one, which is returned as the error."""
    *others, last = error.mistakes
    for mistake in others:
        say(mistake)
    return UserError(last)


def chosen(path: Path, globs: tuple[str, ...]) -> list[Entry]:
    """Read the targets file and keep the targets that match ``globs``.

    Raises:
        UserError: the file is invalid, or a glob matches no target.
    """
    try:
        entries = read_targets(path)
    except TargetsError as error:
        raise mistakes_of(error) from None
    names = [entry.name for entry in entries]
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in names):
            near = get_close_matches(glob, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known targets: {', '.join(names)}"
            raise UserError(f"no target in {path} matches {glob!r}; {hint}")
    return [
        entry
        for entry in entries
        if not globs or any(fnmatchcase(entry.name, glob) for glob in globs)
    ]
