"""``--resume``, ``--shard`` and what names a run: runs that are given up and taken up.

A run is taken up by the same command with ``--resume DIR`` in place of ``--out DIR``. What the
record holds decides nothing but what is not sent again: the endpoint, the key and the checks are
those of the command, so that a record from elsewhere cannot send a key anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from conformance.cli import inputs
from conformance.cli.exit_codes import UserError
from conformance.cli.folder import COMPRESSED, RECORD, claimed, record_in
from conformance.contract import Contract
from conformance.engine.header import header_of
from conformance.engine.resumption import (
    NOTHING_EARLIER,
    Earlier,
    UndatedRunError,
    earlier_of,
    has_ended,
    is_open,
)
from conformance.engine.selection import Options
from conformance.input_files import is_file, is_folder, one_line
from conformance.model import Header, Target
from conformance.record.line import RunFileError
from conformance.record.ndjson import MAX_LINE_BYTES, RunWriter, read_run
from conformance.record.resumed import ResumedWriter
from conformance.report.locale.terms import plural
from conformance.targets.parsing import TypedError
from conformance.targets.settings import MAX_REGION_CHARS
from conformance.targets.shards import Shard, read_shard

Function = TypeVar("Function", bound=Callable[..., Any])

MAX_LABEL_CHARS = MAX_REGION_CHARS
NEW = "begin a new run with --out"
HOW_TO_REPEAT = "and --repeat-inconclusive would send again what inconclusive checks sent"


@dataclass(frozen=True, slots=True)
class Resume:
    """What ``--resume`` asks for: the folder, and whether inconclusive checks are repeated."""

    folder: Path
    repeat: bool = False


def taking_up(function: Function) -> Function:
    """Add ``--resume``, ``--repeat-inconclusive``, ``--shard``, ``--region`` and ``--as``."""
    for option in reversed(
        (
            click.option(
                "--resume",
                type=inputs.FOLDER,
                metavar="DIR",
                help="Take up the run in this folder: skip targets that are finished, send only "
                "what is not recorded. Repeat the command of the run with this in place of --out.",
            ),
            click.option(
                "--repeat-inconclusive",
                is_flag=True,
                help="With --resume, also in finished runs, send again what inconclusive checks "
                "sent.",
            ),
            click.option(
                "--shard",
                callback=_shard,
                metavar="NUMBER/COUNT",
                help="Test only this part of the targets in the file, such as 1/4; a target's part "
                "depends on its name.",
            ),
            click.option(
                "--region",
                callback=partial(word, "region"),
                metavar="NAME",
                help="Where the requests are sent from; runs from different regions are kept "
                "apart.",
            ),
            click.option(
                "--as",
                "label",
                callback=partial(word, "label"),
                metavar="LABEL",
                help="Name the run, such as a release, instead of its day.",
            ),
        )
    ):
        function = option(function)
    return function


def _shard(ctx: click.Context, param: click.Parameter, value: str | None) -> Shard | None:
    if value is None:
        return None
    try:
        return read_shard(value)
    except TypedError as error:
        raise click.BadParameter(f"{one_line(repr(value), 60)} {error}.", ctx, param) from None


def word(what: str, ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Read a name that the user gives a region or a run."""
    if value is None:
        return None
    typed = value.strip()
    if not typed or not typed.isprintable() or len(typed) > MAX_LABEL_CHARS:
        raise click.BadParameter(
            f"a {what} has 1 to {MAX_LABEL_CHARS} characters on one line.", ctx, param
        )
    return typed


def assert_usable(given: dict[str, Any]) -> None:
    """Check how the options go together.

    Raises:
        UsageError: two of them contradict each other, or one needs another.
    """
    if given["resume"] is None:
        if given["repeat_inconclusive"]:
            raise click.UsageError("--repeat-inconclusive needs --resume DIR")
        return
    if given["out"] is not None:
        raise click.UsageError("--resume and --out cannot be combined: --resume continues a folder")
    if given["dry_run"]:
        raise click.UsageError("--resume and --dry-run cannot be combined")


def parts_of(entries: Sequence[Any], shard: Shard | None) -> list[Any]:
    """Return the entries of a targets file that are in a shard; all without one."""
    return [entry for entry in entries if shard is None or shard.holds(entry.name)]


@contextmanager
def existing_folder(folder: Path) -> Iterator[Path]:
    """Use the folder of an incomplete run; no other process can at the same time.

    Raises:
        UserError: there is no such folder, or another run is using it.
    """
    if not is_folder(folder):
        raise UserError(
            f"there is no folder {folder} to resume; name the folder of the run, or {NEW}"
        )
    with claimed(folder) as is_ours:
        if not is_ours:
            raise UserError(f"another run is using the folder {folder}; wait until it has ended")
        yield folder


def assert_of_targets(folder: Path) -> None:
    """Check that a folder is not that of a single endpoint, whose reports a matrix would replace.

    Raises:
        UserError: it is.
    """
    record = record_in(folder)
    if record is not None:
        raise UserError(
            f"cannot resume {record}: it is the run of one endpoint, and this command tests the "
            f"targets of a file; repeat the command of the run, or {NEW}"
        )


