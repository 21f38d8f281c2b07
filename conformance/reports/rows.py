"""The parts of a summary: what became of a subject, what was left open, what belongs together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conformance.language import Text
from conformance.model import Finding, Requirement, State, Subject, Verdict

CALM = frozenset({Verdict.PASS, Verdict.SKIPPED, Verdict.INFO})
"""The verdicts of findings that ask nothing of a reader."""


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter or response field: the promise, the state, and the findings behind it."""

    subject: Subject
    state: State
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Tell whether anything about it passed: a refusal is then one of some uses only."""
        return any(finding.verdict is Verdict.PASS for finding in self.findings)

    @property
    def troubles(self) -> tuple[Finding, ...]:
        """The findings about it that want reading."""
        return tuple(finding for finding in self.findings if finding.verdict not in CALM)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not verified: why, and what that left open.

    ``reasons`` maps a finer reason, where there is one, to the ids of checks or sentences.
    """

    why: Text
    reasons: Mapping[Text, tuple[str, ...]]

    @property
    def left_open(self) -> tuple[str, ...]:
        """All ids together."""
        return tuple(name for names in self.reasons.values() for name in names)


@dataclass(frozen=True, slots=True)
class Area:
    """The findings about one part of the contract, the worst first."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def rank(self) -> int:
        """How soon a reader should meet it: 0 where a promise is broken, 2 where all is calm."""
        verdicts = {finding.verdict for finding in self.findings}
        return 0 if Verdict.FAIL in verdicts else 1 if verdicts - CALM else 2


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a requirement comes from, seen from one contract.

    ``own`` is what the contract's document says of it. Where it says nothing, the requirement is
    the protocol's: ``related`` is what the document says of the subject, if anything, and
    ``others`` are who states the requirement.
    """

    document: str
    own: tuple[Text, ...]
    related: Text | None
    others: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What one document says, in our words."""

    document: str
    says: Text


def origin(requirement: Requirement, document: str, subjects: Iterable[Subject]) -> Origin:
    """Sort a requirement's sources: the contract's own document first, the others after it."""
    stated = tuple(
        Statement(source.document, Text(source.says, source.says_zh))
        for source in requirement.sources
    )
    own = tuple(source.says for source in stated if source.document == document)
    about = next((s for s in subjects if s.name == requirement.subject), None)
    related = said_of(about, document) if about and not own else None
    others = tuple(source for source in stated if source.document != document)
    return Origin(document, own, related, others)


def said_of(subject: Subject, document: str) -> Text | None:
    """Return what a document states of a parameter or field, or None where it is silent."""
    if document not in subject.says:
        return None
    return Text(subject.says[document], subject.says_zh.get(document, ""))
