"""Targets: the endpoints to test, read from ``conformance.toml``.

    for entry in read_targets(Path("conformance.toml")):
        target = entry.target("zero", os.environ)

The file contains no keys, only the names of environment variables that hold them.
"""

from __future__ import annotations

from conformance.targets.entry import Entry, MissingSecretError, with_headers
from conformance.targets.reading import (
    FILE,
    TargetsError,
    expected_beside,
    read_all,
    read_targets,
)

__all__ = [
    "FILE",
    "Entry",
    "MissingSecretError",
    "TargetsError",
    "expected_beside",
    "read_all",
    "read_targets",
    "with_headers",
]
