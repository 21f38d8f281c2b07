"""Read a file of expected deviations, and report all of its mistakes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from conformance.checks import Check
from conformance.contract.yaml_text import YamlError, parse_yaml
from conformance.input_files import MIB, InputError, one_line, read_file
from conformance.model import EntryKind, Expectation, ExpectedFile, State, Verdict
from conformance.record.expected import EXPECTABLE

TODO = "TODO"
"""The reason that ``--expected-update`` writes, and that no run accepts."""

MAX_BYTES = MIB
MAX_ENTRIES = 1_000
MAX_MISTAKES = 20
MAX_TEXT_CHARS = 500
MAX_SHOWN_CHARS = 80

OPTIONAL = ("url", "since", "expires", "intermittent", "verdict", "state")
KEYS = ("check", "requirement", "reason", *OPTIONAL)
STATES = (State.ALTERED, State.IGNORED, State.REFUSED, State.UNCLEAR)
"""States that an entry can expect: those with a deviation, or with nothing judged."""


class ExpectedFileError(Exception):
    """An invalid file; ``mistakes`` has one sentence each, with file and line."""

    def __init__(self, *mistakes: str) -> None:
        shown = tuple(one_line(mistake) for mistake in mistakes)
        super().__init__(*shown)
        self.mistakes = shown


class _Mistake(Exception):  # noqa: N818 - what is wrong with one entry, as the end of a sentence
    pass


@dataclass(frozen=True, slots=True)
class _Known:
    """The ids that entries can name."""

    checks: Collection[str]
    requirements: Collection[str]

    def of(self, kind: EntryKind) -> Collection[str]:
        return self.checks if kind is EntryKind.CHECK else self.requirements


def read_expected(path: Path, checks: Iterable[Check]) -> ExpectedFile:
    """Read a file of expected deviations.

    Args:
        path: the file.
        checks: all checks, whose ids and requirements entries can name.

    Raises:
        ExpectedFileError: it cannot be read, is no list of entries, or has mistakes.
    """
    try:
        raw = read_file(path, MAX_BYTES)
        parsed = parse_yaml(raw)
    except InputError as error:
        raise ExpectedFileError(str(error)) from None
    except YamlError as error:
        raise ExpectedFileError(f"{path}: {error}") from None
    known_checks = {check.id: check.requirement for check in checks}
    known = _Known(known_checks.keys(), frozenset(known_checks.values()))
    entries, mistakes = _entries(parsed, lines_of(raw), known)
    if mistakes:
        raise ExpectedFileError(*(f"{path}{mistake}" for mistake in mistakes))
    return ExpectedFile(str(path), tuple(entries))


def lines_of(raw: bytes) -> list[int]:
    """Return the line, from 1, on which each item of the outermost list begins."""
    node = yaml.compose(raw, Loader=yaml.SafeLoader)
    items = node.value if isinstance(node, yaml.SequenceNode) else []
    return [item.start_mark.line + 1 for item in items]


def _entries(parsed: Any, lines: list[int], known: _Known) -> tuple[list[Expectation], list[str]]:
    """Return the entries, and the mistakes of the others."""
    if parsed is None:
        return [], []
    if not isinstance(parsed, list):
        return [], [": must be a list of entries, each beginning with `- check: ID`"]
    if len(parsed) > MAX_ENTRIES:
        return [], [f": has more than {MAX_ENTRIES:,} entries; use globs"]
    entries: list[Expectation] = []
    mistakes: list[str] = []
    first_lines: dict[tuple[object, ...], int] = {}
    for line, item in zip(lines, parsed, strict=True):
        found = list(_mistakes_of(item, known))
        if not found:
            entry = _entry(item, line)
            same = (entry.kind, entry.name, entry.verdict, entry.state)
            first = first_lines.setdefault(same, line)
            if first == line:
                entries.append(entry)
                continue
            found = [f"expects the same as line {first}; remove one of them"]
        mistakes += [f", line {line}: {sentence}" for sentence in found]
        if len(mistakes) >= MAX_MISTAKES:
            return [], [*mistakes[:MAX_MISTAKES], ": correct these mistakes first"]
    return entries, mistakes


def _entry(item: Mapping[str, Any], line: int) -> Expectation:
    """Make an entry from an item without mistakes."""
    kind = _kind_of(item)
    return Expectation(
        kind=kind,
        name=item[kind.value],
        reason=item["reason"].strip(),
        line=line,
        url=item.get("url"),
        since=item.get("since"),
        expires=item.get("expires"),
        intermittent=item.get("intermittent", False),
        verdict=Verdict(item["verdict"]) if "verdict" in item else None,
        state=State(item["state"]) if "state" in item else None,
    )


def _kind_of(item: Mapping[str, Any]) -> EntryKind:
    return EntryKind.CHECK if "check" in item else EntryKind.REQUIREMENT


def _mistakes_of(item: Any, known: _Known) -> Iterator[str]:
    if not isinstance(item, dict):
        yield "must be an entry with `check` or `requirement`, and a `reason`"
        return
    for key in item:
        if key not in KEYS:
            near = get_close_matches(key[:MAX_SHOWN_CHARS].lower(), KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"valid keys: {', '.join(KEYS)}"
            yield f"unknown key {_shown(key)}; {hint}"
    readers: dict[str, Callable[[Any], None]] = {
        "reason": _reason,
        "url": _url,
        "since": _since,
        "expires": _day,
        "intermittent": _truth,
        "verdict": lambda value: _one_of(value, EXPECTABLE),
        "state": lambda value: _one_of(value, STATES),
    }
    if ("check" in item) == ("requirement" in item):
        yield "needs either `check` or `requirement`"
    else:
        kind = _kind_of(item)
        readers[kind.value] = lambda value: _name(value, kind, known)
    if "reason" not in item:
        yield "needs a `reason`: why is this deviation accepted?"
    for key, take in readers.items():
        if key in item:
            try:
                take(item[key])
            except _Mistake as mistake:
                yield f"{key} {mistake}"


def _name(value: Any, kind: EntryKind, known: _Known) -> None:
    _text(value)
    names = known.of(kind)
    if any(fnmatchcase(name, value) for name in names):
        return
    other = EntryKind.REQUIREMENT if kind is EntryKind.CHECK else EntryKind.CHECK
    if value in known.of(other):
        raise _Mistake(f"{value} is the id of a {other}; write `{other}: {value}`")
    near = get_close_matches(value, names, n=1)
    hint = f"did you mean {near[0]}?" if near else "`conformance list` shows all checks"
    raise _Mistake(f"{_shown(value)} names no {kind}; {hint}")


def _text(value: Any) -> None:
    if not isinstance(value, str) or not value.strip():
        raise _Mistake("must be a text")
    if len(value) > MAX_TEXT_CHARS:
        raise _Mistake(f"must have at most {MAX_TEXT_CHARS} characters")


def _reason(value: Any) -> None:
    _text(value)
    if value.strip().rstrip(".:!").upper() == TODO:
        raise _Mistake(f"is still {TODO}: say why this deviation is accepted")


def _url(value: Any) -> None:
    _text(value)
    try:
        is_usable = urlsplit(value).scheme in {"http", "https"} and value.isprintable()
    except ValueError:
        is_usable = False
    if not is_usable or " " in value:
        raise _Mistake("must be an address that begins with https:// or http://")


def _since(value: Any) -> None:
    _text(value)


def _day(value: Any) -> None:
    try:
        is_day = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        is_day = False
    if not is_day:
        raise _Mistake("must be a date, such as 2027-03-31")


def _truth(value: Any) -> None:
    if not isinstance(value, bool):
        raise _Mistake("must be true or false")


def _one_of(value: Any, words: Iterable[str]) -> None:
    names = [str(word) for word in words]
    if value not in names:
        raise _Mistake(f"must be one of {', '.join(names)}")


def _shown(value: object) -> str:
    return one_line(repr(value), MAX_SHOWN_CHARS)
