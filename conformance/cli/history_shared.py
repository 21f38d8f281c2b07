"""What the commands of ``conformance history`` share: options, and what is said of mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from conformance.cli.exit_codes import UserError
from conformance.cli.inputs import FOLDER
from conformance.cli.terminal import say
from conformance.history import (
    Entry,
    History,
    IndexBrokenError,
    IndexBusyError,
    IndexUnwritableError,
    NoHistoryError,
)
from conformance.input_files import is_folder, one_line
from conformance.record.line import RunFileError

Function = TypeVar("Function", bound=Callable[..., Any])

FOLDER_NAME = "history"
REBUILD = "`conformance history rebuild` makes it again from the records"
BEGIN = "`conformance history add DIR` begins one, and --history names another"
_AGO = re.compile(r"([0-9]{1,5})d")


def in_folder(function: Function) -> Function:
    """Add ``--history``, the folder of the history."""
    return click.option(
        "--history",
        "folder",
        type=FOLDER,
        default=FOLDER_NAME,
        show_default=True,
        metavar="DIR",
        help="Folder of the history.",
    )(function)


def day(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """Read a day, or a number of days ago; an empty text is none."""
    if value is None:
        return ""
    ago = _AGO.fullmatch(value.strip())
    try:
        if ago:
            return (datetime.now(UTC).date() - timedelta(days=int(ago[1]))).isoformat()
        return date.fromisoformat(value.strip()).isoformat()
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{one_line(repr(value), 60)} is no day, such as 2026-12-01 or 30d for 30 days ago.",
            ctx,
            param,
        ) from None


def between(function: Function) -> Function:
    """Add ``--since`` and ``--before``, as the beginnings of the times that they name."""
    since = click.option(
        "--since", callback=day, metavar="DAY", help="Only runs from this day on, such as 30d."
    )
    before = click.option(
        "--before", callback=day, metavar="DAY", help="Only runs before this day."
    )
    return since(before(function))


def as_text_or_json(function: Function) -> Function:
    """Add ``--format``, text or JSON."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How the result is printed.",
    )(function)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what goes wrong with the files of a history into one sentence.

    Raises:
        UserError: with it.
    """
    try:
        with index_sentences():
            yield
    except RunFileError as error:
        raise UserError(str(error)) from None


@contextmanager
def index_sentences() -> Iterator[None]:
    """Turn what goes wrong with the index into one sentence.

    Raises:
        UserError: with it.
    """
    try:
        yield
    except IndexBusyError as error:
        raise UserError(f"{error}; try again when it has ended") from None
    except IndexUnwritableError as error:
        raise UserError(
            f"{error}, which is needed to read it, too; use an account that can write there, or a "
            "copy of the folder"
        ) from None
    except NoHistoryError as error:
        raise UserError(f"{error}; {BEGIN}") from None
    except IndexBrokenError as error:
        raise UserError(f"{error}; {REBUILD}") from None


def existing(folder: Path) -> History:
    """Return a history that is there.

    Raises:
        UserError: it is not.
    """
    if not is_folder(folder):
        raise UserError(f"there is no history {folder}; {BEGIN}")
    return History(folder, say)


def found(
    folder: Path, targets: Sequence[str], since: str = "", before: str = ""
) -> tuple[History, list[Entry]]:
    """Return a history and its runs of some targets between two days.

    Raises:
        UserError: there is no history, or it cannot be read.
    """
    kept = existing(folder)
    with sentences(), kept.index() as index:
        return kept, index.entries(targets, since=since, before=before)


def assert_all_read(mistakes: Sequence[str]) -> None:
    """Say which records could not be read, once everything was done with the others.

    Raises:
        UserError: there are any.
    """
    for mistake in mistakes[:-1]:
        say(mistake)
    if mistakes:
        raise UserError(mistakes[-1])
