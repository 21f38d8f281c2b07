"""What came of a page: the records that the lint, the replay and the reports share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conformance.docs_audit.page import Page


class Outcome(StrEnum):
    """What came of one example that was to be sent."""

    MET = "met"
    NOT_MET = "not met"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where examples are sent.

    Attributes:
        base_url: with the version, without a slash at its end: ``http://127.0.0.1:8000/v1``.
        model: the model that is asked for in the place of the page's; None leaves the page's.
        api_key: sent as a bearer token; None where the endpoint wants none.
    """

    base_url: str
    model: str | None = None
    api_key: str | None = None

    def __repr__(self) -> str:
        """Write it without the key, which must not reach a log."""
        return f"Endpoint(base_url={self.base_url!r}, model={self.model!r})"


@dataclass(frozen=True, slots=True)
class Unmet:
    """An expectation that the answer did not meet, with what was expected and what was seen."""

    expectation: str
    expected: str
    seen: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """One example after it was sent, or after it turned out that it could not be.

    Attributes:
        client: the program that sent it, with its version where known.
        met: the names of the expectations that held.
        unmet: those that did not, in the order in which they were looked at.
        reason: why it was not run, and what to do about it; None where it was.
        stand_ins: the variables of the page's code for which a text of ours was sent.
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
        """Say in what the request was not the page's own; None where it was."""
        if not self.stand_ins:
            return None
        return (
            f"with placeholder text for {', '.join(self.stand_ins)}, a variable in the page's code"
        )


class Severity(StrEnum):
    """What is the matter with a page."""

    DEFECT = "defect"
    """What the page shows is broken, or it contradicts itself."""
    GAP = "gap"
    """A reader has to guess what the page leaves out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of a page that breaks a rule of the lint.

    Attributes:
        rule: the rule's id; ``says`` is what it asks of a page, in one sentence.
        place: where on the page, such as ``samples: answer``.
        written: what is written there.
        wrong: why that is wrong.
        mend: how to put it right.
    """

    rule: str
    severity: Severity
    document: str
    place: str
    written: str
    wrong: str
    says: str
    says_zh: str
    mend: str
    mend_zh: str


@dataclass(frozen=True, slots=True)
class Examined:
    """A page and what came of it; a part that was not asked for is None.

    Attributes:
        against: what its examples were sent to, in words.
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
