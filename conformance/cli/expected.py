"""``--expected``: read the file of expected deviations, and extend or prune it after a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_chunks, write_text
from conformance.cli.terminal import say
from conformance.engine.discovery import all_checks
from conformance.expectations.reading import TODO, ExpectedFileError, lines_of, read_expected
from conformance.expectations.writing import EditError, extended, pruned
from conformance.input_files import InputError, is_file, read_file
from conformance.model import EntryKind, Expectation, ExpectedFile, Header, Run
from conformance.record.expected import day_of, with_expected
from conformance.record.line import to_line
from conformance.report.locale.terms import plural

Function = TypeVar("Function", bound=Callable[..., Any])

NONE = "none"
"""The value of ``--expected`` that ignores the file of a target."""

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Expecting:
    """What a run does with a file of expected deviations.

    Attributes:
        path: the file; it may be missing only if ``update`` is set.
        update: whether to add an entry for each new deviation after the run.
        prune: whether to remove stale entries after the run.
        text: what the file says when the run starts.
        file: its entries.
    """

    path: Path
    update: bool
    prune: bool
    text: str
    file: ExpectedFile


def with_expected_file(function: Function) -> Function:
    """Add ``--expected``, ``--expected-update`` and ``--expected-prune``."""
    file = click.option(
        "--expected",
        "expected_name",
        metavar="FILE",
        help="YAML file of deviations that are known: they do not fail the run, and new ones or "
        "those that are gone do. `none` ignores the file of a target. [default: expected in "
        "conformance.toml, or TARGET.expected.yaml beside it]",
    )
    update = click.option(
        "--expected-update",
        is_flag=True,
        help="After the run, add its new deviations to the file; each needs a reason before the "
        "next run.",
    )
    prune = click.option(
        "--expected-prune",
        is_flag=True,
        help="After the run, remove entries that no longer apply from the file.",
    )
    return file(update(prune(function)))


def expecting(path: Path | None, *, update: bool = False, prune: bool = False) -> Expecting | None:
    """Read the file of expected deviations before a run; None without a file.

    Raises:
        UsageError: the file is to be changed, and there is none.
        UserError: the file cannot be read or has mistakes; all of them are printed.
    """
    if path is None:
        if update or prune:
            option = "--expected-update" if update else "--expected-prune"
            raise click.UsageError(f"{option} changes a file; name it with --expected FILE")
        return None
    if update and not is_file(path):
        return Expecting(path, update, prune, "", ExpectedFile(str(path)))
    try:
        text = _read(path)
        file = read_expected(path, all_checks())
    except ExpectedFileError as error:
        *others, last = error.mistakes
        for mistake in others:
            say(mistake)
        hint = "" if is_file(path) else "; --expected-update creates it"
        raise UserError(f"{last}{hint}") from None
    return Expecting(path, update, prune, text, file)


def _read(path: Path) -> str:
    try:
        return read_file(path, MAX_BYTES).decode()
    except InputError as error:
        raise ExpectedFileError(str(error)) from None
    except UnicodeDecodeError:
        raise ExpectedFileError(f"{path} is not UTF-8 text") from None


def revised(run: Run, expecting: Expecting, record: Path) -> Run:
    """Change the file as asked, and return the run by the changed file.

    The header of the record gets the new entries, so that the record and its reports say the same
    as the file. An incomplete run changes nothing.

    Args:
        run: the run, as it was read from ``record``.
        expecting: the file and what to change in it.
        record: the path of the record.

    Raises:
        UserError: the file was changed in the meantime, or cannot be edited.
        WriteError: it cannot be written.
    """
    expected = run.expected
    if expected is None or not (expecting.update or expecting.prune):
        return run
    if run.footer is None or run.footer.because:
        say(f"{expecting.path} is unchanged, because the run is incomplete")
        return run
    added = expected.new if expecting.update else ()
    removed = expected.stale if expecting.prune else ()
    if not added and not removed:
        say(f"{expecting.path} is unchanged: nothing to {_asked(expecting)}")
        return run
    now = _read(expecting.path) if is_file(expecting.path) else ""
    if now != expecting.text:
        raise UserError(f"{expecting.path} was changed during the run and is left as it is")
    day = day_of(run.header)
    try:
        text = pruned(now, {entry.line for entry in removed}) if removed else now
        text = extended(text, added, day)
    except EditError as error:
        raise UserError(f"{expecting.path} {error}") from None
    write_text(expecting.path, text)
    if removed:
        say(f"removed {plural(len(removed), 'stale entry', 'stale entries')} from {expecting.path}")
    if added:
        entries = plural(len(added), "entry", "entries")
        say(
            f"added {entries} to {expecting.path}; replace each {TODO} by a reason: "
            "the next run refuses the file until then"
        )
    header = _with_entries(run, text, added, removed, day)
    write_chunks(record, _with_header(record, header))
    return with_expected(replace(run, header=header))


def _asked(expecting: Expecting) -> str:
    both = [("add", expecting.update), ("remove", expecting.prune)]
    return " or ".join(word for word, is_asked in both if is_asked)


def _with_entries(
    run: Run,
    text: str,
    added: tuple[str, ...],
    removed: tuple[Expectation, ...],
    day: str,
) -> Header:
    """Return the header with the entries that the file now has."""
    file = run.header.expected
    assert file is not None  # noqa: S101 - the run has expected deviations
    kept = [entry for entry in file.entries if entry not in removed]
    new = [Expectation(EntryKind.CHECK, c, TODO, 0, since=day, checks=(c,)) for c in added]
    lines = lines_of(text.encode())
    entries = (replace(entry, line=line) for entry, line in zip((*kept, *new), lines, strict=True))
    return replace(run.header, expected=replace(file, entries=tuple(entries)))


def _with_header(record: Path, header: Header) -> Iterator[bytes]:
    """Yield the lines of a record with another header."""
    with record.open("rb") as file:
        file.readline()
        yield to_line("header", header)
        while block := file.read(MAX_BYTES):
            yield block
