"""Targets: the endpoints to judge, as ``conformance.toml`` names them.

    for entry in read_targets(Path("conformance.toml")):
        target = entry.target("zero", os.environ)

Keys never stand in the file: it names the environment variables that hold them.
"""

from __future__ import annotations

from conformance.targets.entry import Entry, MissingSecretError
from conformance.targets.reading import FILE, TargetsError, read_targets

__all__ = ["FILE", "Entry", "MissingSecretError", "TargetsError", "read_targets"]
