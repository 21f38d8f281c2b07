"""Progress of concurrent runs in a terminal and in a log."""

from __future__ import annotations

import io

from rich.console import Console

from conformance.language import Language
from conformance.record.events import ExchangeMade, FindingMade, RunEvent, RunFinished, RunStarted
from conformance.report.console import Verbosity
from conformance.report.matrix.progress import ProgressOfMany
from tests.report.builders import a_failure, a_finding, a_run, an_exchange
from tests.report.hostile import ACTING, ATTACKS

RUN = a_run(a_failure(), a_finding("stop.other"))
assert RUN.footer is not None
EVENTS: tuple[RunEvent, ...] = (
    RunStarted(RUN.header, ("stop.five-refused", "stop.other")),
    ExchangeMade(an_exchange()),
    *(FindingMade(finding) for finding in RUN.findings),
    RunFinished(RUN.footer),
)


def shown(
    *names: str,
    terminal: bool,
    language: Language = Language.ENGLISH,
    verbosity: Verbosity = Verbosity.VERBOSE,
) -> str:
    """Show the same events of several runs in turns, and return what was printed."""
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100, color_system=None)
    with ProgressOfMany(console, language, verbosity) as progress:
        for event in EVENTS:
            for name in names:
                progress.show(name, event)
    return written.getvalue()


def test_log_has_a_line_per_start_and_end() -> None:
    lines = shown("zero", "other", terminal=False).splitlines()
    begun = "http://127.0.0.1:8000/v1, openai, 2 checks"
    ended = "Not conforming, 118 requests, 41.2 s"
    assert lines == [f"zero: {begun}", f"other: {begun}", f"zero: {ended}", f"other: {ended}"]
    assert "不符合契约" in shown("zero", terminal=False, language=Language.CHINESE)


def test_log_has_progress_only_if_verbose() -> None:
    for verbosity in (Verbosity.NORMAL, Verbosity.QUIET):
        assert shown("zero", terminal=False, verbosity=verbosity) == ""
    assert shown("zero", terminal=True, verbosity=Verbosity.QUIET) == ""


def test_terminal_has_one_line_per_target() -> None:
    lines = shown("zero", "other", terminal=True).splitlines()
    done = [line for line in lines if "2/2" in line and "Not conforming" in line]
    assert any("zero" in line for line in done)
    assert any("other" in line for line in done)
    assert not any("zero" in line and "other" in line for line in lines)


def test_no_name_controls_the_log() -> None:
    written = shown(*ATTACKS.values(), terminal=False)
    assert ACTING.findall(written) == []
    assert len(written.splitlines()) == 2 * len(ATTACKS)
