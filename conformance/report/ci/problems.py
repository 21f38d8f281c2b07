"""What CI systems show of a run: its root causes, the most important first.

A finding that follows from another one is no problem of its own, so that mending one thing never
closes a dozen alerts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

from conformance.language import Text
from conformance.model import Conclusion, Finding, Header, Run, Verdict
from conformance.report.case import Case, case_of
from conformance.report.causes import causes_of
from conformance.report.ci.location import Location
from conformance.report.expected import why_expired, why_stale
from conformance.report.locale.finding_text import finding_text
from conformance.report.sanitize import cut, line
from conformance.report.summary import Summary

MAX_PROBLEMS = 5_000
"""Problems that a format lists; GitHub keeps as many results of one file."""

STALE, EXPIRED = "expected.stale", "expected.expired"
"""What an entry of the expected deviations is called that fails a run."""

MAX_VALUE_CHARS = 600
"""Maximum characters of an expected or an actual value."""

MAX_COMMAND_CHARS = 1_000
"""Maximum characters of the command that finds it again."""


class Severity(Enum):
    """How much a problem matters, the most important first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    UNDECIDED = "undecided"
    """Nothing is known: the check is inconclusive, or has an internal error."""
    EXPECTED = "expected"
    """A file of expected deviations lists it, so it decides nothing."""


@dataclass(frozen=True)
class Problem:
    """One root cause.

    Attributes:
        case: the finding with its evidence.
        severity: how much it matters in this run.
        explains: the findings that follow from it.
    """

    case: Case
    severity: Severity
    explains: tuple[Finding, ...] = ()

    @property
    def finding(self) -> Finding:
        """The finding."""
        return self.case.finding

    @property
    def sentence(self) -> Text:
        """What was found in one sentence, as in all reports; at most 200 characters."""
        return self.case.summary.sentence_of(self.finding)

    @property
    def reason(self) -> str | None:
        """Why it is expected, on one line; None if it is not."""
        entry = self.finding.expectation
        if entry is None:
            return None
        told = f"{entry.reason}, {entry.url}" if entry.url else entry.reason
        return cut(line(told), MAX_VALUE_CHARS)

    @property
    def told(self) -> Text:
        """The sentence, and before it that the deviation is expected, with the reason."""
        if self.reason is None:
            return self.sentence
        return _EXPECTED_BECAUSE.format(reason=self.reason, told=self.sentence)

    @property
    def fingerprint(self) -> str:
        """What stays the same over runs: the check at this target under this contract."""
        return fingerprint_of(self.case.summary.run.header, self.finding.id)

    @property
    def details(self) -> Text:
        """Expected and actual value, the likely cause and the command, a line each."""
        finding, parts = self.finding, list[Text]()
        for label, value in ((_EXPECTED, finding.expected), (_ACTUAL, finding.seen)):
            if value is not None:
                shown = finding_text(value).mapped(lambda text: cut(line(text), MAX_VALUE_CHARS))
                parts.append(label.format(value=shown))
        if self.case.likely is not None:
            parts.append(_CAUSE.format(value=self.case.likely))
        if self.explains:
            parts.append(_EXPLAINS.format(count=len(self.explains)))
        command = cut(line(self.case.suite_command), MAX_COMMAND_CHARS)
        parts.append(_AGAIN.format(value=command))
        return Text("\n".join(part.en for part in parts), "\n".join(part.zh for part in parts))


@dataclass(frozen=True, slots=True)
class Outdated:
    """An entry of the expected deviations that no longer describes the endpoint: an error.

    Attributes:
        id: ``expected.stale`` or ``expected.expired``.
        told: what is wrong, and what to do.
        location: the line of the entry.
        fingerprint: what stays the same over runs.
    """

    id: str
    told: Text
    location: Location
    fingerprint: str


def outdated_of(run: Run, location: Location) -> tuple[Outdated, ...]:
    """Return the entries that fail a run, those that are stale first.

    Args:
        run: the run.
        location: where its findings are shown; the file is beside it.
    """
    if run.expected is None:
        return ()
    file = run.expected.file.name
    found = [(STALE, entry, why_stale) for entry in run.expected.stale]
    found += [(EXPIRED, entry, why_expired) for entry in run.expected.expired]
    return tuple(
        Outdated(
            name,
            why(entry, file).mapped(lambda text: cut(line(text), MAX_VALUE_CHARS)),
            location.beside(file, entry.line),
            fingerprint_of(run.header, f"{name} {entry.kind.value} {entry.name}"),
        )
        for name, entry, why in found[:MAX_PROBLEMS]
    )


def problems_of(summary: Summary, key_env: str | None = None) -> tuple[Problem, ...]:
    """Return the root causes of a run, at most :data:`MAX_PROBLEMS`.

    Args:
        summary: the run.
        key_env: the environment variable that commands read the key from; by default the one
            that the run used.
    """
    found = [
        Problem(
            case_of(summary, cause.root, key_env), _decided(cause.root, summary), cause.explained
        )
        for cause in causes_of(summary)
    ]
    order = list(Severity)
    found.sort(key=lambda problem: order.index(problem.severity))
    return tuple(found[:MAX_PROBLEMS])


def scope_of(header: Header) -> str:
    """Name what was tested: the target, or the URL without one, and the contract."""
    return f"{header.target or header.base_url}/{header.contract}"


def fingerprint_of(header: Header, check: str) -> str:
    """Return 32 hexadecimal digits that stand for a check at a target under a contract."""
    known = f"{scope_of(header)}\0{check}"
    return hashlib.sha256(known.encode(errors="replace")).hexdigest()[:32]


def incomplete(summary: Summary) -> Text | None:
    """Say why a run does not stand for the endpoint; None if it does.

    What it did not find is not known to be mended.
    """
    if summary.conclusion in {Conclusion.INCOMPLETE, Conclusion.NOTHING_RAN} or summary.because:
        reason = summary.because
        told = _WITH_REASON.format(told=summary.sentence, reason=reason) if reason else None
        return (told or summary.sentence).mapped(lambda text: cut(line(text), MAX_VALUE_CHARS))
    return None


def _decided(finding: Finding, summary: Summary) -> Severity:
    return Severity.EXPECTED if finding.expectation else severity_of(finding, summary)


def severity_of(finding: Finding, summary: Summary) -> Severity:
    """Return how much a finding matters, or would if it were not expected."""
    match finding.verdict:
        case Verdict.FAIL:
            return Severity.ERROR
        case Verdict.WARN:
            return Severity.ERROR if summary.run.header.strict else Severity.WARNING
        case Verdict.REFUSED:
            return Severity.NOTE
        case _:
            return Severity.UNDECIDED


_EXPECTED_BECAUSE = Text("Expected ({reason}): {told}", "已知偏差（{reason}）：{told}")
_EXPECTED = Text("Expected: {value}", "预期：{value}")
_ACTUAL = Text("Actual: {value}", "实际：{value}")
_CAUSE = Text("Likely cause: {value}", "可能原因：{value}")
_EXPLAINS = Text("Findings that follow from it: {count}", "由此导致的其他发现：{count} 项")
_AGAIN = Text("Find it again: {value}", "再次检出：{value}")
_WITH_REASON = Text("{told} Reason: {reason}", "{told}原因：{reason}")
