"""``conformance.toml``: the endpoints that one command judges.

    [defaults]
    tier = "smoke"

    [targets.zero]
    base-url = "https://api.example.com/v1"
    model = "some-model"
    api-key-env = "EXAMPLE_API_KEY"
    contract = "zero"

Everything is made sure of before anything is sent, and every mistake is told, not only the first.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from conformance.contract import DOCUMENTS, ContractError, load_contract
from conformance.model import Limits, Tier, TransportOptions
from conformance.selection import LIVE, Options
from conformance.targets.entry import Entry
from conformance.targets.settings import OWN, SHARED
from conformance.targets.typed import TypedError

FILE = "conformance.toml"

_NAME = re.compile(r"\w[\w-]{0,63}")
_KEY_ITSELF = frozenset({"api-key", "api_key", "apikey", "key", "authorization", "token", "secret"})


class TargetsError(Exception):
    """A file that cannot be used: one sentence for each mistake, with the file and the place."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class _Place:
    """A table of the file, and the sentences about what is wrong in it."""

    name: str
    mistakes: list[str]

    def complain(self, sentence: str) -> None:
        self.mistakes.append(f"{self.name}: {sentence}")


def read_targets(path: Path) -> tuple[Entry, ...]:
    """Read the targets of a file, in its order.

    Raises:
        TargetsError: the file cannot be read, or something in it cannot be used.
    """
    document = _parsed(path)
    top = _Place(str(path), [])
    _unknown(document, ("defaults", "targets"), top)
    shared = document.get("defaults", {})
    settings: dict[str, Any] = {}
    if isinstance(shared, dict):
        settings = _taken(shared, _Place(f"{path}, [defaults]", top.mistakes), own=False)
    else:
        top.complain("defaults has to be a table, [defaults]")
    entries = [
        _entry(str(name), table, settings, path, top.mistakes)
        for name, table in _tables(document, top).items()
    ]
    _distinct(entries, top)
    if top.mistakes:
        raise TargetsError(*top.mistakes)
    return tuple(entry for entry in entries if entry is not None)


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise TargetsError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TargetsError(f"{path} is no TOML: {error}") from None


def _tables(document: Mapping[str, Any], top: _Place) -> Mapping[str, Any]:
    tables = document.get("targets")
    if isinstance(tables, dict) and tables:
        return tables
    top.complain(
        "names no target: add a table [targets.NAME] with base-url and model, or let "
        "`conformance init` write a file to begin with"
    )
    return {}


def _entry(
    name: str, table: Any, shared: Mapping[str, Any], path: Path, mistakes: list[str]
) -> Entry | None:
    """Make a target of a table; None where something in it cannot be used."""
    place = _Place(f"{path}, target {name!r}", mistakes)
    before = len(mistakes)
    if not _NAME.fullmatch(name):
        place.complain(
            "the name becomes that of a folder: use letters, digits, - and _, at most 64, and not "
            "- at the beginning"
        )
    if not isinstance(table, dict):
        place.complain("has to be a table, [targets.NAME]")
        return None
    own = _taken(table, place, own=True)
    settings = {**shared, **own}
    headers = _merged(shared.get("headers", {}), own.get("headers", {}))
    for needed in ("base-url", "model"):
        if needed not in settings and needed not in table:
            place.complain(f"needs {needed}")
    _once(headers, own, place)
    contract = _contract(settings.get("contract", LIVE), path, place)
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
        options=_options(settings),
    )


def _taken(table: Mapping[str, Any], place: _Place, *, own: bool) -> dict[str, Any]:
    """Read the values of a table, each by its key."""
    readers = {**SHARED, **OWN} if own else SHARED
    taken: dict[str, Any] = {}
    for key, value in table.items():
        if key.lower() in _KEY_ITSELF:
            place.complain(
                f"{key} must not stand in a file, which gets copied and committed (what was given "
                "is not repeated here): put the key into an environment variable and name that, "
                'api-key-env = "VARIABLE"'
            )
        elif key in readers:
            try:
                taken[key] = readers[key](value)
            except TypedError as error:
                place.complain(f"{key} {error}")
        elif key in OWN:
            place.complain(f"{key} belongs to one target alone: move it to [targets.NAME]")
    rest = [key for key in table if key not in OWN and key.lower() not in _KEY_ITSELF]
    _unknown(rest, tuple(readers), place)
    return taken


def _unknown(keys: Iterable[str], known: tuple[str, ...], place: _Place) -> None:
    for key in keys:
        if key in known:
            continue
        near = get_close_matches(key.lower().replace("_", "-"), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
        place.complain(f"there is no {key!r}; {hint}")


def _merged(shared: Mapping[str, str], own: Mapping[str, str]) -> Mapping[str, str]:
    """Put headers together; a target's own replaces the one of all, whatever its case."""
    replaced = {name.lower() for name in own}
    kept = {name: value for name, value in shared.items() if name.lower() not in replaced}
    return {**kept, **own}


def _once(headers: Mapping[str, str], own: Mapping[str, Any], place: _Place) -> None:
    """Make sure that nothing fills one header twice."""
    plain = {name.lower() for name in headers}
    for name in own.get("headers-env", {}):
        if name.lower() in plain:
            place.complain(f"headers and headers-env both have {name}; keep one of them")
        if name.lower() == "authorization" and "api-key-env" in own:
            place.complain("headers-env has Authorization, which api-key-env fills; keep one")


def _contract(name: str, path: Path, place: _Place) -> str:
    """Find a contract; the path of an overlay begins where the file lies."""
    found = name if name in DOCUMENTS else str(path.parent / name)
    try:
        load_contract(found)
    except ContractError as error:
        near = get_close_matches(name, DOCUMENTS, n=1)
        place.complain(f"contract {error}" + (f"; did you mean {near[0]}?" if near else ""))
    return found


def _options(settings: Mapping[str, Any]) -> Options:
    usual = Options()
    return Options(
        tier=settings.get("tier", Tier.STANDARD),
        limits=Limits(settings.get("max-requests"), settings.get("max-spend-tokens")),
        transport=TransportOptions(
            concurrency=settings.get("concurrency", usual.transport.concurrency),
            rate=settings.get("rate"),
            timeout=settings.get("timeout", usual.transport.timeout),
        ),
        seed=settings.get("seed", usual.seed),
        strict=settings.get("strict", usual.strict),
    )


def _distinct(entries: list[Entry | None], top: _Place) -> None:
    """Make sure that no two names become one folder on a disk that ignores case."""
    seen: dict[str, str] = {}
    for entry in entries:
        if entry is None:
            continue
        other = seen.setdefault(entry.name.casefold(), entry.name)
        if other != entry.name:
            top.complain(f"the targets {other!r} and {entry.name!r} differ by their case alone")
