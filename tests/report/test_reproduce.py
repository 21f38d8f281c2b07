"""The commands that reproduce a finding: of its requests, and of the suite."""

from __future__ import annotations

import shlex
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from conformance.language import Language
from conformance.model import Exchange, Role
from conformance.report import html, markdown
from conformance.report.case import Case, case_of
from conformance.report.reproduce import NEEDS_RUN, NEEDS_SUITE, decisive
from conformance.report.summary import Summary
from tests.report.builders import a_failure, a_run, an_exchange


def sent(key: str, **request: Any) -> Exchange:
    return an_exchange(key, request={"model": "m", "prompt": "1", **request})


STOPPED, PLAIN = sent("x1", stop="3"), sent("x2")
AGAIN = replace(STOPPED, id="x3")
ROLES = {"x1": Role.PROBE, "x2": Role.CONTROL, "x3": Role.REPEAT}
COMPARED = a_failure(exchanges=("x1", "x3", "x2"), roles=ROLES)


def case(finding: Any = COMPARED, **header: Any) -> Case:
    run = a_run(finding, exchanges=(STOPPED, PLAIN, AGAIN), **header)
    return case_of(Summary(run), finding)


def test_probe_comes_before_its_control() -> None:
    deviating, control = case().commands
    assert ('"stop"' in deviating, '"stop"' in control) == (True, False)
    assert case().command == (
        "# probe: the request that the finding is about · sent 2 times\n"
        f"{deviating}\n\n# control: the request that it is compared with\n{control}"
    )
    chinese = case().command_in(Language.CHINESE) or ""
    assert chinese.startswith("# 偏差请求：该发现所涉及的请求 · 共发送 2 次\n")


def test_single_request_has_no_comment() -> None:
    finding = a_failure(exchanges=("x2",), roles={"x2": Role.PROBE})
    assert (case(finding).command or "").startswith("curl ")


def test_old_record_shows_the_parameter_in_question() -> None:
    shown = decisive(replace(COMPARED, roles={}), (STOPPED, PLAIN))
    assert shown is not None
    assert (shown.probe, shown.control) == (STOPPED, None)
    shown = decisive(a_failure("echo.x", exchanges=("x1", "x2")), (STOPPED, PLAIN))
    assert shown is not None
    assert shown.probe == PLAIN


def test_role_of_an_unrecorded_exchange_is_ignored() -> None:
    shown = decisive(replace(COMPARED, roles={"x9": Role.PROBE}), (STOPPED, PLAIN))
    assert shown is not None
    assert shown.probe == STOPPED


def test_finding_without_exchanges_has_only_the_suite() -> None:
    without = case(a_failure())
    assert (without.command, without.commands) == (None, ())
    assert "--select stop.five-refused" in without.suite_command


def test_finding_in_time_says_so() -> None:
    finding = replace(COMPARED, needs_suite=True)
    assert NEEDS_SUITE.en in (case(finding).command or "")
    page = html.render(a_run(finding, exchanges=(STOPPED, PLAIN, AGAIN)))
    assert NEEDS_SUITE.zh in page


def test_finding_under_load_needs_the_whole_run() -> None:
    attempts = tuple(replace(PLAIN.attempts[0], status=status) for status in (429, 200))
    throttled = replace(PLAIN, id="x4", attempts=attempts)
    finding = a_failure(exchanges=("x4",), roles={"x4": Role.PROBE}, rests_on=("n.choices",))
    run = a_run(finding, exchanges=(throttled,), select=("errors.*",))
    told = case_of(Summary(run), finding)
    assert told.caution == NEEDS_SUITE
    assert "--select 'errors.*' --tier" in told.suite_command
    assert "n.choices" not in told.suite_command


def test_finding_that_may_depend_on_others_says_so() -> None:
    told = case(replace(COMPARED, needs_run=True, rests_on=("n.choices",)))
    assert told.caution == NEEDS_RUN
    assert NEEDS_RUN.en in (told.command or "")
    assert "--select" not in told.suite_command


def test_mixed_up_responses_put_all_in_doubt() -> None:
    key = "isolation.own-prompt"
    mixed = a_failure(key, requirement=key, exchanges=("x1",), needs_suite=True)
    run = a_run(COMPARED, mixed, exchanges=(STOPPED, PLAIN, AGAIN))
    assert case_of(Summary(run), COMPARED).caution == NEEDS_RUN
    assert case_of(Summary(run), mixed).caution == NEEDS_SUITE


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({}, "--base-url http://127.0.0.1:8000/v1 --model"),
        ({"api_key_env": "MY_KEY"}, "--api-key-env MY_KEY"),
        ({"api_key_env": "$(rm x)"}, "--api-key-env OPENAI_API_KEY"),
        ({"model": "a'b; rm x"}, "--model 'a'\"'\"'b; rm x'"),
        ({"seed": 7}, "--seed 7"),
        (
            {"contract": "gateway", "contract_file": "own/gateway.yaml"},
            "--contract own/gateway.yaml",
        ),
        ({"target": "mine"}, "conformance run --target mine --select"),
    ],
)
def test_suite_command_has_what_the_run_had(header: dict[str, Any], words: str) -> None:
    assert words in case(**header).suite_command


def test_suite_command_names_the_makers_too() -> None:
    finding = replace(COMPARED, rests_on=("n.choices", "echo.batch"))
    words = shlex.split(case(finding).suite_command)
    selected = [after for word, after in pairwise(words) if word == "--select"]
    assert selected == [finding.id, "n.choices", "echo.batch"]


def test_keyless_run_names_no_variable() -> None:
    assert "--api-key-env" not in case(api_key_env=None).suite_command


def test_reports_label_and_order_exchanges() -> None:
    run = a_run(COMPARED, exchanges=(PLAIN, STOPPED, AGAIN))
    page = html.render(run)
    places = [page.index(f'class="role {role}"') for role in ("probe", "control", "repeat")]
    assert places == sorted(places)
    assert "偏差请求" in page
    assert "conformance run --base-url" in page
    text = markdown.render(run, language=Language.CHINESE)
    assert "# 对照请求：与之比较的请求\ncurl" in text
    assert "# 测试套件自身的命令\nconformance run --base-url" in text
