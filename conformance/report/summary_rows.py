"""Parts of a summary: rows per subject, gaps, areas and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conformance.language import Text
from conformance.model import Finding, Level, Place, Requirement, State, Subject, Verdict
from conformance.record.conclusions import deviations_of

CALM = frozenset({Verdict.PASS, Verdict.EXPLAINED, Verdict.SKIPPED, Verdict.INFO})
"""Verdicts that need no attention."""


STATES_WORST_FIRST = (
    State.IGNORED,
    State.ALTERED,
    State.REFUSED,
    State.UNCLEAR,
    State.UNTESTED,
    State.ACCEPTED,
    State.HONOURED,
)
"""The order in which reports list states."""

_CALM_STATES = frozenset({State.UNTESTED, State.ACCEPTED, State.HONOURED})


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter or response field: the promise, the state, and the findings behind it."""

    subject: Subject
    state: State
    findings: tuple[Finding, ...]

    @property
    def is_lesser(self) -> bool:
        """Return whether it deviates only from requirements of level should."""
        broken = deviations_of(self.findings)
        return bool(broken) and all(finding.level is not Level.MUST for finding in broken)

    @property
    def only_unchecked(self) -> bool:
        """Whether it deviates only where invalid values were served."""
        return _only_unchecked(self.findings)

    @property
    def is_expected(self) -> bool:
        """Return whether a file expects a deviation of it, and every one that fails."""
        shown = {finding.shown for finding in self.findings}
        return Verdict.EXPECTED in shown and Verdict.FAIL not in shown

    @property
    def rank(self) -> tuple[int, bool]:
        """Sort key: the worst state first, lesser deviations last; states without any are equal."""
        if self.state in _CALM_STATES:
            return len(STATES_WORST_FIRST), False
        return STATES_WORST_FIRST.index(self.state), self.is_lesser

    @property
    def passed(self) -> bool:
        """Return whether a check passed; a refusal then concerns only some uses.

        Where checks look for an effect, only those count: a null, or a value that has to be
        rejected, is no use of the parameter.
        """
        seeing = [finding for finding in self.findings if finding.sees_effect]
        return any(finding.verdict is Verdict.PASS for finding in seeing or self.findings)

    @property
    def troubles(self) -> tuple[Finding, ...]:
        """Findings about it that need attention."""
        return tuple(finding for finding in self.findings if finding.verdict not in CALM)


@dataclass(frozen=True, slots=True)
class Gap:
    """Checks or requirements that were not verified, and why.

    ``reasons`` maps a detailed reason, empty if there is none, to ids of checks or requirements.
    """

    why: Text
    reasons: Mapping[Text, tuple[str, ...]]

    @property
    def left_open(self) -> tuple[str, ...]:
        """All ids together."""
        return tuple(name for names in self.reasons.values() for name in names)


@dataclass(frozen=True, slots=True)
class CutShort:
    """What kept a run from judging all checks of its tier.

    ``globs`` selected some of them, or those that the profiles of ``clients`` need; a limit of
    requests or tokens ``skipped`` that many; the globs of ``left_out`` excluded some.
    """

    globs: tuple[str, ...] = ()
    skipped: int = 0
    left_out: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """The findings of one area of the contract, the worst first."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def only_unchecked(self) -> bool:
        """Whether it deviates only where invalid values were served."""
        return _only_unchecked(self.findings)

    @property
    def rank(self) -> int:
        """Sort key: 0 with failures, 1 with other findings that need attention, 2 without."""
        verdicts = {finding.shown for finding in self.findings}
        return 0 if Verdict.FAIL in verdicts else 1 if verdicts - CALM else 2


@dataclass(frozen=True, slots=True)
class Origin:
    """The sources of a requirement, seen from one contract.

    ``own`` is what the contract's document says about it. If that is empty, the requirement comes
    from the protocol: ``related`` is what the document says about the subject, and ``others`` are
    the documents that state the requirement.
    """

    document: str
    own: tuple[Text, ...]
    related: Text | None
    others: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What one document says, paraphrased."""

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
    """Return what a document says about a parameter or field, or None."""
    if document not in subject.says:
        return None
    return Text(subject.says[document], subject.says_zh.get(document, ""))


def _only_unchecked(findings: Sequence[Finding]) -> bool:
    """Return whether findings show deviations only where invalid values were served.

    Nothing is said to be altered then: no valid value was. Deviations from recommendations count
    only if there are no others.
    """
    broken = deviations_of(findings)
    musts = [finding for finding in broken if finding.level is Level.MUST]
    return bool(broken) and all(one.place is Place.SERVED for one in musts or broken)
