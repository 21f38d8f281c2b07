"""The suite as a pytest plugin object: selects checks, collects items, runs and reports."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.checks import Check
from conformance.cli.files import WriteError
from conformance.cli.folder import claimed, write_reports
from conformance.engine.discovery import all_checks
from conformance.engine.expectations import resolved
from conformance.engine.selection import choose
from conformance.engine.verdicts import rule
from conformance.judgement import Inconclusive, Judgement, NotApplicable, Refusal
from conformance.language import Language
from conformance.model import ExitCode, Finding, Level, Run, Verdict
from conformance.plugins import PluginError
from conformance.pytest_plugin.blocking import BlockingApi
from conformance.pytest_plugin.items import NODE, CheckItem, Endpoint, NotJudged, marks_of
from conformance.pytest_plugin.messages import news_of_entries
from conformance.pytest_plugin.settings import Settings, read_settings
from conformance.pytest_plugin.shared_run import SharedRun
from conformance.record.line import RunFileError
from conformance.record.ndjson import read_run
from conformance.report.console.clients import verdict_on_clients
from conformance.report.sanitize import line
from conformance.report.summary import Summary

RECORD = "run.ndjson"

REPORTS = ("junit", "json", "html")
"""Report formats that are written next to the record; the HTML page is last."""

MEETING = "conformance_meeting"
"""The key in xdist's ``workerinput`` for the folder that all workers share."""

NAMED = f"{NODE}::"


