"""Terminal output: a bar and colours in a terminal, uncoloured lines in a pipe."""

from io import StringIO

import pytest
from rich.console import Console

from conformance.language import Language
from conformance.message import say
from conformance.model import Conclusion, Effect, Explanation, Role, Run
from conformance.record.events import (
    CheckStarted,
    ExchangeMade,
    FindingMade,
    RunFinished,
    RunStarted,
)
from conformance.report.case import case_of
from conformance.report.console import Progressing, Verbosity, console_for, show
from conformance.report.console.outcome import MAX_LINES
from conformance.report.diagnosis import cause_of
from conformance.report.reproduce import NEEDS_RUN
from conformance.report.summary import Summary
from tests.report.builders import (
    a_failure,
    a_finding,
    a_run,
    a_subject,
    an_exchange,
)

ENDPOINT = "http://127.0.0.1:8000/v1"
BROKEN = "1 of 1 check failed."
COST = "118 requests, 14,210 tokens (9,800 prompt, 4,410 generated)"


def pipe(width: int = 1_000) -> Console:
    return Console(file=StringIO(), width=width, highlight=False, emoji=False, markup=False)


def terminal(width: int = 80, **settings: object) -> Console:
    known = {"file": StringIO(), "width": width, "force_terminal": True, "legacy_windows": False}
    return Console(**{**known, **settings})


def printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def follow(
    run,
    console: Console,
    language: Language = Language.ENGLISH,
    verbosity: Verbosity = Verbosity.VERBOSE,
) -> str:
    with Progressing(console, language, verbosity) as progress:
        progress.show(RunStarted(run.header, tuple(finding.id for finding in run.findings)))
        for exchange in run.exchanges:
            progress.show(ExchangeMade(exchange))
        for finding in run.findings:
            progress.show(CheckStarted(finding.id))
            progress.show(FindingMade(finding))
        progress.show(RunFinished(run.footer))
    return printed(console)


def test_verbose_pipe_gets_one_line_per_check() -> None:
    run = a_run(a_finding("stop.a"), a_failure("stop.b"), exchanges=(an_exchange(),))
    assert follow(run, pipe()).splitlines() == [
        (
            f"Testing {ENDPOINT}, model tiny, against the openai contract: 2 checks, standard tier;"
            " verdicts are preliminary until the run ends"
        ),
        "[1/2] ✓ pass         stop.a",
        "[2/2] ✗ fail         stop.b",
    ]


def test_pipe_gets_no_progress_unless_asked() -> None:
    run = a_run(a_finding("stop.a"), a_failure("stop.b"), exchanges=(an_exchange(),))
    assert follow(run, pipe(), verbosity=Verbosity.NORMAL) == ""
    assert follow(run, pipe(), verbosity=Verbosity.QUIET) == ""
    assert follow(run, terminal(), verbosity=Verbosity.QUIET) == ""


