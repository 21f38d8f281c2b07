"""Reports show which clients work, with the evidence, and apart from the verdict."""

from __future__ import annotations

import json
from dataclasses import replace

from conformance.language import Language
from conformance.message import say
from conformance.model import ClientReadiness, NeedResult, NeedState, Readiness, Run
from conformance.report import markdown, results
from conformance.report.clients import clients_of
from conformance.report.console import Verbosity, show
from conformance.report.console.styles import console_for
from conformance.report.html import render
from tests.report.builders import a_failure, a_finding, a_run, an_exchange


def a_need(name: str, state: NeedState, **changes: object) -> NeedResult:
    why = say("a stream") if state is not NeedState.MET else say("")
    need = NeedResult(
        name, f"Needs {name}.", f"需要 {name}。", "It <stops>.", "它会停止。", state, why
    )
    return replace(need, **changes)


def a_client(name: str, *needs: NeedResult) -> ClientReadiness:
    return ClientReadiness(name, f"The {name}", needs)


MET = a_need("text", NeedState.MET, findings=("stop.five-refused",))
UNMET = a_need("stream", NeedState.UNMET, exchanges=("x2",), why=say("a stream with events"))
OPEN = a_need("stop", NeedState.NOT_TESTED)
CLIENTS = (a_client("alpha", MET), a_client("beta", MET, UNMET, OPEN), a_client("gamma", OPEN))


def a_run_for(*profiles: str) -> Run:
    judged = a_run(
        a_finding(exchanges=("x1",)),
        exchanges=(an_exchange("x1"), an_exchange("x2")),
        profiles=profiles,
    )
    assert judged.footer is not None
    return replace(judged, footer=replace(judged.footer, readiness=CLIENTS))


def printed(judged: Run, verbosity: Verbosity = Verbosity.NORMAL, lang: str = "en") -> str:
    console = console_for(terminal=False)
    with console.capture() as captured:
        show(judged, console, Language(lang), verbosity)
    return captured.get()


def test_one_unmet_need_is_enough() -> None:
    assert [client.readiness for client in CLIENTS] == [
        Readiness.READY,
        Readiness.NOT_READY,
        Readiness.NOT_TESTED,
    ]


def test_terminal_names_all_and_says_why_not() -> None:
    text = printed(a_run_for())
    assert "✗ not ready   beta: a stream with events" in text
    assert "✓ ready       alpha" in text
    assert "gamma (conformance run --profile gamma tests one)" in text
    assert "客户端" in printed(a_run_for(), lang="zh")


def test_terminal_shows_needs_of_the_client_asked() -> None:
    text = printed(a_run_for("beta"))
    assert "✗ not ready  The beta" in text
    assert "✗ Needs stream.\n      a stream with events (x2)\n      It <stops>." in text
    assert "The alpha" not in text
    assert printed(a_run_for("beta"), Verbosity.QUIET).endswith("The beta: not ready\n")


def test_page_has_each_need_with_its_evidence() -> None:
    page = render(a_run_for())
    assert 'id="clients"' in page
    assert 'href="#stop.five-refused"' in page
    assert page.count('id="x-x2"') == 1  # shown with the need, since no finding has it
    assert "It &lt;stops&gt;." in page


def test_page_has_no_block_without_clients() -> None:
    assert 'id="clients"' not in render(a_run(a_failure()))
    assert "Clients" not in markdown.render(a_run(a_failure()))


def test_summary_lists_clients_and_escapes() -> None:
    text = markdown.render(a_run_for())
    assert "| The beta | ❌ not ready | It \\<stops\\>. `a stream with events` |" in text
    assert "| The alpha | ✅ ready |  |" in text


def test_results_have_clients_for_programs() -> None:
    document = json.loads(results.render(a_run_for("beta")))
    (client,) = document["clients"]
    assert document["profiles"] == ["beta"]
    assert document["exit_code"] == 1
    assert document["verdict"] == "conforming"
    assert client["readiness"] == "not ready"
    assert [need["state"] for need in client["needs"]] == ["met", "unmet", "not tested"]
    assert client["needs"][1]["why_zh"] == "含有事件的流"


def test_clients_that_do_not_work_come_first() -> None:
    assert [client.profile for client in clients_of(a_run_for())] == ["beta", "alpha", "gamma"]
