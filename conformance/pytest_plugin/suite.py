"""What a session judges: chosen once, judged in one run, summed up at the end."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from conformance.checks import Check
from conformance.engine.discovery import all_checks
from conformance.engine.selection import choose
from conformance.engine.verdicts import rule
from conformance.judgement import Inconclusive, Judgement, NotApplicable, Refusal
from conformance.model import Finding, Level, Run, Verdict
from conformance.plugins import PluginError
from conformance.pytest_plugin.blocking import BlockingApi
from conformance.pytest_plugin.items import NODE, CheckItem, Endpoint, NotJudged, marks_of
from conformance.pytest_plugin.settings import Settings, read_settings
from conformance.pytest_plugin.shared_run import SharedRun
from conformance.record.ndjson import RunFileError, read_run
from conformance.report import formats
from conformance.report.sanitize import line
from conformance.report.summary import Summary

RECORD = "run.ndjson"

REPORTS = ("junit", "json", "html")
"""What ``conformance run`` leaves beside the record; the page for people comes last."""

MEETING = "conformance_meeting"
"""The key under which xdist hands its workers the folder that they share."""

NAMED = f"{NODE}::"


class Suite:
    """The endpoint of a session, its checks and the run that judges them.

    Args:
        settings: what is judged.
        checks: by which checks.
        meeting: the folder in which the processes of a session meet.
        own: whether this process made that folder, and takes care of what is left at the end.
        most_failures: after so many pytest stops; 0 for never.
    """

    def __init__(
        self,
        settings: Settings,
        checks: tuple[Check, ...],
        meeting: Path,
        *,
        own: bool,
        most_failures: int = 0,
    ) -> None:
        self.contract, self.options = settings.contract, settings.options
        self.checks = checks
        self._settings, self._meeting, self._own = settings, meeting, own
        self._record = (settings.out or meeting) / RECORD
        self._run = SharedRun(settings.target, self.contract, self.options, meeting, self._record)
        self._blocking: BlockingApi | None = None
        self._most_failures = most_failures
        self._failed = 0

    @classmethod
    def of(cls, config: pytest.Config) -> Suite:
        """Make sure of what was typed, and offer the marks of the checks.

        Raises:
            pytest.UsageError: something of it cannot be used, in one sentence.
        """
        shared: str | None = getattr(config, "workerinput", {}).get(MEETING)
        try:
            settings = read_settings(config, os.environ, begins=shared is None)
            checks = _checks(settings)
        except PluginError as error:
            raise pytest.UsageError(str(error)) from None
        if not checks:
            raise pytest.UsageError(
                f"--conformance-select {' '.join(settings.options.select)} matches no check in the "
                f"{settings.options.tier.value} tier; `conformance list` shows them all"
            )
        meeting = Path(shared or tempfile.mkdtemp(prefix="conformance-"))
        most = config.getoption("maxfail")
        suite = cls(settings, checks, meeting, own=shared is None, most_failures=most)
        marks = {mark: kind for c in checks for kind, mark in marks_of(c, suite.contract).items()}
        for mark, kind in marks.items():
            config.addinivalue_line("markers", f"{mark}: checks of this {kind}, of conformance")
        return suite

    def finding(self, item: CheckItem) -> Finding:
        """Wait for what became of a check; the first to ask begins the run of all.

        Raises:
            NoFinding: the run ended without it.
        """
        session = [other.check.id for other in item.session.items if isinstance(other, CheckItem)]
        return self._run.finding(item.check.id, session)

    def is_first_to_report(self) -> bool:
        """Tell whether nobody in the session has yet complained that nothing can be judged."""
        return self._run.is_first_to_report()

    def run_so_far(self) -> Run:
        """Return the record as far as it has grown, once there is a finding in it."""
        run = self._run.seen()
        assert run is not None  # noqa: S101 - it has brought a finding
        return run

    def blocking_api(self) -> BlockingApi:
        """Return the endpoint for test functions; one for the process."""
        if self._blocking is None:
            self._blocking = BlockingApi(self._settings.target, self.contract, self.options)
        return self._blocking

    # ── collecting ───────────────────────────────────────────────────────────────────────────────

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Take out what names checks, for which pytest would look among the files."""
        if session.config.pluginmanager.hasplugin("dsession"):
            return  # the workers of xdist collect, and are told all arguments
        arguments = session.config.args
        named = [name.removeprefix(NAMED) for name in arguments if name.startswith(NAMED)]
        session.config.args = [name for name in arguments if not name.startswith(NAMED)]
        if named:
            self.checks = tuple(self._named(name) for name in named)
        elif arguments and all("::" in name for name in arguments):
            # Who names single tests wants those, and pays for nothing else.
            self.checks = ()

    def _named(self, name: str) -> Check:
        known = {check.id: check for check in self.checks}
        if name in known:
            return known[name]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {NAMED}{near[0]}?" if near else "`conformance list` shows them all"
        raise pytest.UsageError(f"not found: {NAMED}{name}; {hint}")

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Put the endpoint beside the files that a session collects from."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed and self.checks:
            report.result.append(Endpoint.of(collector, self))
        return report

    # ── running ──────────────────────────────────────────────────────────────────────────────────

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand a worker of xdist the folder that all share."""
        node.workerinput[MEETING] = str(self._meeting)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Judge what a test function of one's own did not expect of an answer as a check's is."""
        try:
            return (yield)
        except (Inconclusive, NotApplicable, Refusal) as outcome:
            self._excuse(outcome)
            raise

    def _excuse(self, outcome: Judgement) -> None:
        ruling = rule(outcome, Level.MUST, self.contract)
        match ruling.verdict:
            case Verdict.REFUSED:
                pytest.xfail(ruling.message)
            case Verdict.INCONCLUSIVE | Verdict.SKIPPED:
                pytest.skip(f"{ruling.verdict.value}: {ruling.message}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a check that is skipped name its own lines, and one in error its reason alone."""
        report = yield
        if not isinstance(item, CheckItem) or call.excinfo is None:
            return report
        # What nothing is known of stays with the place that says so, which pytest tells once.
        if isinstance(report.longrepr, tuple) and item.is_judged:
            path, number, _ = item.reportinfo()
            report.longrepr = (str(path), number + 1, report.longrepr[2])
        elif isinstance(call.excinfo.value, NotJudged):
            report.longrepr = item.repr_failure(call.excinfo)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Stop the run as soon as pytest will stop, whichever process leads it."""
        self._failed += report.failed
        if self._most_failures and self._failed >= self._most_failures:
            self._run.stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """End the run: at once where pytest stopped early, so that nothing more is paid for."""
        early = exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
        if early or session.shouldstop or session.shouldfail:
            self._run.stop()
        self._run.finish()
        if self._blocking is not None:
            self._blocking.close()
            self._blocking = None

    # ── telling ──────────────────────────────────────────────────────────────────────────────────

    def pytest_report_header(self) -> list[str]:
        """Say what is judged, and where a key goes."""
        target = self._settings.target
        what = (
            f"{target.base_url}, model {target.model}, contract {self.contract.name}, "
            f"{self.options.tier.value} tier"
        )
        return [f"conformance: {line(words)}" for words in (what, *self._settings.notes)]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what the run says as a whole, which no single test does."""
        try:
            run = read_run(self._record)
        except RunFileError:
            return
        summary = Summary(run)
        terminalreporter.section("conformance")
        terminalreporter.line(line(f"{summary.headline.en}. {summary.sentence.en}"))
        terminalreporter.line(line(summary.cost_in_words.en))
        if self._settings.out is not None:
            try:
                for path in _write_reports(run, self._settings.out):
                    terminalreporter.line(str(path))
            except OSError as error:
                terminalreporter.line(f"the reports could not be written: {error}", red=True)

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind."""
        if self._own:
            shutil.rmtree(self._meeting, ignore_errors=True)


def _checks(settings: Settings) -> tuple[Check, ...]:
    """List the checks of a session: first those that ask, because the others wait for all of these.

    So whoever stops at the first failure stops before the rest is paid for.
    """
    chosen = choose(all_checks(), settings.contract, settings.options)
    return tuple(sorted((choice.check for choice in chosen), key=lambda check: not check.asks))


def _write_reports(run: Run, folder: Path) -> Sequence[Path]:
    """Write the reports beside the record, and return where they are."""
    known = formats()
    paths = [folder / known[name].file_name for name in REPORTS]
    for name, path in zip(REPORTS, paths, strict=True):
        path.write_text(known[name].render(run), encoding="utf-8", newline="\n")
    return paths
