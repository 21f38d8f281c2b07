"""GitLab's Code Quality report."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.report import Location
from conformance.report.ci import gitlab
from tests.report.builders import a_failure, a_finding, a_run
from tests.report.ci.test_sarif import EXPECTED, STALE, WHOLE
from tests.report.hostile import ACTING, ATTACKS, a_hostile_run

DOCUMENTED: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^./]"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
        "additionalProperties": False,
    },
}
"""What GitLab documents as required; it publishes no schema."""


def entries_of(run, **settings):
    written = gitlab.render(run, **settings)
    document = json.loads(written)
    assert list(Draft202012Validator(DOCUMENTED).iter_errors(document)) == []
    assert written.isascii()
    return document


def test_root_causes_are_listed_with_severity() -> None:
    entries = entries_of(WHOLE, location=Location("conformance.toml", 7))
    assert [(one["check_name"], one["severity"]) for one in entries] == [
        ("stop.five-refused", "critical"),
        ("stop.two", "minor"),
        ("stop.three", "info"),
        ("stop.four", "info"),
    ]
    assert entries[0]["location"] == {"path": "conformance.toml", "lines": {"begin": 7}}


def test_fingerprints_differ_by_target() -> None:
    runs = [a_run(a_failure(), a_failure("stop.two"), target=name) for name in ("one", "two")]
    joined = json.loads(gitlab.joined([gitlab.render(run) for run in runs]))
    assert len({one["fingerprint"] for one in joined}) == 4


def test_incomplete_run_is_a_blocker() -> None:
    (entry,) = entries_of(a_run(a_finding(), incomplete=True))
    assert (entry["check_name"], entry["severity"]) == ("run.complete", "blocker")


def test_conforming_run_is_an_empty_list() -> None:
    assert entries_of(a_run(a_finding())) == []


def test_expected_deviation_is_information() -> None:
    (entry,) = entries_of(a_run(EXPECTED))
    assert entry["severity"] == "info"
    assert entry["description"].startswith(
        "Expected (being mended, http://tracker.example/7): The request was"
    )


def test_stale_entry_is_critical() -> None:
    (entry,) = entries_of(STALE, location=Location("conformance.toml", 7))
    assert (entry["check_name"], entry["severity"]) == ("expected.stale", "critical")
    assert entry["location"] == {"path": "known.yaml", "lines": {"begin": 3}}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_text_is_inert(attack: str) -> None:
    for one in json.loads(gitlab.render(a_hostile_run(attack))):
        assert ACTING.findall(one["description"] + one["check_name"]) == []
