"""results.json: the members that programs rely on."""

import json
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace
from io import StringIO

from rich.console import Console

from conformance.message import say
from conformance.model import Cost, Effect, Explanation, Role, Verdict
from conformance.pytest_plugin.messages import report_lines
from conformance.report import html, junit, results
from conformance.report.console import show
from conformance.report.diagnosis import cause_of
from tests.report.builders import (
    a_failure,
    a_finding,
    a_run,
    a_subject,
    an_exchange,
)
from tests.report.pages import Page


def read(run):
    return json.loads(results.render(run))


def test_results_have_verdict_counts_cost_and_exit_code() -> None:
    document = read(a_run(a_failure(), headers={"X-Tenant": "acme"}))
    assert document["verdict"] == "not conforming"
    assert document["exit_code"] == 1
    assert document["counts"]["fail"] == 1
    assert document["cost"]["tokens"] == 14_210
    assert document["target"] == {
        "base_url": "http://127.0.0.1:8000/v1",
        "model": "tiny",
        "headers": {"X-Tenant": "acme"},
    }
    assert document["contract"]["name"] == "openai"


def test_finding_keeps_every_member() -> None:
    failure = a_failure(exchanges=("x1",), roles={"x1": Role.PROBE})
    run = a_run(failure, exchanges=(an_exchange(),))
    (finding,) = read(run)["findings"]
    assert finding.pop("rerun").startswith("conformance run --base-url http://127.0.0.1:8000/v1")
    assert finding.pop("curl").startswith("curl -sS -i http://127.0.0.1:8000/v1/completions")
    assert finding == {
        "id": "stop.five-refused",
        "verdict": "fail",
        "judged": "fail",
        "expectation": None,
        "sentence": "`stop` of 1 entries was served (status 200); promised: the documented number "
        "of stop sequences is served; one more is refused",
        "sentence_zh": finding["sentence_zh"],
        "explained_by": None,
        "explained_because": None,
        "explained_because_zh": None,
        "requirement": "stop.at-most-four",
        "statement": "At most four stop sequences are accepted; a fifth is refused.",
        "statement_zh": "最多接受四个停止序列，第五个会被拒绝。",
        "sources": [
            {"document": "openai", "says": "Up to 4 sequences.", "says_zh": ""},
            {"document": "zero", "says": "最多四个序列。", "says_zh": ""},
        ],
        "likely_cause": asdict(cause_of("stop.at-most-four", Effect.IGNORED)),
        "level": "must",
        "subject": "stop",
        "title": "The documented number of stop sequences is served; one more is refused.",
        "title_zh": "",
        "message": "expected status 400; seen status 200",
        "expected": "status 400",
        "seen": "status 200: a completion",
        "effect": "ignored",
        "tier": "smoke",
        "exchanges": ["x1"],
        "roles": {"x1": "probe"},
    }


def test_sentence_is_the_same_in_every_report() -> None:
    failure = a_failure(exchanges=("x1",), roles={"x1": Role.PROBE})
    run = a_run(failure, a_finding("stop.good"), exchanges=(an_exchange(),))
    document = read(run)
    told = {found["id"]: found["sentence"] for found in document["findings"]}
    assert told["stop.good"] is None
    sentence = told["stop.five-refused"]
    (shown,) = ET.fromstring(junit.render(run)).iter("failure")
    assert shown.get("message") == sentence
    assert report_lines(run, failure).splitlines()[0] == sentence
    console = Console(file=StringIO(), width=1_000)
    show(run, console)
    assert isinstance(console.file, StringIO)
    assert sentence.replace("`", "") in console.file.getvalue()
    assert sentence.replace("`", "") in Page(html.render(run)).text


def test_reason_of_an_explained_finding_is_told() -> None:
    explained = a_failure("stop.one", verdict=Verdict.EXPLAINED, explained_by="stream.whole")
    why = {"stop.one": Explanation("stream.whole", say("the usage lacks the count"))}
    (found,) = read(a_run(explained, explained=why))["findings"]
    assert found["explained_because"] == "the usage lacks the count"
    assert found["explained_because_zh"] == "用量缺少该计数"


def test_run_that_ended_early_is_not_complete() -> None:
    document = read(a_run(a_failure(), reason="the API key was rejected with 401"))
    assert (document["verdict"], document["complete"]) == ("not conforming", False)
    assert read(a_run(a_failure()))["complete"] is True


def test_explained_findings_are_listed_under_their_root() -> None:
    explained = [
        a_failure(key, verdict=Verdict.EXPLAINED, explained_by="text.present")
        for key in ("stop.one", "stop.two")
    ]
    document = read(a_run(*explained))
    assert {found["explained_by"] for found in document["findings"]} == {"text.present"}
    (gap,) = (gap for gap in document["not_verified"] if gap["what"].startswith("explained"))
    assert gap["reasons"] == [
        {"because": "explained by text.present", "ids": ["stop.one", "stop.two"]}
    ]


def test_parameters_and_fields_have_state_and_promise() -> None:
    subjects = (a_subject(), a_subject("object", kind="field"))
    document = read(a_run(a_finding(), subjects=subjects))
    (parameter,), (field,) = document["parameters"], document["fields"]
    assert (parameter["name"], parameter["state"]) == ("stop", "honoured")
    assert parameter["promise"] == "null, string or array of 1 to 4"
    assert parameter["findings"] == ["stop.five-refused"]
    assert (field["name"], field["state"]) == ("object", "untested")


def test_incomplete_run_has_no_usage() -> None:
    document = read(a_run(a_finding(), incomplete=True))
    assert (document["verdict"], document["complete"]) == ("broken off", False)
    assert (document["exit_code"], document["cost"], document["finished_at"]) == (2, None, None)


def test_unverified_requirements_are_listed_beside_the_verdict() -> None:
    skipped = a_finding(verdict="skipped", message="the budget is spent")
    (gap,) = read(a_run(skipped))["not_verified"]
    assert gap == {
        "what": "skipped",
        "what_zh": "项被跳过",
        "count": 1,
        "reasons": [{"because": "the budget is spent", "ids": ["stop.five-refused"]}],
    }


def test_strings_are_complete_and_the_file_ascii() -> None:
    seen = "\x1b[31m\u202e\ud800 一"
    written = results.render(a_run(a_failure(seen=seen)))
    assert written.isascii()
    assert "\x1b" not in written
    assert json.loads(written)["findings"][0]["seen"] == seen


def test_reference_cost_is_separate() -> None:
    run = a_run(a_failure(), reference="bundled")
    assert run.footer is not None
    request = replace(run, footer=replace(run.footer, reference_cost=Cost(3, 40, 5, 0)))
    document = read(request)
    assert document["reference"] == "bundled"
    assert document["reference_cost"]["prompt_tokens"] == 40
    assert document["cost"] == read(run)["cost"]
    assert read(run)["reference_cost"] is None
