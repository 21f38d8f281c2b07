"""The output folder of a run: always new or empty, so that no older run is overwritten."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from conformance.cli.exit_codes import UserError
from conformance.cli.files import WriteError, together, write_text
from conformance.cli.outputs import RENDERED, Rendered
from conformance.input_files import is_file, is_folder, one_line
from conformance.model import Run
from conformance.record.line import RunFileError
from conformance.record.ndjson import (
    RecordError,
    RunWriter,
    read_run,
)

RECORD = "run.ndjson"
COMPRESSED = f"{RECORD}.gz"
HOME = Path("reports")


@contextmanager
def fresh_folder(request: Path | None, host: str, contract: str) -> Iterator[Path]:
    """Create the output folder: ``request``, or ``reports/<date>-<host>-<contract>``.

    Until the block ends, no other process can get the same folder.

    Raises:
        UserError: the folder is not empty, is in use, or cannot be created.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(_named(request)) if request else _dated(host, contract)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "this is not a valid path"
            where = request or HOME
            raise UserError(
                one_line(f"cannot create the folder {where} ({reason}); choose another with --out")
            ) from None
        yield folder


@contextmanager
def _named(folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    _assert_empty(folder)
    with claimed(folder) as is_ours:
        if not is_ours:
            raise UserError(
                f"another run is using the folder {folder}; choose a new one with --out"
            )
        _assert_empty(folder)  # the other run may have ended between the two
        yield folder


def _assert_empty(folder: Path) -> None:
    if any(folder.iterdir()):
        raise UserError(f"the folder {folder} is not empty; choose a new or empty one with --out")


@contextmanager
def claimed(folder: Path) -> Iterator[bool]:
    """Lock a folder against other runs of the suite, and tell whether that was possible.

    The lock ends with the process, however that ends. Where folders cannot be locked, as on
    Windows, only the record itself is created exclusively.
    """
    try:
        import fcntl  # noqa: PLC0415 - Windows has none

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        yield True
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = True
    except BlockingIOError:
        is_ours = False
    except OSError:
        is_ours = True
    try:
        yield is_ours
    finally:
        os.close(descriptor)


def new_record(folder: Path) -> RunWriter:
    """Create the record of a run.

    Raises:
        UserError: another run has created it, or it cannot be created.
    """
    try:
        return RunWriter(folder / RECORD)
    except RecordError as error:
        raise UserError(f"{error}; choose a new or empty folder with --out") from None


def _dated(host: str, contract: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S")
    name = re.sub(r"[^A-Za-z0-9.]+", "-", f"{stamp}-{host}-{contract}").strip("-.")
    HOME.mkdir(exist_ok=True)
    number = 1
    while True:
        folder = HOME / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def record_in(folder: Path) -> Path | None:
    """Return the record in a folder, compressed or not; None if there is none."""
    return next((folder / name for name in (RECORD, COMPRESSED) if is_file(folder / name)), None)


def records_below(folder: Path) -> list[Path]:
    """Return the record in a folder, or those in its subfolders, in the order of their names."""
    own = record_in(folder)
    if own is not None:
        return [own]
    found = (record_in(inner.parent) for inner in sorted(folder.glob(f"*/{RECORD}*")))
    return list(dict.fromkeys(record for record in found if record is not None))


def recorded_in(folder_or_file: Path) -> tuple[Path, Run]:
    """Read a run from its folder or record file; return the record's path and the run.

    Raises:
        UserError: the record is missing or unreadable.
    """
    record = folder_or_file
    if is_folder(folder_or_file):
        record = record_in(folder_or_file) or folder_or_file / RECORD
    try:
        return record, read_run(record)
    except RunFileError as error:
        raise UserError(str(error)) from None


def write_reports(
    run: Run,
    folder: Path,
    names: Sequence[str],
    rendered: Rendered = RENDERED,
) -> list[Path]:
    """Write a run's reports into its folder and return their paths.

    A report that cannot be written does not stop the others.

    Raises:
        WriteError: at least one file cannot be written; all of them are named.
    """
    known = rendered.formats
    written: list[Path] = []
    failed: list[WriteError] = []
    for name in names:
        path = folder / known[name].file_name
        try:
            write_text(path, known[name].render(run))
        except WriteError as error:
            failed.append(error)
        else:
            written.append(path)
    if failed:
        raise together(failed)
    # The HTML page comes last, so that its path is the last line of output.
    return sorted(written, key=lambda path: path.suffix == ".html")


def make_folder(folder: Path) -> None:
    """Create a folder that may exist.

    Raises:
        UserError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is not a valid path"
        raise UserError(one_line(f"cannot create the folder {folder}: {reason}")) from None
