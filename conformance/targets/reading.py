"""Read ``conformance.toml``, the file that lists the targets to test.

    [defaults]
    tier = "smoke"

    [targets.zero]
    base-url = "https://api.example.com/v1"
    model = "some-model"
    api-key-env = "EXAMPLE_API_KEY"
    contract = "zero"

The whole file is validated before anything is sent, and all mistakes are reported.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from conformance.contract import CONTRACTS, ContractError, load_contract
from conformance.engine.selection import LIVE, Options
from conformance.input_files import MIB, InputError, is_file, one_line, read_file
from conformance.model import Limits, Tier, TransportOptions
from conformance.profiles import ProfileError
from conformance.targets.clients import for_profiles, read_profiles
from conformance.targets.entry import Entry
from conformance.targets.parsing import TypedError
from conformance.targets.settings import OWN, SHARED
from conformance.targets.watching import Shared, of_all, of_target

FILE = "conformance.toml"
EXPECTED = ".expected.yaml"
"""After the name of a target: its file of expected deviations, beside the targets file."""

MAX_BYTES = MIB
MAX_TARGETS = 1_000
MAX_MISTAKES = 20
MAX_KEY_CHARS = 80
MAX_SENTENCE_CHARS = 600

_PART = rb"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_DEEP_KEY = re.compile(rb"(?<![\w-])(?:" + _PART + rb"){50}")
"""A dotted key of 50 parts: the time that :mod:`tomllib` takes is quadratic in their number."""

_LONG_NUMBER = re.compile(rb"[0-9_]{4300,}")
_NAME = re.compile(r"\w[\w-]{0,63}")
_OWN = {**OWN, "watch": of_target}
_KEY_ITSELF = frozenset({"api-key", "api_key", "apikey", "key", "authorization", "token", "secret"})


class TargetsError(Exception):
    """An invalid targets file; ``mistakes`` has one message each, with file and place."""

    def __init__(self, *mistakes: str) -> None:
        shown = tuple(one_line(mistake, MAX_SENTENCE_CHARS) for mistake in mistakes)
        super().__init__(*shown)
        self.mistakes = shown


@dataclass(frozen=True, slots=True)
class _Place:
    """A table of the file and the mistakes found in it."""

    name: str
    mistakes: list[str]

    def complain(self, sentence: str) -> None:
        self.mistakes.append(f"{self.name}: {sentence}")
        if len(self.mistakes) >= MAX_MISTAKES:
            raise TargetsError(*self.mistakes, f"{self.name}: correct these mistakes first")


def read_targets(path: Path) -> tuple[Entry, ...]:
    """Read the targets of a file in order.

    Raises:
        TargetsError: the file cannot be read or is invalid.
    """
    return read_all(path)[0]


def read_all(path: Path) -> tuple[tuple[Entry, ...], Shared]:
    """Read the targets of a file in order, and what it says about watching them.

    Raises:
        TargetsError: the file cannot be read or is invalid.
    """
    document = _parsed(path)
    top = _Place(str(path), [])
    _unknown(document, ("defaults", "targets", "watch"), top)
    shared = document.get("defaults", {})
    settings: dict[str, Any] = {}
    if isinstance(shared, dict):
        settings = _taken(shared, _Place(f"{path}, [defaults]", top.mistakes), own=False)
    else:
        top.complain("defaults must be a table, [defaults]")
    entries = [
        _entry(str(name), table, settings, path, top.mistakes)
        for name, table in _tables(document, top).items()
    ]
    _distinct(entries, top)
    watch = Shared()
    try:
        watch = of_all(document.get("watch", {}))
    except TypedError as error:
        top.complain(f"[watch] {error}")
    if top.mistakes:
        raise TargetsError(*top.mistakes)
    return tuple(entry for entry in entries if entry is not None), watch


def _parsed(path: Path) -> dict[str, Any]:
    try:
        raw = read_file(path, MAX_BYTES)
    except InputError as error:
        raise TargetsError(str(error)) from None
    deep = _DEEP_KEY.search(raw)
    if deep is not None:
        number = raw[: deep.start()].count(b"\n") + 1
        raise TargetsError(f"{path}, line {number}: has a key with too many dots")
    try:
        return tomllib.loads(raw.decode())
    except UnicodeDecodeError as error:
        number = raw[: error.start].count(b"\n") + 1
        raise TargetsError(f"{path}, line {number}: is not UTF-8 text") from None
    except RecursionError:
        raise TargetsError(f"{path} is not valid TOML: it is nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        hint = "; save it without a byte order mark" if raw.startswith(codecs.BOM_UTF8) else ""
        raise TargetsError(f"{path} is not valid TOML: {error}{hint}") from None
    except ValueError as error:
        # Values that only Python rejects: 5,000 digits, a 31st of February.
        long = _LONG_NUMBER.search(raw)
        if long is None:
            raise TargetsError(f"{path} is not valid TOML: {error}") from None
        number = raw[: long.start()].count(b"\n") + 1
        raise TargetsError(f"{path}, line {number}: has a number with too many digits") from None


def _tables(document: Mapping[str, Any], top: _Place) -> Mapping[str, Any]:
    tables = document.get("targets")
    if isinstance(tables, dict) and len(tables) > MAX_TARGETS:
        top.complain(f"has more than {MAX_TARGETS:,} targets")
        return {}
    if isinstance(tables, dict) and tables:
        return tables
    top.complain(
        "no targets; add a table [targets.NAME] with base-url and model, or create a file "
        "with `conformance init`"
    )
    return {}


def _entry(
    name: str, table: Any, shared: Mapping[str, Any], path: Path, mistakes: list[str]
) -> Entry | None:
    """Make a target from a table; None if it is invalid."""
    place = _Place(f"{path}, target {one_line(repr(name), MAX_KEY_CHARS)}", mistakes)
    before = len(mistakes)
    if not _NAME.fullmatch(name):
        place.complain(
            "the name is used as a folder name: use at most 64 letters, digits, - and _, and do "
            "not start with -"
        )
    if not isinstance(table, dict):
        place.complain("must be a table, [targets.NAME]")
        return None
    own = _taken(table, place, own=True)
    settings = {**shared, **own}
    headers = _merged(shared.get("headers", {}), own.get("headers", {}))
    for needed in ("base-url", "model"):
        if needed not in settings and needed not in table:
            place.complain(f"{needed} is required")
    _once(headers, own, place)
    contract = _contract(settings.get("contract", LIVE), path, place)
    options = _for_clients(_options(settings), settings.get("profile", ()), path, place)
    if len(mistakes) > before or not {"base-url", "model"} <= set(settings):
        return None
    return Entry(
        name=name,
        base_url=settings["base-url"],
        model=settings["model"],
        contract=contract,
        api_key_env=own.get("api-key-env"),
        headers=headers,
        headers_env=own.get("headers-env", {}),
        options=options,
        expected=_expected(name, own, path),
        path=own.get("path"),
        prices=settings.get("prices"),
        balance=own.get("balance"),
        tokenizer=(own["tokenizer"], path.parent) if "tokenizer" in own else None,
        watch=own.get("watch", {}),
    )


def _expected(name: str, own: Mapping[str, Any], path: Path) -> Path | None:
    """Return the named file of expected deviations, or the one beside the targets file."""
    if "expected" in own:
        return path.parent / str(own["expected"])
    beside = expected_beside(path, name)
    return beside if is_file(beside) else None


def expected_beside(path: Path, name: str) -> Path:
    """Return where the expected deviations of a target are, if its table names no other file.

    Args:
        path: the targets file.
        name: the name of the target.
    """
    return path.parent / f"{name}{EXPECTED}"


def _taken(table: Mapping[str, Any], place: _Place, *, own: bool) -> dict[str, Any]:
    """Read the values of a table, each by its key."""
    readers = {**SHARED, **_OWN} if own else SHARED
    taken: dict[str, Any] = {}
    for key, value in table.items():
        if key.lower() in _KEY_ITSELF:
            place.complain(
                f"{key} must not be in a file that may be shared or committed (the value is not "
                "shown here): put the key into an environment variable and use "
                'api-key-env = "VARIABLE"'
            )
        elif key in readers:
            try:
                taken[key] = readers[key](value)
            except TypedError as error:
                place.complain(f"{key} {error}")
        elif key in _OWN:
            place.complain(f"{key} is not allowed in [defaults]; move it to [targets.NAME]")
    rest = [key for key in table if key not in _OWN and key.lower() not in _KEY_ITSELF]
    _unknown(rest, tuple(readers), place)
    return taken


def _unknown(keys: Iterable[str], known: tuple[str, ...], place: _Place) -> None:
    for key in keys:
        if key in known:
            continue
        near = get_close_matches(key[:MAX_KEY_CHARS].lower().replace("_", "-"), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"valid keys: {', '.join(sorted(known))}"
        place.complain(f"unknown key {one_line(repr(key), MAX_KEY_CHARS)}; {hint}")


def _merged(shared: Mapping[str, str], own: Mapping[str, str]) -> Mapping[str, str]:
    """Merge headers; a target's own value has precedence, ignoring case."""
    replaced = {name.lower() for name in own}
    kept = {name: value for name, value in shared.items() if name.lower() not in replaced}
    return {**kept, **own}


