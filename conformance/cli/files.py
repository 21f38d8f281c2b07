"""Write the files of a command. Every file but the record passes here, and so the last gate."""

from __future__ import annotations

from pathlib import Path

from conformance.transport import gate


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, without the secrets of this process.

    Raises:
        OSError: it cannot be written.
    """
    path.write_text(gate.redact(text), encoding="utf-8", newline="\n")
