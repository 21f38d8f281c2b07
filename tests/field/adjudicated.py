"""A recorded run of a server, and what a person made of each finding about it."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import cattrs
import yaml

from conformance.contract import load_contract
from conformance.engine.replay import rejudge
from conformance.model import Verdict
from conformance.record.ndjson import read_run
from conformance.report.summary import Summary

RECORDED = Path(__file__).parent / "recorded"
DEVIATING = frozenset({Verdict.FAIL, Verdict.WARN})
REPORTED = DEVIATING | {Verdict.EXPLAINED}


@dataclass(frozen=True)
class Cause:
    """One thing that a server does, and every finding that reports it.

    Attributes:
        what: the deviation in a sentence.
        adjudication: ``true``, or ``debatable`` for one that the contract forbids and many accept.
        why: the bytes that show it.
        checks: the checks that may report it; a cause that is reported once is not reported by all.
        all_of: those that have to, each as a finding of its own or explained by another one.
    """

    what: str
    adjudication: Literal["true", "debatable"]
    why: str
    all_of: tuple[str, ...]
    checks: tuple[str, ...] = ()

    @property
    def known(self) -> frozenset[str]:
        """The ids of all checks that may report it."""
        return frozenset({*self.all_of, *self.checks})


@dataclass(frozen=True)
class Adjudicated:
    """One recorded run.

    Attributes:
        server: its name and version.
        recorded: when, by which commit of the suite.
        tier: of the run.
        contract: of the run.
        causes: what it does.
        states: the state of each parameter.
        fields: the state of each response field that is not honoured.
        record: the name of the record, if the same one is judged under several contracts.
    """

    server: str
    recorded: str
    tier: str
    contract: str
    causes: tuple[Cause, ...]
    states: Mapping[str, str]
    fields: Mapping[str, str]
    record: str | None = None

    def owner_of(self, check: str) -> Cause | None:
        """The cause that a check reports."""
        return next((cause for cause in self.causes if check in cause.known), None)


def names() -> list[str]:
    """The names of the recorded runs."""
    return sorted(path.stem for path in RECORDED.glob("*.yaml"))


@cache
def read_adjudicated(name: str) -> Adjudicated:
    """Read what was made of a run; raises cattrs.ClassValidationError for unknown keys."""
    raw = yaml.safe_load((RECORDED / f"{name}.yaml").read_text("utf-8"))
    return cattrs.Converter(forbid_extra_keys=True).structure(raw, Adjudicated)


@cache
def rejudged(name: str) -> Summary:
    """Judge the recorded responses with today's checks, without the server."""
    known = read_adjudicated(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.ndjson"
        packed = RECORDED / f"{known.record or name}.ndjson.gz"
        path.write_bytes(gzip.decompress(packed.read_bytes()))
        run = read_run(path)
    return Summary(rejudge(run, load_contract(known.contract)))


def false_or_new(known: Adjudicated, summary: Summary) -> Iterator[str]:
    """Describe the findings that nobody has adjudicated."""
    for finding in summary.findings:
        if finding.verdict in DEVIATING and known.owner_of(finding.id) is None:
            sentence = summary.sentence_of(finding).en
            yield f"{finding.verdict} {finding.id}: {sentence} ({', '.join(finding.exchanges[:4])})"


def lost(known: Adjudicated, summary: Summary) -> Iterator[str]:
    """Describe the causes that are not reported any more, or by fewer checks than they were."""
    found = {finding.id: finding for finding in summary.findings}
    for cause in known.causes:
        reporting = cause.known & {key for key, one in found.items() if one.verdict in DEVIATING}
        if not reporting:
            yield f"{cause.what} Nothing reports it."
        for check in cause.all_of:
            if check not in found or found[check].verdict not in REPORTED:
                verdict = (
                    found[check].verdict if check in found else "no check of this tier has this id"
                )
                yield f"{cause.what} {check}: {verdict}"


def misattributed(known: Adjudicated, summary: Summary) -> Iterator[str]:
    """Describe true findings that are explained by a finding of another cause, which hides them."""
    for finding in summary.findings:
        owner = known.owner_of(finding.id)
        root = finding.explained_by
        if owner and root and known.owner_of(root) is not owner:
            yield f"{finding.id} is explained by {root}, and not by: {owner.what}"
