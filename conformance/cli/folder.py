"""The output folder of a run: always new or empty, so that no older run is overwritten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_text
from conformance.language import Language
from conformance.model import Run
from conformance.record.ndjson import RunFileError, read_run
from conformance.report import formats

RECORD = "run.ndjson"
HOME = Path("reports")


def fresh_folder(request: Path | None, host: str, contract: str) -> Path:
    """Create the output folder: ``request``, or ``reports/<date>-<host>-<contract>``.

    Raises:
        UserError: the folder is not empty or cannot be created.
    """
    try:
        return _named(request) if request else _dated(host, contract)
    except OSError as error:
        where = request or HOME
        raise UserError(
            f"cannot create the folder {where} ({error.strerror}); choose another with --out"
        ) from None


def _named(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise UserError(f"the folder {folder} is not empty; choose a new or empty one with --out")
    return folder


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


def recorded_in(folder_or_file: Path) -> tuple[Path, Run]:
    """Read a run from its folder or record file; return the record's path and the run.

    Raises:
        UserError: the record is missing or unreadable.
    """
    record = folder_or_file / RECORD if folder_or_file.is_dir() else folder_or_file
    try:
        return record, read_run(record)
    except RunFileError as error:
        raise UserError(str(error)) from None


def write_reports(
    run: Run,
    folder: Path,
    names: Sequence[str],
    key_env: str | None = None,
    language: Language = Language.ENGLISH,
) -> list[Path]:
    """Write a run's reports and return their paths.

    Raises:
        UserError: a file cannot be written.
    """
    known = formats(key_env, language)
    written: list[Path] = []
    for name in names:
        path = folder / known[name].file_name
        try:
            write_text(path, known[name].render(run))
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from None
        written.append(path)
    # The HTML page comes last, so that its path is the last line of output.
    return sorted(written, key=lambda path: path.suffix == ".html")