class State(Enum):
    """How far the run of one target is."""

    NEW = auto()
    BROKEN_OFF = auto()
    FINISHED = auto()


@dataclass(frozen=True, slots=True)
class TakenUp:
    """The state of one target's run, and what its record hands on."""

    state: State
    earlier: Earlier = NOTHING_EARLIER

    @property
    def sentence(self) -> str:
        """What is taken over."""
        header = self.earlier.header
        began = f" of the run of {header.started_at}" if header else ""
        count = plural(len(self.earlier.exchanges), "recorded exchange", "recorded exchanges")
        return f"takes over {count}{began}; only the rest is sent"

    def writer(self, folder: Path) -> RunWriter:
        """Open the record: a new one, or the incomplete one.

        Raises:
            RecordError: it cannot be created or continued.
        """
        record = folder / RECORD
        if self is BEGINNING or not is_file(record):
            return RunWriter(record)
        return ResumedWriter(record, self.earlier.exchanges)


_HEADER = b'{"kind":"header"'
"""The beginning of a record."""

BEGINNING = TakenUp(State.NEW)
"""The first part of a run, in a new folder."""


def taken_up(
    folder: Path,
    target: Target,
    contract: Contract,
    options: Options,
    *,
    repeat: bool,
    is_bundled: bool = False,
) -> TakenUp:
    """Return how far the run in a folder is, and what is taken over from its record.

    Args:
        folder: the folder of one target.
        target: that of this command.
        contract: that of this command.
        options: those of this command.
        repeat: send again what inconclusive checks sent.
        is_bundled: whether it is the bundled server, whose port changes from run to run.

    Raises:
        UserError: the record cannot be read, or is of another run; or the folder has other files
            and no record.
    """
    record = record_in(folder) or folder / RECORD
    if is_folder(folder) and not is_file(record) and any(folder.iterdir()):
        raise UserError(f"the folder {folder} has no record {RECORD} to resume; {NEW}")
    if not is_file(record) or not _has_begun(record):
        return TakenUp(State.NEW)
    try:
        run = read_run(record)
    except RunFileError as error:
        again = f"move the folder {folder} away, and its target is run anew, or "
        raise UserError(f"{error}; {again if target.name else ''}{NEW}") from None
    today = header_of(target, contract, options)
    if is_bundled and urlsplit(run.header.base_url).hostname == urlsplit(today.base_url).hostname:
        today = replace(today, base_url=run.header.base_url)
    other = difference(run.header, today)
    if other is not None:
        raise UserError(f"cannot resume {record}: {other}; {NEW}")
    if has_ended(run) and not (repeat and is_open(run)):
        return TakenUp(State.FINISHED)
    if record.name == COMPRESSED:
        raise UserError(f"cannot resume {record}: it is compressed; decompress it with `gunzip`")
    try:
        return TakenUp(State.BROKEN_OFF, earlier_of(run, contract, repeat=repeat))
    except UndatedRunError as error:
        raise UserError(f"cannot resume {record}: {error}; {NEW}") from None


def _has_begun(record: Path) -> bool:
    """Return whether a record has a header; a run that was killed before it begins anew."""
    try:
        with record.open("rb") as file:
            first = file.readline(len(_HEADER))
            is_cut = not file.readline(MAX_LINE_BYTES).endswith(b"\n")
    except OSError as error:
        raise UserError(f"cannot resume {record}: {error.strerror}") from None
    return bool(first) and not (_HEADER.startswith(first) and is_cut)


def difference(recorded: Header, today: Header) -> str | None:
    """Return in which way a command would make another run than the recorded one; None if in none.

    Limits, timeouts and what only judges, such as ``--strict``, may differ.
    """
    for what, value in _SAME.items():
        then, now = value(recorded), value(today)
        if then != now:
            return one_line(f"its {what} is {then}, and that of this command is {now}", 400)
    if dict(recorded.headers) != dict(today.headers):
        return "its headers have other values than those of this command"
    return None


_SAME: Mapping[str, Callable[[Header], object]] = {
    "suite version": lambda header: header.recorded_by or header.suite_version,
    "target": lambda header: header.target or "without a name",
    "base URL": lambda header: header.base_url,
    "model": lambda header: header.model,
    "tier": lambda header: header.tier.value,
    "seed": lambda header: header.seed,
    "region": lambda header: header.region or "unnamed",
    "label": lambda header: header.label or "unnamed",
    "contract": lambda header: header.contract,
    "contract's SHA-256": lambda header: header.contract_digest or "unknown",
    "--select": lambda header: " ".join(header.select) or "not given",
    "--exclude": lambda header: " ".join(header.exclude) or "not given",
    "--stage": lambda header: header.stage.value if header.stage else "not given",
    "--profile": lambda header: " ".join(header.profiles) or "not given",
    "list of headers": lambda header: ", ".join(sorted(header.headers)) or "empty",
}
"""What has to be the same in all parts of a run, by the words for it."""
