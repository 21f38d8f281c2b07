"""Checks as pytest items; the outcome is the check's finding."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from conformance.checks import Check
from conformance.contract import Contract
from conformance.engine.selection import Options
from conformance.model import Finding, Run, Verdict
from conformance.pytest_plugin.messages import reason_line, report_lines, sentence_line
from conformance.pytest_plugin.shared_run import NoFinding
from conformance.report.sanitize import line

NODE = "conformance"
"""Prefix of node ids: ``conformance::stop.five-refused``."""


XPASS = "[XPASS(strict)]"
"""How pytest begins the message of a strict xfail that passes."""


class Broken(AssertionError):  # noqa: N818 - its name is what pytest's summary shows
    """A check failed; the message has the requirement and the evidence.

    Reporters such as allure tell a failed assertion from a broken test.
    """


class NotJudged(Exception):  # noqa: N818 - its name is what pytest's summary shows
    """A check did not run: an error, not a failure."""


# pytest writes the module before the name of an exception, unless it is a built-in one.
Broken.__module__ = NotJudged.__module__ = "builtins"


class LesserFailure(pytest.PytestWarning):
    """A check ended with a warning."""


class JudgedSuite(Protocol):
    """The interface of the suite that items use.

    Attributes:
        checks: the selected checks.
        contract: the contract under test.
        options: the options of the run.
    """

    checks: tuple[Check, ...]
    contract: Contract
    options: Options

    def finding(self, item: CheckItem) -> Finding:
        """Wait for the finding of an item's check.

        Raises:
            NoFinding: the run ended without it.
        """

    def news_of(self, item: CheckItem) -> str | None:
        """Return what is wrong with an entry of the expected deviations that the item reports."""

    def is_first_to_report(self) -> bool:
        """Return true to the first caller in the session, which reports why nothing was run."""

    def run_so_far(self) -> Run:
        """Return the record so far; it must contain a finding."""


class Endpoint(pytest.Collector):
    """The endpoint under test: the parent node of the checks."""

    suite: JudgedSuite

    @classmethod
    def of(cls, session: pytest.Session, suite: JudgedSuite) -> Endpoint:
        """Create the node for a session."""
        path = session.config.rootpath
        endpoint: Endpoint = cls.from_parent(session, name=NODE, nodeid=NODE, path=path)
        endpoint.suite = suite
        return endpoint

    def collect(self) -> Iterator[CheckItem]:
        """Yield an item for each selected check."""
        for check in self.suite.checks:
            yield CheckItem.of(self, check)


def marks_of(check: Check, contract: Contract) -> Mapping[str, str]:
    """Return the markers of a check: area, level, tier and stage."""
    requirement = contract.requirement(check.requirement)
    return {
        "area": requirement.area,
        "level": requirement.level.value,
        "tier": check.tier.value,
        "stage": check.stage.value,
    }


class CheckItem(pytest.Item):
    """One check.

    fail fails, warn warns, refused is an expected failure (xfail); inconclusive, explained, skipped
    and info are skipped with the reason; error is an error. What a file expects is an xfail, and an
    entry of that file that no longer applies fails as a strict xfail does.
    """

    check: Check
    suite: JudgedSuite
    _finding: Finding | None = None

    @classmethod
    def of(cls, endpoint: Endpoint, check: Check) -> CheckItem:
        """Create the item with markers for area, level, tier and stage."""
        suite = endpoint.suite
        item: CheckItem = cls.from_parent(endpoint, name=check.id)
        item.check, item.suite = check, suite
        marks = marks_of(check, suite.contract)
        item.add_marker(pytest.mark.conformance(requirement=check.requirement, **marks))
        for mark in marks.values():
            item.add_marker(mark)
        item.user_properties.append(("requirement", check.requirement))
        return item

    def setup(self) -> None:
        """Wait for the finding; a check that did not run is an error."""
        try:
            finding = self.suite.finding(self)
        except NoFinding as nothing:
            # A reason that affects all checks is reported once.
            if self.suite.is_first_to_report():
                raise NotJudged(str(nothing)) from None
            pytest.skip(f"not run: {nothing}")
        self._finding = finding
        if finding.expectation is not None:
            return
        match finding.verdict:
            case Verdict.ERROR:
                raise NotJudged(finding.message)
            case Verdict.INCONCLUSIVE:
                pytest.skip(self._told(finding))
            case Verdict.SKIPPED:
                pytest.skip(finding.message)
            case Verdict.EXPLAINED:
                pytest.skip(f"explained by {finding.explained_by}: {self._told(finding)}")
            case Verdict.INFO:
                pytest.skip(f"informational: {finding.message}")

    def runtest(self) -> None:
        """Pass or fail according to the finding."""
        finding = self._finding
        assert finding is not None  # noqa: S101 - `setup` has set it
        if finding.expectation is not None:
            pytest.xfail(f"{reason_line(finding)}; {self._told(finding)}")
        if news := self.suite.news_of(self):
            raise Broken(f"{XPASS} {news}")
        match finding.verdict:
            case Verdict.REFUSED:
                pytest.xfail(self._told(finding))
            case Verdict.WARN if not self.suite.options.strict:
                self.warn(LesserFailure(report_lines(self.suite.run_so_far(), finding)))
            case Verdict.FAIL | Verdict.WARN:
                raise Broken(report_lines(self.suite.run_so_far(), finding))

    def _told(self, finding: Finding) -> str:
        """Say what was found as all reports do, and the reason if the sentence lacks it."""
        sentence = sentence_line(self.suite.run_so_far(), finding)
        reason = line(finding.message)
        return sentence if reason in sentence else f"{sentence}; {reason}"

    @property
    def is_judged(self) -> bool:
        """Return whether there is a finding, including a skipped one."""
        return self._finding is not None

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any) -> Any:
        """Show the evidence without a traceback into the plugin."""
        ours = Broken | NotJudged | LesserFailure | pytest.xfail.Exception
        if isinstance(excinfo.value, ours):
            return super().repr_failure(excinfo, style="value")
        return super().repr_failure(excinfo, *args)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the check's source file, line and headline."""
        code = inspect.unwrap(self.check.run).__code__
        # Not the id alone, in which pytest would take a dot for one between class and function.
        return Path(code.co_filename), code.co_firstlineno - 1, f"check {self.check.id}"
