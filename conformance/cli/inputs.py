"""What a user types, made sure of: base URL, key, formats, numbers. Errors never repeat a key."""

from __future__ import annotations

import math
import os
import re
import sys
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

import click

from conformance.cli.guard import UserError
from conformance.contract import Contract, ContractError, load_contract
from conformance.model import DEFAULT_KEY_ENV
from conformance.reports import formats

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEY_LIKE = re.compile(r"(?=.*[a-z])(?=.*[0-9]).{20,}")
"""Long, with small letters and digits: keys look so, names of environment variables hardly do."""


def above_zero(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """Make sure of a number above zero; infinity and NaN compare as nobody expects."""
    if value is not None and not (math.isfinite(value) and value > 0):
        raise click.BadParameter(f"{value} is not a number above 0.", ctx, param)
    return value


def format_names(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Read the names of formats between commas, each once and in the order given."""
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    known = ", ".join(formats())
    unknown = [name for name in names if name not in formats()]
    if unknown:
        raise click.BadParameter(f"there is no format {unknown[0]!r}; known: {known}.", ctx, param)
    if not names:
        raise click.BadParameter(f"name at least one of {known}.", ctx, param)
    return names


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """A base URL as it will be used; ``corrected`` says in a sentence what was changed."""

    url: str
    host: str
    corrected: str | None


def base_url(typed: str) -> BaseUrl:
    """Make sure of a base URL, with or without a slash at its end.

    Raises:
        UserError: it cannot be used; the sentence says what to type instead.
    """
    parts = _split(typed.strip())
    path = parts.path.rstrip("/")
    shorter = path.removesuffix("/completions").removesuffix("/chat")
    url = urlunsplit((parts.scheme, parts.netloc, shorter, "", ""))
    corrected = None
    if shorter != path:
        corrected = f"--base-url is the part before /completions: using {url}"
    return BaseUrl(url, parts.hostname or "", corrected)


def _split(typed: str) -> SplitResult:
    try:
        parts = urlsplit(typed)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UserError(f"--base-url {typed!r} is no URL ({error})") from None
    if parts.username is not None or parts.password is not None:
        raise UserError(
            "--base-url holds a user name or password, which reports would repeat; "
            "leave it out and name the key's environment variable with --api-key-env"
        )
    if parts.scheme not in {"http", "https"} or not host:
        raise UserError(
            f"--base-url {typed!r} needs http:// or https:// and a host, "
            "such as https://api.openai.com/v1"
        )
    if parts.query or parts.fragment:
        raise UserError(f"--base-url {typed!r} has a query or a fragment; leave it out")
    if any(character.isspace() or not character.isprintable() for character in typed):
        raise UserError(f"--base-url {typed!r} has a blank in it")
    return parts


def key_variable(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Make sure that ``--api-key-env`` names a variable and is not the key itself."""
    if value is None:
        return None
    looks_like_key = _KEY_LIKE.fullmatch(value) and value not in os.environ
    if looks_like_key or not _VARIABLE.fullmatch(value):
        raise click.BadParameter(
            f"give the name of an environment variable, such as {DEFAULT_KEY_ENV}, never the key "
            "itself (what was given is not repeated here; if it was a key, it now stands in your "
            "shell's history)",
            ctx,
            param,
        )
    return value


def api_key(variable: str | None, host: str) -> str | None:
    """Read the key from the environment, or ask for it where somebody is there to answer.

    Raises:
        UserError: a variable was named and is not set, or holds what cannot be a key.
    """
    name = variable or DEFAULT_KEY_ENV
    key = os.environ.get(name, "").strip()
    if not key and sys.stdin.isatty() and sys.stderr.isatty():
        asked = f"API key for {host} (${name} is not set; leave empty for none)"
        key = click.prompt(asked, default="", hide_input=True, show_default=False, err=True).strip()
    if not key and variable is not None:
        raise UserError(
            f"the environment variable {name} is not set or empty: set it, or leave --api-key-env "
            "out for an endpoint that wants no key"
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UserError(f"what {name} holds cannot be a key: it has blanks or special characters")
    return key or None


def contract(name_or_path: str) -> Contract:
    """Load a contract.

    Raises:
        UserError: there is none of that name, or the file cannot be read.
    """
    try:
        return load_contract(name_or_path)
    except ContractError as error:
        raise UserError(f"--contract: {error}") from None
