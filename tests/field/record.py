"""The record of one server: its failures, the requests that show them, and the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import cattrs
import yaml

from conformance.contract import load_contract
from conformance.engine.discovery import all_checks
from conformance.engine.selection import Options, choose
from conformance.model import Tier

RECORDS = Path(__file__).parent / "records"
MAIN = "openai"
"""The contract whose findings are recorded; others add only what they alone report."""

Verdicts = Mapping[str, str]
"""``fail``, ``warn`` or ``explained`` by the id of the check."""

EXPLAINED = "explained"


@dataclass(frozen=True)
class Shown:
    """A request, and what its response must contain to show the deviation.

    Attributes:
        send: the body; the model is filled in unless it is named. A string is sent as it is.
        status: what the answer's status is.
        type: what its content type is, without parameters; None if that is no matter.
        has: strings that occur in the answer's body.
        lacks: strings that do not.
        key: the key that is presented: the server's own, none, or one that nobody issued.
        again: whether the first choice has the ``same`` text or ``another`` when it is sent again.
        seconds: when to hang up, for an answer that would go on.
    """

    send: dict[str, Any] | str
    status: int = 200
    type: str | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    key: str = "own"
    again: str | None = None
    seconds: int = 300


@dataclass(frozen=True)
class RecordedFailure:
    """One way in which the server leaves the contract, whatever number of checks meets it.

    Attributes:
        what: the deviation in a sentence.
        shows: requests that show it without the suite.
        adjudication: what a person made of it, having seen the answers: ``true``, or ``debatable``
            where the contract forbids what many accept. What is false is fixed in the suite.
        fail: the checks that report it as a failure under the main contract.
        warn: the checks that call it a lesser deviation.
        explained: the checks that report it, and that the run explains by another finding.
        sometimes: those of the three above that do not find it in every run.
        also: checks that report it under another contract only, by that contract.
    """

    what: str
    shows: tuple[Shown, ...]
    adjudication: Literal["true", "debatable"]
    fail: tuple[str, ...] = ()
    warn: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()
    also: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class Record:
    """One server.

    Attributes:
        server: its name and version.
        started: how it runs here, in a sentence.
        date: of the run, ISO 8601.
        suite: the commit of the suite that ran.
        tier: of the run.
        counts: verdicts by contract, as the run counted them.
        deviations: what it does.
        unnoticed: what a person saw it do and no check did.
    """

    server: str
    started: str
    date: str
    suite: str
    tier: Tier
    counts: Mapping[str, Mapping[str, int]]
    deviations: tuple[RecordedFailure, ...]
    unnoticed: tuple[str, ...] = ()

    def expected(self, contract: str) -> Verdicts:
        """The failures, warnings and explained findings that a run under this contract reports."""
        may_judge = judged_under(contract, self.tier)
        return {check: verdict for check, verdict in self._reported(contract) if check in may_judge}

    def varying(self) -> frozenset[str]:
        """The checks whose verdict is not the same in every run."""
        return frozenset(check for known in self.deviations for check in known.sometimes)

    def _reported(self, contract: str) -> Iterator[tuple[str, str]]:
        for known in self.deviations:
            yield from ((check, "fail") for check in known.fail)
            yield from ((check, "warn") for check in known.warn)
            yield from ((check, EXPLAINED) for check in known.explained)
            yield from ((check, "fail") for check in (known.also or {}).get(contract, ()))


@dataclass(frozen=True)
class Changes:
    """How a run differs from the record."""

    new: Verdicts
    vanished: Verdicts

    def __bool__(self) -> bool:
        return bool(self.new or self.vanished)


def compare(record: Record, contract: str, found: Verdicts) -> Changes:
    """Hold what a run found against the record; what varies counts neither way.

    Which of two findings explains the other is no difference: the server does the same.
    """
    expected, varying = record.expected(contract), record.varying()
    return Changes(
        {c: v for c, v in found.items() if not _is_like(expected.get(c), v) and c not in varying},
        {c: v for c, v in expected.items() if not _is_like(found.get(c), v) and c not in varying},
    )


def _is_like(known: str | None, verdict: str) -> bool:
    return known == verdict or (known is not None and EXPLAINED in {known, verdict})


def reported_failures(results: Mapping[str, Any]) -> Verdicts:
    """Read failures, warnings and explained findings of ``results.json``, without conventions."""
    return {
        finding["id"]: finding["verdict"]
        for finding in results["findings"]
        if finding["verdict"] in {"fail", "warn", EXPLAINED} and finding["level"] != "may"
    }


@cache
def judged_under(contract: str, tier: Tier) -> frozenset[str]:
    """The checks that a contract gives something to judge."""
    chosen = choose(all_checks(), load_contract(contract), Options(tier=tier))
    return frozenset(choice.check.id for choice in chosen if choice.skip is None)


def read_record(name: str) -> Record:
    """Read the record of a server.

    Raises cattrs.ClassValidationError where it is not as it must be, unknown keys included.
    """
    raw = yaml.safe_load((RECORDS / f"{name}.yaml").read_text("utf-8"))
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook(dict[str, Any] | str, lambda value, _: value)
    return converter.structure(raw, Record)
