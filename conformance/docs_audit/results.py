"""Results for a page: the records that the lint, the replay and the reports share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conformance.docs_audit.page import Page


class Outcome(StrEnum):
    """The result of replaying one example."""

    MET = "met"
    NOT_MET = "not met"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where examples are sent.

    Attributes:
        base_url: including the version, without a slash at its end: ``http://127.0.0.1:8000/v1``.
        model: replaces the page's model; None keeps it.
        api_key: sent as a bearer token; None sends none.
    """

    base_url: str
    model: str | None = None
    api_key: str | None = None

    def __repr__(self) -> str:
        """Format it without the key, which must not be logged."""
        return f"Endpoint(base_url={self.base_url!r}, model={self.model!r})"


@dataclass(frozen=True, slots=True)
class Unmet:
    """An expectation that the response did not meet, with the expected and the actual value."""

    expectation: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """One example that was sent, or could not be.

    Attributes:
        document: the page.
        example: the name of the example.
        client: the client that sent it, with its version if known.
        outcome: whether all expectations were met.
        met: the names of the expectations that were met.
        unmet: those that were not, in order of :data:`EXPECTATIONS`.
        reason: why it was not sent, and the fix; None if it was sent.
        stand_ins: the variables of the page's code that were replaced by a text of ours.
    """

    document: str
    example: str
    client: str
    outcome: Outcome
    met: tuple[str, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    reason: str | None = None
    stand_ins: tuple[str, ...] = ()

    @property
    def note(self) -> str | None:
        """How the request differs from the page's; None if it does not."""
        if not self.stand_ins:
            return None
        return (
            f"with placeholder text for {', '.join(self.stand_ins)}, a variable in the page's code"
        )


class Severity(StrEnum):
    """The severity of a finding about a page."""

    DEFECT = "defect"
    """The page is wrong or contradicts itself."""
    GAP = "gap"
    """The page omits something that a reader needs."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place on a page that breaks a rule of the lint.

    Attributes:
        rule: the rule's id.
        severity: of the rule.
        document: the page.
        place: the place on the page, such as ``samples: answer``.
        written: what the page has there.
        wrong: why that is wrong.
        says: what the rule requires, in one sentence; ``says_zh`` in Chinese.
        fix: the fix; ``fix_zh`` in Chinese.
    """

    rule: str
    severity: Severity
    document: str
    place: str
    written: str
    wrong: str
    says: str
    says_zh: str
    fix: str
    fix_zh: str


@dataclass(frozen=True, slots=True)
class Examined:
    """A page and its results; a part that did not run is None.

    ``against`` describes the endpoint that its examples were sent to.
    """

    page: Page
    findings: tuple[Finding, ...] | None = None
    replays: tuple[Replayed, ...] | None = None
    against: str = ""

    def count(self, what: Outcome | Severity) -> int:
        """Count the examples with an outcome, or the findings of a severity."""
        if isinstance(what, Outcome):
            return sum(replayed.outcome is what for replayed in self.replays or ())
        return sum(finding.severity is what for finding in self.findings or ())
