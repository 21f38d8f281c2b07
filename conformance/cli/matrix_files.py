"""Write the matrix of several runs to a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.cli.exit_codes import UserError
from conformance.cli.files import write_text
from conformance.language import Language
from conformance.report.matrix import Matrix, files


def write_matrix(
    matrix: Matrix, folder: Path, names: Sequence[str], language: Language
) -> list[Path]:
    """Write the named formats and return their paths, the HTML page last.

    Raises:
        UserError: a file cannot be written.
    """
    written = []
    for name, file in files(language).items():
        if name not in names:
            continue
        path = folder / file.name
        try:
            write_text(path, file.render(matrix))
        except OSError as error:
            raise UserError(f"cannot write {path}: {error.strerror}") from None
        written.append(path)
    return written
