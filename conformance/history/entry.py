"""A row of the index: what lists, time series and pages show of one run, without its responses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from conformance.history.figures import Figures, figures_of
from conformance.model import Finding, Run, Verdict
from conformance.record.conclusions import count_shown, state_of
from conformance.record.key import key_of
from conformance.report.summary_rows import Row

LARGEST = 2**63 - 1
"""The largest integer of SQLite."""

UNSEEN = frozenset({Verdict.PASS, Verdict.SKIPPED, Verdict.EXPLAINED})
"""Verdicts that are counted and not listed; what another finding explains counts nowhere."""

LESSER = ":should"
"""The end of a state that breaks only requirements of level should."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One run.

    Attributes:
        path: of the record, from the folder of the history.
        target, region, tier, contract, suite, label: the key of the run, see
            :class:`conformance.record.key.RunKey`; ``label`` is its day or label.
        started_at, finished_at: ISO 8601, UTC.
        base_url, model: the endpoint.
        contract_name: the name of the contract.
        conclusion: as reports show it.
        exit_code: that of the run.
        requests, tokens: what it cost.
        elapsed: seconds.
        counts: the number of findings by verdict.
        findings: the verdict of each check that neither passed nor was skipped, nor is explained.
        promises: the SHA-256 of the file with what its contract promises.
        passed: ids of the checks that passed. A check that is neither here nor in ``findings``
            judged nothing, or was not run.
        parameters, fields: the state of each parameter and response field that is documented or
            was tested; it ends in :data:`LESSER` if it breaks only requirements of level should.
        figures: times, availability and money; None if nothing is known of them.
    """

    path: str
    target: str
    region: str | None
    tier: str
    contract: str | None
    suite: str
    label: str
    started_at: str
    finished_at: str
    base_url: str
    model: str
    contract_name: str
    conclusion: str
    exit_code: int
    requests: int
    tokens: int
    elapsed: float
    counts: Mapping[str, int] = field(hash=False)
    findings: Mapping[str, str] = field(hash=False)
    promises: str | None
    passed: frozenset[str] = frozenset()
    parameters: Mapping[str, str] = field(default_factory=dict, hash=False)
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    figures: Figures | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it, without the checks that passed, of which there are hundreds."""
        values = {**asdict(self), "figures": self.figures.as_json() if self.figures else None}
        del values["passed"]
        return values


def entry_of(run: Run, path: str, promises: str | None) -> Entry:
    """Return the row of a run.

    Args:
        run: the run, with its exchanges and with the subjects of its contract.
        path: of its record, from the folder of the history.
        promises: the SHA-256 of the file with what its contract promises.
    """
    key, header, footer = key_of(run.header), run.header, run.footer
    cost = footer.cost if footer else None
    return Entry(
        path=path,
        target=_text(key.target),
        region=_text(key.region) if key.region is not None else None,
        tier=key.tier,
        contract=key.contract,
        suite=_text(key.suite),
        label=_text(key.when),
        started_at=_text(header.started_at),
        finished_at=_text(footer.finished_at if footer else header.started_at),
        base_url=_text(header.base_url),
        model=_text(header.model),
        contract_name=_text(header.contract),
        conclusion=run.shown_conclusion.value,
        exit_code=int(run.exit_code),
        requests=min(cost.requests, LARGEST) if cost else 0,
        tokens=min(cost.tokens, LARGEST) if cost else 0,
        elapsed=run.elapsed,
        counts=dict(count_shown(run.findings)),
        findings={_text(f.id): f.shown.value for f in run.findings if f.shown not in UNSEEN},
        promises=promises,
        passed=frozenset(_text(f.id) for f in run.findings if f.shown is Verdict.PASS),
        parameters=dict(_states(run, "parameter")),
        fields=dict(_states(run, "field")),
        figures=figures_of(run),
    )


def _states(run: Run, kind: str) -> Iterator[tuple[str, str]]:
    about: dict[str, list[Finding]] = {}
    for finding in run.findings:
        about.setdefault(finding.subject, []).append(finding)
    for subject in run.header.subjects:
        found = tuple(about.get(subject.name, ()))
        is_seen = any(finding.verdict is not Verdict.SKIPPED for finding in found)
        if subject.kind == kind and (subject.documented or is_seen):
            row = Row(subject, state_of(subject, found), found)
            yield _text(subject.name), row.state.value + (LESSER if row.is_lesser else "")


def _text(text: str) -> str:
    """Return a text without half characters, which UTF-8 has not; a record may come from anyone."""
    return text.encode("utf-8", "backslashreplace").decode()
