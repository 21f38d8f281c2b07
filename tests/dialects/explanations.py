"""Explanations of the failures of a dialect, read from files and matched to findings.

Each file of ``differences/`` has what one dialect's document says (`lists-no`, `differences`) that
other documents may contradict. What the other document says is not written there: it is taken from
the contract. Which contracts a line contradicts is not written there either: it is seen when the
dialect is judged, and the generated page shows it.
"""

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

FOLDER = Path(__file__).parent / "differences"
SHARED = "shared"
WITH_MODEL = "+"
"""In the name of a file, between a dialect and the model that is asked for."""

REFUSED = ("refused with 400: ", "refused with 422: ")
FAILURES = (Verdict.FAIL, Verdict.WARN)
Findings = Mapping[str, Sequence[Finding]]
"""The findings on one dialect under each contract."""


@dataclass(frozen=True)
class Difference:
    """A line of one document that other documents contradict."""

    says: str
    about: tuple[str, ...]
    """Parameters or fields whose lines in the other documents contradict it."""
    words: str
    words_zh: str
    refusal: str | None = None
    """A part of the refusals that it explains."""
    checks: frozenset[str] = frozenset()
    """Or the checks whose findings it explains."""
    unlisted: str | None = None
    """Or the parameter, where the line is that there is none."""

    def explains(self, finding: Finding) -> bool:
        """Return whether a finding comes from this line."""
        seen = finding.seen or ""
        if self.unlisted is not None:
            refused = re.search(r"Unrecognized request arguments? supplied: ([\w, ]*)", seen)
            return refused is not None and self.unlisted in refused[1].split(", ")
        if self.refusal is not None:
            return seen.startswith(REFUSED) and self.refusal in seen
        return finding.id in self.checks

    def contradicts(self, contract: Contract) -> bool:
        """Return whether the line can break a promise; a missing parameter breaks its own."""
        return self.unlisted is None or contract.promises(self.unlisted)

    def line_of(self, contract: Contract, finding: Finding) -> str | None:
        """What the other document says, by which the finding is a deviation."""
        stated = {
            name: f"`{name}`: {line}" for name in self.about if (line := _line(contract, name))
        }
        return stated.get(finding.subject) or next(iter(stated.values()), None)


def _line(contract: Contract, name: str) -> str | None:
    """What a document says of a parameter or field; of a field, otherwise what the live API does.

    Few documents describe all of a response, and where they are silent it follows the live API
    (spec/README.md).
    """
    known = next((field for field in contract.fields if field.path == name), None)
    if known is None:
        return contract.parameter(name).says.get(contract.document)
    live = known.says.get("openai")
    return known.says.get(contract.document) or (f"as the live API, {live}" if live else None)


@dataclass(frozen=True)
class Unsettled:
    """What the explanations of a dialect leave open; nothing, where they are exact."""

    unexplained: tuple[str, ...]
    """Deviations that no line explains under this contract."""
    one_sided: tuple[str, ...]
    """Deviations whose contract's document has no line about it."""


def columns() -> tuple[str, ...]:
    """Return the explained columns, dialects and some with a model, in the order of contracts."""
    names = (path.stem.split(WITH_MODEL) for path in FOLDER.glob("*.yaml") if path.stem != SHARED)
    order = {name: place for place, name in enumerate(CONTRACTS)}
    return tuple(", ".join(parts) for parts in sorted(names, key=lambda p: (order[p[0]], p)))


def load(column: str) -> tuple[Difference, ...]:
    """Read the explanations of a dialect, in the order of its file."""
    entry = _read(column.replace(", ", WITH_MODEL))
    unlisted = [_unlisted(name) for name in entry["lists-no"]]
    return (*unlisted, *(_difference(row) for row in entry["differences"]))


def of_others(contract: str) -> tuple[Difference, ...]:
    """Read what all other documents say where this one is alone."""
    return tuple(_difference(row) for row in _read(contract).get("of-others", ()))


def deviations(findings: Sequence[Finding]) -> list[Finding]:
    """Choose what has to be explained."""
    return [finding for finding in findings if finding.verdict in FAILURES]


def explained(
    differences: Sequence[Difference], contract: str, findings: Sequence[Finding]
) -> dict[Difference, list[Finding]]:
    """Sort a contract's deviations by the lines that explain them."""
    stated = load_contract(contract)
    found = {
        difference: [f for f in deviations(findings) if difference.explains(f)]
        for difference in (*differences, *of_others(contract))
        if difference.contradicts(stated)
    }
    return {difference: rows for difference, rows in found.items() if rows}


def settle(differences: Sequence[Difference], findings: Findings) -> Unsettled:
    """Hold the explanations of a dialect against what came of it."""
    unexplained, one_sided = [], []
    for name, rows in findings.items():
        sorted_out = explained(differences, name, rows)
        known = {finding.id for group in sorted_out.values() for finding in group}
        unexplained += [
            f"{name}: {finding.verdict} {finding.id}: {finding.seen or finding.message}"
            for finding in deviations(rows)
            if finding.id not in known
        ]
        one_sided += [
            f"{name}: {finding.id}"
            for difference, group in sorted_out.items()
            for finding in group
            if not difference.line_of(load_contract(name), finding)
        ]
    return Unsettled(tuple(unexplained), tuple(one_sided))


def idle(differences: Sequence[Difference], findings: Findings) -> tuple[str, ...]:
    """Return the lines that explain nothing under any of these contracts."""
    used = {line for name, rows in findings.items() for line in explained(differences, name, rows)}
    return tuple(line.says for line in differences if line not in used)


@cache
def _read(stem: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / f"{stem}.yaml").read_text("utf-8"))
    return document


def _unlisted(name: str) -> Difference:
    """Make the line that a parameter is not there, which contradicts all who promise it."""
    return Difference(
        says=f"lists no `{name}`",
        about=(name,),
        words=f"`{name}`",
        words_zh=f"`{name}`",
        unlisted=name,
    )


def _difference(row: str | Mapping[str, Any]) -> Difference:
    """Make a line, which can be a shared one by its name, or ``like`` one with other words."""
    if isinstance(row, str):
        row = {"like": row}
    row = {**(_read(SHARED)[row["like"]] if "like" in row else {}), **row}
    return Difference(
        says=row["says"],
        about=tuple(row["about"]),
        words=row["words"],
        words_zh=row["words-zh"],
        refusal=row.get("refusal"),
        checks=frozenset(row.get("checks", ())),
    )
