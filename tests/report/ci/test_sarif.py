"""SARIF: a result a root cause, in the form that GitHub reads."""

import json
from dataclasses import replace

import pytest

from conformance.model import (
    Conclusion,
    EntryKind,
    Expectation,
    ExpectedFile,
    Level,
    Verdict,
)
from conformance.record.expected import with_expected
from conformance.report import Location
from conformance.report.ci import problems, sarif
from tests.report.builders import a_failure, a_finding, a_requirement, a_run, an_exchange
from tests.report.ci.validity import mistakes_in_sarif
from tests.report.hostile import ACTING, ATTACKS, a_hostile_run

PLACE = Location("conformance.toml", 7)
WHOLE = a_run(
    a_failure(exchanges=("x1",)),
    a_failure("stop.one", verdict=Verdict.EXPLAINED, explained_by="stop.five-refused"),
    a_finding("stop.two", "warn", level=Level.SHOULD, expected="an id", seen="none"),
    a_finding("stop.three", "refused", message="status 400"),
    a_finding("stop.four", "inconclusive", message="status 503"),
    a_finding("stop.good"),
    exchanges=(an_exchange(),),
)
ENTRY = Expectation(
    EntryKind.CHECK, "stop.*", "being mended", line=3, url="http://tracker.example/7"
)
EXPECTED = a_failure(expectation=ENTRY)

ENTRY_OF_A_PASS = replace(ENTRY, checks=("stop.good",), name="stop.good")
STALE = with_expected(
    a_run(a_finding("stop.good"), expected=ExpectedFile("known.yaml", (ENTRY_OF_A_PASS,)))
)


def log_of(run, **settings):
    document = json.loads(sarif.render(run, **settings))
    assert mistakes_in_sarif(document) == []
    return document["runs"][0]


def test_each_root_cause_is_a_result() -> None:
    results = log_of(WHOLE)["results"]
    shown = [(one["properties"]["check"], one["level"]) for one in results]
    assert shown == [
        ("stop.five-refused", "error"),
        ("stop.two", "warning"),
        ("stop.three", "note"),
    ]
    assert results[0]["properties"]["explains"] == ["stop.one"]


def test_message_starts_with_the_sentence() -> None:
    (first, *_) = log_of(WHOLE)["results"]
    told = first["message"]["text"].split("\n")
    assert told[0].startswith("`stop` of 1 entries was served (status 200); promised:")
    assert told[1:3] == ["Expected: status 400", "Actual: status 200: a completion"]
    assert told[-1].startswith("Find it again: conformance run --base-url")


def test_inconclusive_checks_are_notifications() -> None:
    (invocation,) = log_of(WHOLE)["invocations"]
    assert invocation["executionSuccessful"] is True
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["properties"]["check"] == "stop.four"


def test_strict_run_reports_warnings_as_errors() -> None:
    warned = a_finding("stop.two", "warn", expected="an id", seen="none")
    (result,) = log_of(a_run(warned, strict=True))["results"]
    assert result["level"] == "error"


def test_expected_deviation_is_suppressed() -> None:
    (result,) = log_of(a_run(EXPECTED))["results"]
    assert (result["level"], result["properties"]["verdict"]) == ("error", "expected")
    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "being mended, http://tracker.example/7",
        }
    ]


def test_stale_entry_is_at_its_line() -> None:
    results = log_of(STALE, location=Location("sub/conformance.toml", 7, folder="sub"))["results"]
    (entry,) = [one for one in results if one["ruleId"] == "expected.stale"]
    physical = entry["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "sub/known.yaml"
    assert physical["region"] == {"startLine": 3}
    assert "did not see; remove the entry." in entry["message"]["text"]


def test_rules_are_the_requirements_with_help() -> None:
    run = log_of(WHOLE)
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "stop.at-most-four"
    assert "最多接受四个停止序列" in rule["help"]["markdown"]
    assert "- `openai`: Up to 4 sequences." in rule["help"]["markdown"]
    assert {one["ruleIndex"] for one in run["results"]} == {0}


def test_unknown_requirement_gets_a_rule() -> None:
    run = log_of(a_run(a_failure(), requirements=()))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["stop.at-most-four"]


def test_result_is_at_the_line_of_its_target() -> None:
    (first, *_) = log_of(WHOLE, location=PLACE)["results"]
    physical = first["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "conformance.toml", "uriBaseId": "%SRCROOT%"}
    assert physical["region"] == {"startLine": 7}


def test_result_without_target_is_at_the_contract() -> None:
    def uri(**header):
        (result,) = log_of(a_run(a_failure(), **header))["results"]
        return result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]

    assert uri() == "spec/documents/openai.yaml"
    assert uri(contract_file="contracts/my gateway.yaml") == "contracts/my%20gateway.yaml"


def test_fingerprint_is_the_same_in_the_next_run() -> None:
    def prints(run):
        return [
            one["partialFingerprints"]["primaryLocationLineHash"] for one in log_of(run)["results"]
        ]

    first = prints(a_run(a_failure(), a_failure("stop.two")))
    again = prints(
        a_run(
            a_failure("stop.two"), a_failure(seen="status 200"), started_at="2026-12-01T00:00:00Z"
        )
    )
    assert len(set(first)) == 2
    assert sorted(first) == sorted(again)
    assert not set(first) & set(prints(a_run(a_failure(), target="other")))


def test_category_is_target_and_contract() -> None:
    run = log_of(a_run(a_failure(), target="zero", contract="gpt-ge"))
    assert run["automationDetails"]["id"] == (
        "completions-conformance/zero/gpt-ge/2026-11-21T03:12:00+00:00"
    )


@pytest.mark.parametrize(
    "run",
    [
        a_run(a_finding(), incomplete=True),
        a_run(conclusion=Conclusion.NOTHING_RAN),
        a_run(a_failure(), reason="the API key was rejected with 401"),
    ],
    ids=["incomplete", "nothing ran", "revoked key"],
)
def test_unfinished_run_is_no_success(run) -> None:
    (invocation,) = log_of(run)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["level"] == "error"


def test_run_without_findings_is_valid() -> None:
    assert log_of(a_run(a_finding()))["results"] == []


def test_several_runs_share_a_file() -> None:
    joined = json.loads(sarif.joined([sarif.render(WHOLE), sarif.render(a_run(a_failure()))]))
    assert mistakes_in_sarif(joined) == []
    assert [len(run["results"]) for run in joined["runs"]] == [3, 1]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_text_makes_no_link(attack: str) -> None:
    written = sarif.render(a_hostile_run(attack))
    assert written.isascii()
    run = log_of(a_hostile_run(attack))
    texts = [one["message"]["text"] for one in run["results"]]
    assert ACTING.findall("".join(texts)) == []
    assert not any("](" in text.replace(r"\](", "") for text in texts)


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problems, "MAX_PROBLEMS", 20)
    long = "x" * 10_000
    findings = [
        a_failure(f"stop.c{number}", expected=long, seen=long, title=long) for number in range(30)
    ]
    requirements = tuple(a_requirement(f"stop.r{number}", statement=long) for number in range(9))
    run = a_run(*findings, requirements=requirements)
    (whole,) = json.loads(sarif.render(run))["runs"]
    assert len(whole["results"]) == 20
    assert max(len(json.dumps(one)) for one in whole["results"]) < 5_000
    assert max(len(json.dumps(one)) for one in whole["tool"]["driver"]["rules"]) < 10_000