def _once(headers: Mapping[str, str], own: Mapping[str, Any], place: _Place) -> None:
    """Check that no header is set twice."""
    without_secrets = {name.lower() for name in headers}
    for name in own.get("headers-env", {}):
        if name.lower() in without_secrets:
            place.complain(f"headers and headers-env both set {name}; remove one of them")
        if name.lower() == "authorization" and "api-key-env" in own:
            place.complain("headers-env and api-key-env both set Authorization; remove one of them")


def _contract(name: str, path: Path, place: _Place) -> str:
    """Load a contract; the path of an overlay is relative to the targets file."""
    found = name if name in CONTRACTS else str(path.parent / name)
    try:
        load_contract(found)
    except ContractError as error:
        near = get_close_matches(name, CONTRACTS, n=1)
        place.complain(f"contract: {error}" + (f"; did you mean {near[0]}?" if near else ""))
    return found


def _for_clients(options: Options, names: Sequence[str], path: Path, place: _Place) -> Options:
    """Return the options of a run for clients; a profile's path is relative to the targets file."""
    try:
        return for_profiles(options, read_profiles(names, path.parent))
    except ProfileError as error:
        place.complain(f"profile: {error}")
        return options


def _options(settings: Mapping[str, Any]) -> Options:
    defaults = Options()
    return Options(
        tier=settings.get("tier", Tier.STANDARD),
        limits=Limits(settings.get("max-requests"), settings.get("max-spend-tokens")),
        transport=TransportOptions(
            rate=settings.get("rate"),
            timeout=settings.get("timeout", defaults.transport.timeout),
        ).at_most(settings.get("concurrency")),
        seed=settings.get("seed", defaults.seed),
        strict=settings.get("strict", defaults.strict),
        region=settings.get("region"),
        objectives=settings.get("slo", ()),
    )


def _distinct(entries: list[Entry | None], top: _Place) -> None:
    """Check that no two names are the same folder on a case-insensitive file system."""
    seen: dict[str, str] = {}
    for entry in entries:
        if entry is None:
            continue
        other = seen.setdefault(entry.name.casefold(), entry.name)
        if other != entry.name:
            top.complain(
                f"the targets {other!r} and {entry.name!r} differ only in case; rename one of them"
            )
