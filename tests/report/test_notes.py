"""Notes about a target stand beside the verdict in every report, escaped and in both languages."""

from __future__ import annotations

import io
import json
from dataclasses import replace

from rich.console import Console

from conformance.language import Language
from conformance.message import say
from conformance.model import Conclusion, Run
from conformance.report import console, html, markdown, results
from tests.report.builders import a_run

NOTE = say(
    "the endpoint's list of models says that `{model}` is shut down on {date}",
    model="<b>\x1b[31m",
    date="2027-01-14",
)


def noted() -> Run:
    run = a_run()
    assert run.footer is not None
    return replace(run, footer=replace(run.footer, notes=(NOTE,)))


def test_results_have_notes_in_both_languages() -> None:
    (note,) = json.loads(results.render(noted()))["notes"]
    assert note["text"] == NOTE
    assert note["text_zh"].startswith("该接口的模型列表写明")
    assert json.loads(results.render(a_run()))["notes"] == []


def test_terminal_shows_notes_below_the_verdict() -> None:
    told = io.StringIO()
    console.show(noted(), Console(file=told, width=200), Language.ENGLISH)
    shown = told.getvalue()
    assert "Note: the endpoint's list of models says that <b>" in shown
    assert "\x1b[31m" not in shown


def test_page_and_summary_escape_notes() -> None:
    page = html.render(noted())
    assert page.count('role="note"') == 1
    assert "Note: " in page
    assert "提示：" in page
    summary = markdown.render(noted())
    assert "Note: the endpoint" in summary
    for text in (page, summary):
        assert "<b>\x1b" not in text
        assert "is shut down on 2027-01-14" in text


def test_notes_decide_nothing() -> None:
    assert noted().conclusion is a_run().conclusion is Conclusion.NOTHING_RAN
