"""Recorded runs of real servers, judged again: nothing false is reported, and nothing true lost."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from conformance.engine.discovery import all_checks
from conformance.model import Exchange, State
from conformance.report.case import case_of
from tests.field.adjudicated import (
    DEVIATING,
    RECORDED,
    Adjudicated,
    Cause,
    false_or_new,
    lost,
    misattributed,
    names,
    read_adjudicated,
    rejudged,
)

MAX_BYTES = 1_000_000
PRIVATE = re.compile(rb"/home/|/root/|sk-\w")
"""Paths, and keys that are not masked."""
IDS = frozenset(check.id for check in all_checks())


@pytest.fixture(params=names())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def known(name: str) -> Adjudicated:
    return read_adjudicated(name)


def test_every_finding_is_adjudicated(name: str, known: Adjudicated) -> None:
    new = "\n  ".join(false_or_new(known, rejudged(name)))
    assert not new, f"{known.server}: false, or new; read the exchanges:\n  {new}"


def test_no_true_finding_is_lost(name: str, known: Adjudicated) -> None:
    missing = "\n  ".join(lost(known, rejudged(name)))
    assert not missing, f"{known.server}: not reported any more:\n  {missing}"


def test_no_cause_hides_another(name: str, known: Adjudicated) -> None:
    hidden = "\n  ".join(misattributed(known, rejudged(name)))
    assert not hidden, f"{known.server}: explained by something else:\n  {hidden}"


def test_states_are_those_of_the_record(name: str, known: Adjudicated) -> None:
    rows = rejudged(name).rows
    found = {row.subject.name: row.state.value for row in rows if row.subject.kind == "parameter"}
    assert found.keys() == known.states.keys()
    wrong = {one: state for one, state in found.items() if state not in allowed(known.states[one])}
    assert not wrong
    fields = [row for row in rows if row.subject.kind == "field"]
    deviating = {r.subject.name: r.state.value for r in fields if r.state is not State.HONOURED}
    assert deviating == known.fields


def allowed(states: str) -> list[str]:
    return states.split(" or ")


def test_evidence_is_in_the_record(name: str) -> None:
    summary = rejudged(name)
    deviating = [one for one in summary.findings if one.verdict in DEVIATING]
    assert deviating
    for finding in deviating:
        assert len(summary.evidence(finding)) == len(finding.exchanges) > 0, finding.id


def test_command_sends_the_request_that_deviates(name: str) -> None:
    summary = rejudged(name)
    for finding in summary.findings:
        if finding.verdict not in DEVIATING:
            continue
        case = case_of(summary, finding)
        assert case.command, finding.id
        assert case.decisive is not None
        probe = case.decisive.probe
        assert probe in summary.evidence(finding), finding.id
        status = re.match(r"status (\d+)", finding.seen or "")
        assert status is None or probe.status == int(status[1]), finding.id


def test_records_are_small_and_without_paths() -> None:
    files = list(RECORDED.glob("*.gz"))
    records = {read_adjudicated(name).record or name for name in names()}
    assert {file.name.removesuffix(".ndjson.gz") for file in files} == records
    assert sum(file.stat().st_size for file in files) < MAX_BYTES
    for name in names():
        for exchange in rejudged(name).run.exchanges:
            assert not PRIVATE.search(_bytes_of(exchange))


def _bytes_of(exchange: Exchange) -> bytes:
    return exchange.request.body + exchange.body


def test_adjudications_name_checks_once(known: Adjudicated) -> None:
    named = [check for cause in known.causes for check in (*cause.all_of, *cause.checks)]
    assert len(named) == len(set(named))
    assert set(named) <= IDS
    for cause in known.causes:
        assert cause.what.endswith("."), cause.what
        assert cause.why, cause.what


def test_unknown_finding_is_reported_with_its_evidence() -> None:
    known, summary = read_adjudicated("vllm"), rejudged("vllm")
    without = tuple(cause for cause in known.causes if "n.above-maximum-refused" not in cause.known)
    (reported,) = false_or_new(replace(known, causes=without), summary)
    assert reported.startswith("fail n.above-maximum-refused: `n: 129` was served (status 200)")
    assert "(x0" in reported


def test_lost_finding_is_told_by_cause() -> None:
    known, summary = read_adjudicated("vllm"), rejudged("vllm")
    kept = Cause("It stops nowhere.", "true", "a text", all_of=("stop.string",))
    assert list(lost(replace(known, causes=(*known.causes, kept)), summary)) == [
        "It stops nowhere. Nothing reports it.",
        "It stops nowhere. stop.string: pass",
    ]
