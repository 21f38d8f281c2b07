"""Where CI systems show the findings of a run: a line of a file in the user's repository.

What an endpoint does wrong has no line of source code. The line that decided what was tested is the
nearest thing: the target in ``conformance.toml``, otherwise the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from conformance.model import Header
from conformance.report.sanitize import cut, line

MAX_PATH_CHARS = 1_000

OPENAPI = "spec/openapi.yaml"
"""What a contract is about that is not described in a file of its own."""


@dataclass(frozen=True, slots=True)
class Location:
    """A line of a file in the repository.

    Attributes:
        path: relative to the repository's root.
        line: counted from 1.
        folder: where the suite ran, relative to the root; empty for the root itself.
    """

    path: str
    line: int = 1
    folder: str = ""

    @property
    def uri(self) -> str:
        """The path as a relative URI."""
        return quote(self.path, safe="/")

    def beside(self, path: str, number: int) -> Location:
        """Return a line of another file, whose path is relative to where the suite ran."""
        return at(f"{self.folder}/{path}" if self.folder else path, number)


def contract_of(header: Header) -> Location:
    """Return the first line of the contract that a run was judged by."""
    if header.contract_file is not None:
        return at(header.contract_file)
    return at(f"spec/documents/{header.document}.yaml" if header.document else OPENAPI)


def at(path: str, number: int = 1) -> Location:
    """Return a line of a file whose path may come from a record: bounded, and without controls."""
    safe = cut(line(path).replace("\\", "/"), MAX_PATH_CHARS)
    return Location(safe.removeprefix("./").lstrip("/"), number)
