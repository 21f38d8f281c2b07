"""Which checks the entries of a file of expected deviations name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from conformance.checks import Check
from conformance.contract import Contract
from conformance.engine.selection import reason_to_skip
from conformance.model import EntryKind, Expectation, ExpectedFile


def resolved(file: ExpectedFile, checks: Iterable[Check], contract: Contract) -> ExpectedFile:
    """Return the file, each entry with the checks that it names and that the contract has in force.

    Args:
        file: the file as it was read.
        checks: all checks, of every tier.
        contract: the contract under test.
    """
    in_force = [check for check in checks if reason_to_skip(check, contract) is None]
    return replace(
        file,
        entries=tuple(
            replace(entry, checks=tuple(c.id for c in in_force if names(entry, c)))
            for entry in file.entries
        ),
    )


def names(entry: Expectation, check: Check) -> bool:
    """Return whether an entry names a check, by its id or by its requirement's."""
    name = check.id if entry.kind is EntryKind.CHECK else check.requirement
    return fnmatchcase(name, entry.name)