class Suite:
    """The endpoint of a session, its checks and the run that judges them.

    Args:
        settings: the settings of the session.
        checks: the selected checks.
        meeting: the folder that the processes of the session share.
        own: whether this process created that folder, and removes it at the end.
        most_failures: number of failures after which pytest stops; 0 is never.
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
        file = self.options.expected
        entries = resolved(file, all_checks(), self.contract).entries if file else ()
        self._listed = frozenset(check for entry in entries for check in entry.checks)
        self._run = SharedRun(
            settings.target,
            self.contract,
            self.options,
            meeting,
            self._record,
            awaited=self._listed,
        )
        self._blocking: BlockingApi | None = None
        self._most_failures = most_failures
        self._failed = 0
        self._claim = ExitStack()
        if own and settings.out is not None:
            self._claim.enter_context(_claimed(settings.out))

    @classmethod
    def of(cls, config: pytest.Config) -> Suite:
        """Validate the settings, select the checks and register their markers.

        Raises:
            pytest.UsageError: a setting is invalid, or no check is selected.
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
        """Wait for the finding of an item's check; the first call starts the run.

        Raises:
            NoFinding: the run ended without it.
        """
        session = [other.check.id for other in item.session.items if isinstance(other, CheckItem)]
        # With a maximum of failures, each counts at once, so that the run can be stopped.
        name, settled = item.check.id, not self._most_failures
        finding = self._run.finding(name, session, settled=settled)
        if name not in self._listed:
            return finding
        return next(found for found in self.run_so_far().findings if found.id == name)

    def news_of(self, item: CheckItem) -> str | None:
        """Return what is wrong with an entry of the expected deviations, which one item reports.

        That is the first judged check that the entry names.
        """
        if item.check.id not in self._listed:
            return None
        return news_of_entries(self.run_so_far(), item.check.id)

    def is_first_to_report(self) -> bool:
        """Return true to the first caller in the session, which reports why nothing was run."""
        return self._run.is_first_to_report()

    def run_so_far(self) -> Run:
        """Return the record so far; it must contain a finding."""
        run = self._run.seen()
        assert run is not None  # noqa: S101 - the record contains a finding
        return run

    def blocking_api(self) -> BlockingApi:
        """Return the API object for test functions, one per process."""
        if self._blocking is None:
            self._blocking = BlockingApi(self._settings.target, self.contract, self.options)
        return self._blocking

    # ── collection ───────────────────────────────────────────────────────────────────────────────

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Remove arguments that name checks, because pytest would look for files."""
        if session.config.pluginmanager.hasplugin("dsession"):
            return  # xdist's workers collect, and they get all arguments
        arguments = session.config.args
        named = [name.removeprefix(NAMED) for name in arguments if name.startswith(NAMED)]
        session.config.args = [name for name in arguments if not name.startswith(NAMED)]
        if named:
            self.checks = tuple(self._named(name) for name in named)
        elif arguments and all("::" in name for name in arguments):
            # Only single tests are selected, so no check is run.
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
        """Add the endpoint's node to those of the session."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed and self.checks:
            report.result.append(Endpoint.of(collector, self))
        return report

    # ── run ──────────────────────────────────────────────────────────────────────────────────────

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Pass the shared folder to a worker of xdist."""
        node.workerinput[MEETING] = str(self._meeting)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Map judgements that a test function raises to outcomes, as for a check."""
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
        """Give a skipped check its own source line, and an error only its message."""
        report = yield
        if not isinstance(item, CheckItem) or call.excinfo is None:
            return report
        # Checks without a finding keep the plugin's line, so that pytest groups them.
        if isinstance(report.longrepr, tuple) and item.is_judged:
            path, number, _ = item.reportinfo()
            report.longrepr = (str(path), number + 1, report.longrepr[2])
        elif isinstance(call.excinfo.value, NotJudged):
            report.longrepr = item.repr_failure(call.excinfo)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Stop the run when pytest reaches its maximum number of failures."""
        self._failed += report.failed
        if self._most_failures and self._failed >= self._most_failures:
            self._run.stop()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Wait for the end of the run, or stop it if pytest stopped early."""
        early = exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
        if early or session.shouldstop or session.shouldfail:
            self._run.stop()
        self._run.finish()
        if exitstatus == pytest.ExitCode.OK and not self._is_served():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._blocking is not None:
            self._blocking.close()
            self._blocking = None

    def _is_served(self) -> bool:
        """Return whether the clients that the run is for work; what they send is no item."""
        if not (self.options.profiles and self._own):
            return True
        try:
            return read_run(self._record).exit_code != ExitCode.NOT_CONFORMING
        except RunFileError:
            return True  # no check was run

    # ── report ───────────────────────────────────────────────────────────────────────────────────

    def pytest_report_header(self) -> list[str]:
        """Show the target, the contract and where the key is sent."""
        target = self._settings.target
        what = (
            f"{target.base_url}, model {target.model}, contract {self.contract.name}, "
            f"{self.options.tier.value} tier"
        )
        return [f"conformance: {line(words)}" for words in (what, *self._settings.notes)]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the conclusion of the run and write the reports."""
        try:
            run = read_run(self._record)
        except RunFileError:
            return
        summary = Summary(run)
        terminalreporter.section("conformance")
        terminalreporter.line(line(f"{summary.headline.en}. {summary.sentence.en}"))
        if clients := verdict_on_clients(run, Language.ENGLISH):
            terminalreporter.line(clients.plain)
        terminalreporter.line(line(summary.cost_in_words.en))
        if self._settings.out is not None:
            try:
                for path in write_reports(run, self._settings.out, REPORTS):
                    terminalreporter.line(line(str(path)))
            except WriteError as error:
                terminalreporter.line(f"conformance: {line(error.message)}", red=True)

    def pytest_unconfigure(self) -> None:
        """Remove the shared folder."""
        self._claim.close()
        if self._own:
            shutil.rmtree(self._meeting, ignore_errors=True)


def _checks(settings: Settings) -> tuple[Check, ...]:
    """Return the checks of a session, passive ones last, because they wait for all others.

    So ``pytest -x`` stops before the remaining requests are sent.
    """
    chosen = choose(all_checks(), settings.contract, settings.options)
    return tuple(sorted((choice.check for choice in chosen), key=lambda check: not check.asks))


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Lock the output folder until the session ends.

    Raises:
        pytest.UsageError: another session or run uses it, or it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "this is not a valid path"
        raise pytest.UsageError(
            line(f"--conformance-out: cannot create the folder {folder} ({reason})")
        ) from None
    with claimed(folder) as is_ours:
        if not is_ours or any(folder.iterdir()):
            raise pytest.UsageError(
                line(f"--conformance-out: another run is using the folder {folder}")
            )
        yield
