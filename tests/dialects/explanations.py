"""Explanations of the failures of a dialect, read from a file and matched to findings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from conformance.contract import CONTRACTS, Contract, load_contract
from conformance.model import Finding, Verdict

FILE = Path(__file__).parent / "explanations.yaml"
FAILURES = (Verdict.FAIL, Verdict.WARN)
Findings = Mapping[str, Sequence[Finding]]
"""The findings on one dialect under each contract."""


@dataclass(frozen=True)
class Difference:
    """A line of one document that other documents contradict."""

    says: str
    about: tuple[str, ...]
    contracts: frozenset[str]
    words: str
    words_zh: str
    refusal: str | None = None
    checks: frozenset[str] = frozenset()
    unlisted: str | None = None
    """The parameter, where the line is that there is none."""

    def explains(self, finding: Finding) -> bool:
        """Return whether a finding comes from this line."""
        seen = finding.seen or ""
        if self.unlisted is not None:
            refused = re.search(r"Unrecognized request arguments? supplied: (.*)", seen)
            return refused is not None and self.unlisted in refused[1].split(", ")
        if self.refusal is not None:
            return seen.startswith("refused with 400: ") and self.refusal in seen
        return finding.id in self.checks

    def line_of(self, contract: Contract, finding: Finding) -> str | None:
        """What the other document says, by which the finding is a deviation."""
        stated = {
            name: f"`{name}`: {line}" for name in self.about if (line := _line(contract, name))
        }
        return stated.get(finding.subject) or next(iter(stated.values()), None)


def _line(contract: Contract, name: str) -> str | None:
    """What a document says of a parameter or field; of an error, otherwise what the live API does.

    Few documents describe errors, and those of the others follow the live API (spec/README.md).
    """
    if not name.startswith("error."):
        return contract.parameter(name).says.get(contract.document)
    says = contract.field(name).says
    return says.get(contract.document) or f"as the live API, {says['openai']}"


@dataclass(frozen=True)
class Unsettled:
    """What the explanations of a dialect leave open; nothing, where they are exact."""

    unexplained: tuple[str, ...]
    """Deviations that no line explains under this contract."""
    idle: tuple[str, ...]
    """Lines that explain nothing under a contract that they name."""
    one_sided: tuple[str, ...]
    """Deviations whose contract's document has no line about it."""


def load(column: str) -> tuple[Difference, ...]:
    """Read the explanations of a dialect, in the order of the file."""
    entry = _read()[column]
    unlisted = [_unlisted(name) for name in entry["lists-no"]]
    return (*unlisted, *(_difference(row) for row in entry["differences"]))


def columns() -> tuple[str, ...]:
    """Return the explained columns: dialects, some with a model."""
    return tuple(_read())


def deviations(findings: Sequence[Finding]) -> list[Finding]:
    """Choose what has to be explained."""
    return [finding for finding in findings if finding.verdict in FAILURES]


def explained(
    differences: Sequence[Difference], contract: str, findings: Sequence[Finding]
) -> dict[Difference, list[Finding]]:
    """Sort a contract's deviations by the lines that explain them."""
    found = {
        difference: [f for f in deviations(findings) if difference.explains(f)]
        for difference in differences
        if contract in difference.contracts
    }
    return {difference: rows for difference, rows in found.items() if rows}


def settle(differences: Sequence[Difference], findings: Findings) -> Unsettled:
    """Hold the explanations of a dialect against what came of it."""
    unexplained, idle, one_sided = [], [], []
    for name, rows in findings.items():
        sorted_out = explained(differences, name, rows)
        known = {finding.id for group in sorted_out.values() for finding in group}
        unexplained += [
            f"{name}: {finding.verdict} {finding.id}: {finding.seen or finding.message}"
            for finding in deviations(rows)
            if finding.id not in known
        ]
        idle += [
            f"{name}: {difference.says}"
            for difference in differences
            if name in difference.contracts and difference not in sorted_out
        ]
        one_sided += [
            f"{name}: {finding.id}"
            for difference, group in sorted_out.items()
            for finding in group
            if not difference.line_of(load_contract(name), finding)
        ]
    return Unsettled(tuple(unexplained), tuple(idle), tuple(one_sided))


@cache
def _read() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return document


def _unlisted(name: str) -> Difference:
    """Make the line that a parameter is not there, which contradicts all who promise it."""
    return Difference(
        says=f"lists no `{name}`",
        about=(name,),
        contracts=frozenset(c for c in CONTRACTS if load_contract(c).promises(name)),
        words=f"`{name}`",
        words_zh=f"`{name}`",
        unlisted=name,
    )


def _difference(row: Mapping[str, Any]) -> Difference:
    return Difference(
        says=row["says"],
        about=tuple(row["about"]),
        contracts=frozenset(row["contracts"]),
        words=row["words"],
        words_zh=row["words-zh"],
        refusal=row.get("refusal"),
        checks=frozenset(row.get("checks", ())),
    )
