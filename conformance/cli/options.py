"""Command-line options shared by several commands."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.inputs import endpoint_path, key_variable
from conformance.cli.outputs import TARGET, outputs_among
from conformance.contract import CONTRACTS, LIVING, Contract, load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.selection import Options, choose, matches
from conformance.input_files import one_line
from conformance.language import Language, language_of
from conformance.model import DEFAULT_KEY_ENV, Objective, Prices, Stage, Tier
from conformance.profiles import Profile, ProfileError, bundled_names
from conformance.report import formats
from conformance.report.console.verbosity import Verbosity
from conformance.targets.clients import read_profiles
from conformance.targets.keys import OPENAI_HOST
from conformance.targets.parsing import TypedError
from conformance.targets.settings import plain_headers, secret_headers, slo, typed_prices
from conformance.tokenizer import Tokenizer, TokenizerError, load_tokenizer
from conformance.transport import gate

Function = TypeVar("Function", bound=Callable[..., Any])

DEFAULT_CONTRACT = "openai"

MOST_GLOB_CHARS = 200
"""Characters of ``--select`` that a message repeats."""

UNNAMED_KEY = f"{DEFAULT_KEY_ENV}, for https://{OPENAI_HOST} only, or a prompt in a terminal"
"""Where the key is read from without ``--api-key-env``, for a help text."""


def choosing(default_tier: Tier) -> Callable[[Function], Function]:
    """Add ``--tier``, ``--select``, ``--exclude`` and ``--stage``."""

    def add(function: Function) -> Function:
        select = click.option(
            "--select",
            "-k",
            multiple=True,
            metavar="GLOB",
            help="Run only checks whose id, requirement or area matches, such as 'stop.*' or "
            "'streaming'; may be repeated.",
        )
        exclude = click.option(
            "--exclude",
            multiple=True,
            metavar="GLOB",
            callback=excludable,
            help="Leave out checks whose id, requirement or area matches, and send nothing for "
            "them; may be repeated.",
        )
        tier = click.option(
            "--tier",
            type=click.Choice([tier.value for tier in Tier]),
            default=default_tier.value,
            show_default=True,
            help="Test depth; each tier includes the cheaper ones.",
        )
        stage = click.option(
            "--stage",
            type=click.Choice([stage.value for stage in Stage]),
            callback=lambda _ctx, _param, value: Stage(value) if value else None,
            help="Run only checks of this stage: directed (hand-written, one requirement each), "
            "generated (property-based, with random requests) or together (sent in bursts).",
        )
        return tier(select(exclude(stage(function))))

    return add


AUTO = "auto"
"""The value of ``--contract`` that proposes a contract, and judges nothing."""


def under_contract_or_auto(function: Function) -> Function:
    """Add ``--contract`` to a command that can propose a contract."""
    return click.option(
        "--contract",
        "contract_name",
        default=DEFAULT_CONTRACT,
        show_default=True,
        metavar="NAME|PATH|auto",
        help=f"Contract to test against: {', '.join(CONTRACTS)}, or the path of your own "
        "OpenAPI Overlay of spec/openapi.yaml; auto asks the endpoint which server it is, "
        "proposes a contract, and judges nothing.",
    )(function)


def for_clients(function: Function) -> Function:
    """Add ``--profile``; the command receives ``profiles``."""
    return click.option(
        "--profile",
        "profiles",
        multiple=True,
        metavar="NAME|PATH",
        callback=_profiles,
        help="Test what this client needs, and only that: "
        f"{', '.join(bundled_names())}, or the path of your own; may be repeated. `conformance "
        "profiles` describes them. The exit code is then 0 if the client works, 1 if it does not, "
        "and 3 if the run does not show it.",
    )(function)


def _profiles(
    _ctx: click.Context, _param: click.Parameter, typed: tuple[str, ...]
) -> tuple[Profile, ...]:
    """Read the profiles.

    Raises:
        UsageError: one of them cannot be read, or two have one name.
    """
    try:
        return read_profiles(typed)
    except ProfileError as error:
        raise click.UsageError(f"--profile: {gate.redact(str(error))}") from None


def under_contract(function: Function) -> Function:
    """Add ``--contract``."""
    return click.option(
        "--contract",
        "contract_name",
        default=DEFAULT_CONTRACT,
        show_default=True,
        metavar="NAME|PATH",
        help=f"Contract to test against: {', '.join(CONTRACTS)}, or the path of your own "
        "OpenAPI Overlay of spec/openapi.yaml.",
    )(function)


def at_path(function: Function) -> Function:
    """Add ``--path``."""
    return click.option(
        "--path",
        callback=endpoint_path,
        metavar="PATH",
        help="Path of the endpoint on the host of --base-url, such as /beta/completions; it "
        "replaces the path of the URL. [default: the URL's path, or for a bare host the one that "
        f"a server's contract documents ({', '.join(LIVING)})]",
    )(function)


def into_formats(default: str, *others: str) -> Callable[[Function], Function]:
    """Add ``--format``; the command receives ``outputs``.

    Args:
        default: the formats that are written if none is named, comma-separated.
        others: formats of the command besides those that all commands have.
    """
    known = (*formats(), *others)
    return click.option(
        "--format",
        "outputs",
        multiple=True,
        callback=partial(outputs_among, known=known),
        default=(default,),
        show_default=True,
        metavar="NAME[=PATH]",
        help=f"Reports to write, comma-separated or repeated: {', '.join(known)}. They go into the "
        f"output folder, or to PATH; - is standard output, and {TARGET} in a path the target's "
        "name.",
    )


def in_language(function: Function) -> Function:
    """Add ``--lang``; the command receives a :class:`~conformance.language.Language`."""
    option: Callable[[Function], Function] = click.option(
        "--lang",
        "language",
        type=click.Choice([language.value for language in Language]),
        callback=lambda _ctx, _param, value: Language(value) if value else language_of(os.environ),
        help="Output language; HTML pages contain both. [default: from the locale]",
    )
    return option(function)


def how_much(function: Function) -> Function:
    """Add ``--verbose`` and ``--quiet``; the command receives ``verbosity``."""

    @click.option(
        "--verbose",
        "-v",
        is_flag=True,
        help="Print a line per check while running, and every finding with its evidence.",
    )
    @click.option(
        "--quiet", "-q", is_flag=True, help="Print only the verdict and the paths of the files."
    )
    @wraps(function)
    def chosen(*args: Any, verbose: bool, quiet: bool, **given: Any) -> Any:
        if verbose and quiet:
            raise click.UsageError("--verbose and --quiet cannot be combined; choose one of them")
        loud = Verbosity.VERBOSE if verbose else Verbosity.NORMAL
        return function(*args, verbosity=Verbosity.QUIET if quiet else loud, **given)

    return cast(Function, chosen)


def with_key_from(default: str) -> Callable[[Function], Function]:
    """Add ``--api-key-env``; the help text shows ``default``."""
    return click.option(
        "--api-key-env",
        "key_name",
        callback=key_variable,
        metavar="NAME",
        help=f"Environment variable that holds the API key. [default: {default}]",
    )


def excludable(
    _ctx: click.Context, _param: click.Parameter, globs: tuple[str, ...]
) -> tuple[str, ...]:
    """Check that each glob of ``--exclude`` matches a check, so that a slip is noticed.

    Raises:
        UsageError: one matches none.
    """
    contract = load_contract(DEFAULT_CONTRACT) if globs else None
    for glob in globs:
        if contract and not any(matches(check, contract, [glob]) for check in all_checks()):
            typed = one_line(gate.redact(glob), MOST_GLOB_CHARS)
            raise click.UsageError(
                f"--exclude '{typed}' matches no check; run `conformance list` to see all checks"
            )
    return globs


def with_headers_of(function: Function) -> Function:
    """Add ``--header`` and ``--header-env``; the command receives ``headers``, ``headers_env``."""
    plain = click.option(
        "--header",
        "headers",
        multiple=True,
        metavar="'NAME: VALUE'",
        callback=partial(_headers, sign=":", take=plain_headers),
        help="Send this header with every request; may be repeated. Not for secrets.",
    )
    secret = click.option(
        "--header-env",
        "headers_env",
        multiple=True,
        metavar="NAME=VARIABLE",
        callback=partial(_headers, sign="=", take=secret_headers),
        help="Send a header whose value is in an environment variable; may be repeated.",
    )
    return plain(secret(function))


def with_prices(function: Function) -> Function:
    """Add ``--prices``; the command receives ``prices``, or None."""
    option: Callable[[Function], Function] = click.option(
        "--prices",
        callback=_prices,
        metavar="NAME=PRICE,…",
        help="Show the cost in money, too: prices of a million tokens, such as "
        "input=1.50,output=2.00,currency=USD, and cached=0.75 for cached prompts.",
    )
    return option(function)


def with_slo(function: Function) -> Function:
    """Add ``--slo``; the command receives ``objectives``, empty without any."""
    option: Callable[[Function], Function] = click.option(
        "--slo",
        "objectives",
        callback=_slo,
        metavar="NAME=BOUND,…",
        help="Hold what is measured against objectives of your own, such as "
        "ttft-p95=2,error-rate=0.01,availability=0.99,n=4; a missed one makes the exit code 1.",
    )
    return option(function)


def with_tokenizer(function: Function) -> Function:
    """Add ``--tokenizer``; the command receives ``tokenizer``, or None."""
    option: Callable[[Function], Function] = click.option(
        "--tokenizer",
        callback=lambda _ctx, _param, typed: None if typed is None else tokenizer_of(typed),
        metavar="PATH|NAME",
        help="Compare prompt_tokens with the count of the model's tokenizer: a tokenizer.json, or "
        "an encoding of tiktoken such as cl100k_base.",
    )
    return option(function)


def tokenizer_of(name: str, folder: Path | None = None, where: str = "--tokenizer") -> Tokenizer:
    """Load a tokenizer.

    Raises:
        UserError: it cannot be used; the message begins with ``where``.
    """
    try:
        return load_tokenizer(name, folder)
    except TokenizerError as error:
        raise UserError(f"{where}: {error}") from None


def _slo(_ctx: click.Context, _param: click.Parameter, typed: str | None) -> tuple[Objective, ...]:
    if typed is None:
        return ()
    pairs = [word.partition("=") for word in typed.split(",")]
    names = [name.strip() for name, _, _ in pairs]
    if not all(sign for _, sign, _ in pairs) or len(set(names)) < len(names):
        raise click.UsageError("--slo must have the form ttft-p95=2,error-rate=0.01")
    try:
        return slo({name: _number(value) for name, (_, _, value) in zip(names, pairs, strict=True)})
    except TypedError as error:
        raise click.UsageError(f"--slo {error}") from None


def _number(typed: str) -> int | float | str:
    """Return a number as TOML would read it; other text is what it is, and is refused later."""
    for kind in (int, float):
        try:
            return kind(typed)
        except ValueError:
            continue
    return typed


def _prices(_ctx: click.Context, _param: click.Parameter, typed: str | None) -> Prices | None:
    if typed is None:
        return None
    try:
        return typed_prices(typed)
    except TypedError as error:
        raise click.UsageError(f"--prices {error}") from None


def _headers(
    _ctx: click.Context,
    param: click.Parameter,
    typed: tuple[str, ...],
    *,
    sign: str,
    take: Callable[[dict[str, str]], Mapping[str, str]],
) -> Mapping[str, str]:
    option = param.opts[0]
    pairs = [word.partition(sign) for word in typed]
    if not all(found for _, found, _ in pairs):
        # The value is not shown, because it may be a secret.
        raise click.UsageError(f"{option} must have the form {param.metavar}")
    names = [name.strip() for name, _, _ in pairs]
    if len({name.lower() for name in names}) < len(names):
        raise click.UsageError(f"{option} sets a header twice")
    try:
        return take({name.strip(): value.strip() for name, _, value in pairs})
    except TypedError as error:
        sentence = str(error).partition(": put it into")[0]
        hint = f": use --header-env {names[0]}=VARIABLE" if sentence != str(error) else ""
        raise click.UsageError(f"{option} {sentence}{hint}") from None


def why_nothing_is_chosen(contract: Contract, options: Options) -> str | None:
    """Return why the selection is empty, or None if at least one check is selected."""
    if choose(all_checks(), contract, options):
        return None
    selected = [f"--select '{glob}'" for glob in options.select]
    excluded = [f"--exclude '{glob}'" for glob in options.exclude]
    globs = one_line(gate.redact(" ".join((*selected, *excluded))), MOST_GLOB_CHARS)
    left = "leaves" if excluded else "matches"
    return (
        f"{globs} {left} no check in the {options.tier.value} tier; "
        "run `conformance list` to see all checks"
    )
