"""The records are complete: every failure has a check and a request that shows it."""

import json
import re

import pytest

from conformance.contract import CONTRACTS, load_contract
from conformance.engine.discovery import all_checks
from conformance.model import Level, Tier, Verdict
from tests.field.record import (
    MAIN,
    RECORDS,
    Changes,
    Record,
    RecordedFailure,
    Shown,
    compare,
    judged_under,
    read_record,
    reported_failures,
)
from tests.field.reproduction import curl_of
from tests.field.servers import ENVIRONMENTS, SERVERS

CHECKS = {check.id: check for check in all_checks()}
LEVELS = {Verdict.FAIL: {Level.MUST}, Verdict.WARN: {Level.SHOULD, Level.MAY}}


def test_each_server_has_a_record() -> None:
    assert {path.stem for path in RECORDS.glob("*.yaml")} == set(SERVERS)


@pytest.fixture(params=SERVERS)
def record(request: pytest.FixtureRequest) -> Record:
    return read_record(request.param)


def test_run_is_dated_and_counted(record: Record) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record.date)
    assert re.fullmatch(r"[0-9a-f]{7,}", record.suite)
    assert MAIN in record.counts
    for contract, counts in record.counts.items():
        assert contract in CONTRACTS
        assert set(counts) <= {verdict.value for verdict in Verdict}
        assert "error" not in counts, "an error is the suite's own fault"


def test_recorded_deviations_match_the_count(record: Record) -> None:
    """A convention that is not kept is counted, and not recorded; what varies may be either."""
    for contract, counts in record.counts.items():
        expected = record.expected(contract)
        fails = sum(verdict == "fail" for verdict in expected.values())
        varying = len(record.varying())
        assert counts["fail"] - varying <= fails <= counts["fail"] + varying, contract


def test_each_failure_is_shown_adjudicated_and_found(record: Record) -> None:
    for known in record.deviations:
        assert known.what.endswith(".")
        assert known.shows, known.what
        assert known.fail or known.warn or known.explained or known.also, known.what


def test_failure_has_one_record_at_its_level(record: Record) -> None:
    result: list[str] = []
    for known in record.deviations:
        for verdict, ids in ((Verdict.FAIL, known.fail), (Verdict.WARN, known.warn)):
            for check in ids:
                requirement = load_contract(MAIN).requirement(CHECKS[check].requirement)
                assert requirement.level in LEVELS[verdict], check
            result += ids
        result += known.explained
        assert set(known.sometimes) <= {*known.fail, *known.warn, *known.explained}
        for contract, ids in (known.also or {}).items():
            assert set(ids) <= judged_under(contract, record.tier)
            assert contract in record.counts
            result += ids
    assert len(result) == len(set(result))
    assert set(result) <= set(CHECKS)


def test_shown_evidence_is_not_empty(record: Record) -> None:
    for known in record.deviations:
        for shown in known.shows:
            assert shown.key in {"own", "none", "wrong"}
            assert shown.again in {None, "same", "another"}
            assert shown.has, f"{known.what} An answer of anybody's would do."
            if isinstance(shown.send, dict):
                assert json.loads(json.dumps(shown.send)) == shown.send


@pytest.mark.parametrize("name", sorted(path.stem for path in ENVIRONMENTS.glob("*.txt")))
def test_packages_are_pinned(name: str) -> None:
    lines = (ENVIRONMENTS / f"{name}.txt").read_text("utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.\[\]-]+==[\w.]+", pin) for pin in pins)
    assert name in SERVERS


KNOWN = Record(
    server="A server",
    started="somehow",
    date="2026-01-01",
    suite="78d41f0",
    tier=Tier.DEEP,
    counts={},
    deviations=(
        RecordedFailure(
            "It ignores n.",
            (Shown({}),),
            "true",
            fail=("n.choices", "usage.completion-of-copies"),
            warn=("seed.repeats",),
            explained=("index.of-copies",),
            sometimes=("usage.completion-of-copies",),
            also={"zero": ("prompt.batch-complete",)},
        ),
    ),
)


def test_run_like_the_record_changes_nothing() -> None:
    assert not compare(KNOWN, MAIN, KNOWN.expected(MAIN))


def test_new_and_vanished_findings_are_reported() -> None:
    found = {"seed.repeats": "fail", "echo.prompt-first": "fail", "index.of-copies": "explained"}
    assert compare(KNOWN, MAIN, found) == Changes(
        new={"seed.repeats": "fail", "echo.prompt-first": "fail"},
        vanished={"n.choices": "fail", "seed.repeats": "warn"},
    )


def test_explanations_may_change_sides() -> None:
    found = {"n.choices": "explained", "seed.repeats": "warn", "index.of-copies": "fail"}
    assert not compare(KNOWN, MAIN, found)
    del found["index.of-copies"]
    assert compare(KNOWN, MAIN, found).vanished == {"index.of-copies": "explained"}


def test_intermittent_findings_are_ignored() -> None:
    steady = {"n.choices": "fail", "seed.repeats": "warn", "index.of-copies": "explained"}
    assert not compare(KNOWN, MAIN, steady)
    assert not compare(KNOWN, MAIN, {**steady, "usage.completion-of-copies": "fail"})


def test_contract_expects_its_applicable_and_specific_findings() -> None:
    # The document does not mention seed, and promises arrays of prompts.
    assert KNOWN.expected("zero").keys() >= {"n.choices", "prompt.batch-complete"}
    assert "seed.repeats" not in KNOWN.expected("zero")
    assert "prompt.batch-complete" not in KNOWN.expected(MAIN)


def test_conventions_and_passes_are_no_failures() -> None:
    findings = [
        {"id": "a", "verdict": "fail", "level": "must"},
        {"id": "b", "verdict": "warn", "level": "may"},
        {"id": "c", "verdict": "warn", "level": "should"},
        {"id": "d", "verdict": "pass", "level": "must"},
        {"id": "e", "verdict": "explained", "level": "must"},
    ]
    told = {"a": "fail", "c": "warn", "e": "explained"}
    assert reported_failures({"findings": findings}) == told


def test_command_is_valid_shell() -> None:
    non_streaming = curl_of(Shown({"prompt": "it's", "max_tokens": 1}), "m")
    assert non_streaming == (
        'curl $BASE/completions -H "Authorization: Bearer $KEY" '
        "-H 'Content-Type: application/json' "
        """-d '{"model": "m", "prompt": "it'"'"'s", "max_tokens": 1}'"""
    )
    assert "Authorization" not in curl_of(Shown("[]", key="none"), "m")
    assert "$KEY" not in curl_of(Shown("[]", key="wrong"), "m")