def test_terminal_gets_a_bar_that_counts_deviations(monkeypatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    run = a_run(a_finding("stop.a"), a_failure("stop.b"), exchanges=(an_exchange(),))
    shown = follow(run, terminal(), verbosity=Verbosity.NORMAL)
    assert "1 request" in shown
    assert "━" in shown
    assert "1 deviating so far (preliminary)" in shown
    assert "stop.b" not in shown
    loud = follow(run, terminal())
    assert "stop.b" in loud
    assert "stop.a" not in loud


def test_log_calls_explained_deviations_preliminary() -> None:
    said = follow(run_with_explained(), pipe()).splitlines()
    assert said[-1] == (
        "Explained by others, counting nowhere: 1 finding above; the result names the causes."
    )
    assert (
        follow(a_run(a_failure()), pipe()).splitlines()[-1]
        == "[1/1] ✗ fail         stop.five-refused"
    )


CAUSE = cause_of("stop.at-most-four", Effect.IGNORED)


def test_failures_are_set_off_on_a_screen() -> None:
    console = terminal(color_system="standard")
    show(a_run(a_failure()), console, verbosity=Verbosity.VERBOSE)
    assert "\x1b[1;4m400\x1b[0m" in printed(console)


def test_outcome_begins_with_the_verdict() -> None:
    console = pipe()
    skipped = a_finding("stop.z", "skipped", message="the budget is spent")
    run = a_run(a_failure(), skipped, subjects=(a_subject(), a_subject("object", kind="field")))
    show(run, console)
    assert printed(console).splitlines() == [
        "",
        (
            "Not conforming. Supports 0 of 1 documented parameter as promised; "
            f"silently ignores stop. {BROKEN}"
        ),
        f"{ENDPOINT}, tiny, contract openai; {COST}; 41.2 s",
        "1 fail, 1 skipped",
        "",
        "Parameters and response fields",
        "  ✗ ignored   stop",
        "  ○ untested  fields: object",
        "",
        "Findings",
        (
            "  ✗ fail  The request was served (status 200); promised: "
            "the documented number of stop sequences is served; one more is refused"
        ),
        "      stop.five-refused",
        "",
        "Not verified: 1 skipped",
    ]


def test_verbose_outcome_has_all_evidence() -> None:
    console = pipe()
    show(
        a_run(a_failure(), a_finding("stop.z", "skipped", message="the budget is spent")),
        console,
        verbosity=Verbosity.VERBOSE,
    )
    lines = printed(console).splitlines()
    start = lines.index("Findings")
    assert lines[start + 1] == "  ✗ fail  stop.five-refused  must"
    assert lines[start + 3 :] == [
        (
            "          promise      "
            "The documented number of stop sequences is served; one more is refused."
        ),
        "          expected     status 400",
        "          actual       status 200: a completion",
        "          source       openai: Up to 4 sequences.",
        f"          likely cause {CAUSE.cause}",
        "          fix          " + CAUSE.remedy.replace("`", ""),
        "",
        "Not verified",
        "  1 skipped",
        "    stop.z: the budget is spent",
    ]


def test_quiet_outcome_is_the_verdict_line() -> None:
    console = pipe()
    show(a_run(a_failure()), console, verbosity=Verbosity.QUIET)
    (only,) = printed(console).splitlines()
    assert only.startswith("Not conforming. Supports 0 of 1")


def test_quiet_outcome_says_why_nothing_ran() -> None:
    console = pipe()
    run = a_run(reason="connection refused", conclusion=Conclusion.UNDECIDED)
    show(run, console, verbosity=Verbosity.QUIET)
    assert printed(console).splitlines() == [
        "Inconclusive. Preflight failed; no checks were run.",
        "connection refused",
    ]


MANY = tuple(
    a_failure(f"{subject}.{place}", subject=subject, exchanges=("x1",))
    for place in range(2)
    for subject in (*(f"name_{number:02}" for number in range(23)), "stop")
)[:47]


@pytest.mark.parametrize("width", [80, 100, 1_000])
@pytest.mark.parametrize("language", Language)
def test_many_findings_fit_on_one_screen(width: int, language: Language) -> None:
    console = pipe(width)
    show(a_run(*MANY, exchanges=(an_exchange(),)), console, language)
    lines = printed(console).splitlines()
    assert len(lines) <= MAX_LINES
    assert "curl" in printed(console)
    left = {Language.ENGLISH: "see the report", Language.CHINESE: "见报告"}
    assert left[language] in printed(console)


def test_block_has_sentence_count_and_command() -> None:
    console = pipe()
    failures = (a_failure("stop.a", exchanges=("x1",)), a_failure("stop.b", exchanges=("x1",)))
    show(a_run(*failures, exchanges=(an_exchange(),)), console)
    lines = printed(console).splitlines()
    start = lines.index("Findings")
    assert "stop of 1 entries was served (status 200)" in lines[start + 1]
    assert lines[start + 2] == "      stop.a"
    assert lines[start + 3].startswith("      curl -sS -i http://127.0.0.1:8000/v1/completions")
    assert lines[start + 4] == "      1 more finding about stop, not traced to this one: stop.b"


@pytest.mark.parametrize("doubted", [False, True])
def test_long_comparison_shows_the_probe_alone(doubted: bool) -> None:
    console = pipe()
    roles = {"x1": Role.PROBE, "x2": Role.CONTROL}
    finding = a_failure("stop.a", exchanges=("x1", "x2"), roles=roles, needs_run=doubted)
    exchanges = (an_exchange("x1"), an_exchange("x2", request={"prompt": "another"}))
    show(a_run(finding, exchanges=exchanges), console)
    lines = printed(console).splitlines()
    assert any(NEEDS_RUN.en in line for line in lines) is doubted
    commands = [line for line in lines if line.startswith("      curl -sS -i")]
    assert len(commands) == 1
    assert "another" not in commands[0]


BECAUSE = "streams are not served at all"
BECAUSE_ZH = "流式请求一概未得到处理"


def run_with_explained() -> Run:
    follower = a_finding("usage.b", "explained", explained_by="stop.a", message="expected 2; got 1")
    return a_run(
        a_failure("stop.a"), follower, explained={"usage.b": Explanation("stop.a", say(BECAUSE))}
    )


def test_block_names_what_its_root_explains() -> None:
    console, chinese = pipe(), pipe()
    show(run_with_explained(), console)
    show(run_with_explained(), chinese, Language.CHINESE)
    assert "      stop.a; explains 1 finding: usage.b\n" in printed(console)
    assert "      stop.a；由此导致 1 项发现：usage.b\n" in printed(chinese)


def test_verbose_outcome_says_why_explained() -> None:
    console, chinese = pipe(), pipe()
    show(run_with_explained(), console, verbosity=Verbosity.VERBOSE)
    show(run_with_explained(), chinese, Language.CHINESE, Verbosity.VERBOSE)
    lines = printed(console).splitlines()
    start = lines.index("  ↳ explained  usage.b")
    assert start > lines.index("  ✗ fail       stop.a  must")
    assert lines[start + 2].strip() == f"explained by stop.a: {BECAUSE}"
    assert f"由 stop.a 所致：{BECAUSE_ZH}" in printed(chinese)


@pytest.mark.parametrize("width", [70, 100])
def test_command_is_one_line_on_every_screen(width: int) -> None:
    console = pipe(width)
    failure = a_failure("stop.a", exchanges=("x1",))
    run = a_run(failure, exchanges=(an_exchange(),))
    show(run, console)
    command = case_of(Summary(run), failure).command
    assert command is not None
    assert len(command) > width
    joined = command.replace(" \\\n  ", " ")
    assert f"      {joined}" in printed(console).splitlines()


def test_undocumented_parameter_is_informational() -> None:
    console = pipe()
    seed = a_subject("seed", documented=False, says={})
    seen = a_finding("seed.repeats", "info", subject="seed", effect=Effect.IGNORED)
    show(a_run(a_finding(), seen, subjects=(a_subject(), seed)), console)
    lines = printed(console).splitlines()
    title = lines.index("Not documented by openai (informational)")
    assert lines[title + 1] == "  ✗ ignored  seed"
    assert "Findings" not in lines


def test_reason_of_an_inconclusive_run_is_shown() -> None:
    console = pipe()
    run = a_run(reason="the API key was refused with 401", conclusion=Conclusion.UNDECIDED)
    show(run, console)
    assert printed(console).splitlines() == [
        "",
        "Inconclusive. Preflight failed; no checks were run.",
        "the API key was refused with 401",
        f"{ENDPOINT}, tiny, contract openai; {COST}; 41.2 s",
    ]


def test_crowd_of_one_reason_is_told_once() -> None:
    console = pipe()
    crowd = [a_finding(f"s.{n}", "inconclusive", message="key revoked") for n in range(4)]
    show(a_run(a_failure(), *crowd, a_finding("s.x", "inconclusive", message="slow")), console)
    shown = printed(console)
    assert shown.count("key revoked") == 1
    assert "4 findings: s.0, s.1 and 2 more" in shown
    assert "      s.x\n" in shown


def test_narrow_terminals_wrap_and_never_overflow() -> None:
    console = pipe(width=40)
    show(a_run(a_failure(seen="status 200: " + "x" * 100)), console)
    assert max(len(row) for row in printed(console).splitlines()) <= 40


def test_reasons_are_counted_unless_verbose() -> None:
    run = a_run(*(a_finding(f"s.{n}", "skipped", message=f"reason {n}") for n in range(9)))
    plain, verbose = pipe(), pipe()
    show(run, plain)
    show(run, verbose, verbosity=Verbosity.VERBOSE)
    assert "Not verified: 9 skipped" in printed(plain)
    assert "reason 3" not in printed(plain)
    assert all(f"s.{n}: reason {n}" in printed(verbose) for n in range(9))


def test_shared_reason_names_a_few_checks() -> None:
    console = pipe()
    skipped = (a_finding(f"s.{n}", "skipped", message="why") for n in range(9))
    show(a_run(*skipped), console, verbosity=Verbosity.VERBOSE)
    assert "    s.0, s.1 and 7 more: why\n" in printed(console)


def test_subject_has_one_block_of_separate_causes() -> None:
    many = tuple(a_failure(f"echo.{n:02}", subject="echo") for n in range(20))
    run = a_run(*many, a_failure("stop.last", subject="stop"))
    plain, verbose = pipe(), pipe()
    show(run, plain)
    show(run, verbose, verbosity=Verbosity.VERBOSE)
    apart = "19 more findings about echo, not traced to this one: echo.01, echo.02 and 17 more"
    assert apart in printed(plain)
    assert "stop.last" in printed(plain)
    assert "echo.19" not in printed(plain)
    assert "echo.19" in printed(verbose)


def test_warnings_are_not_counted_as_failures() -> None:
    console = pipe()
    show(a_run(a_failure("stop.a"), a_finding("stop.b", "warn", message="m")), console)
    assert "✗ fail" in printed(console)
    assert "≠ warn" in printed(console)


def test_no_color_is_respected(monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal()
    show(a_run(a_failure()), console)
    assert "\x1b[31m" not in printed(console)
    assert "\x1b[1;31m" not in printed(console)


def test_failures_are_red(monkeypatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    console = terminal(color_system="standard")
    show(a_run(a_failure()), console)
    assert "\x1b[1;31m" in printed(console)


@pytest.mark.parametrize("columns", ["40", "200"])
def test_pipe_does_not_wrap(monkeypatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert console_for(terminal=False).width == 1_000


def test_run_is_followed_in_chinese() -> None:
    cause = cause_of("stop.at-most-four", Effect.IGNORED)
    failure = a_failure("stop.b", title_zh="第五个停止序列应被拒绝。")
    passed = a_finding("stop.a", sees_effect=False)
    run = a_run(passed, failure, exchanges=(an_exchange(),))
    assert follow(run, pipe(), Language.CHINESE).splitlines() == [
        (
            f"按契约 openai 测试 {ENDPOINT}，模型 tiny：2 项检查，standard 档位；"
            "运行结束之前的判定均为初步结果"
        ),
        "[1/2] ✓ 通过         stop.a",
        "[2/2] ✗ 未通过       stop.b",
    ]
    console = pipe()
    show(run, console, Language.CHINESE, Verbosity.VERBOSE)
    result = printed(console)
    assert "不符合契约。文档所列的 1 个参数中有 0 个符合契约；忽略 stop 且不报错。" in result
    assert "第五个停止序列应被拒绝。" in result
    assert cause.cause_zh in result
    assert cause.cause not in result
    assert "1 未通过，1 通过" in result


def test_missing_translations_fall_back_to_english() -> None:
    console = pipe()
    show(a_run(a_failure()), console, Language.CHINESE)
    assert "one more is refused" in printed(console)
