"""What happens during a run, in order of time: the runner yields it, progress and record follow it.

Frozen like the records of :mod:`conformance.model`, and as free of I/O.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.language import Text
from conformance.model import Comparison, Exchange, Finding, Footer, Header


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first event of a run."""

    header: Header
    checks: tuple[str, ...]  # the ids that will be judged, skipped ones included


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """A check began; its finding follows."""

    check: str


@dataclass(frozen=True, slots=True)
class ExchangeMade:
    """A request was answered, or given up."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class FindingMade:
    """A check concluded."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class ReferenceAnswered:
    """The reference answered a request that shows a deviation."""

    comparison: Comparison


@dataclass(frozen=True, slots=True)
class ReferenceMissing:
    """The reference could not be asked; ``because`` says why, as the end of a sentence."""

    because: Text


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event of a run that did not break off."""

    footer: Footer


RunEvent = (
    RunStarted
    | CheckStarted
    | ExchangeMade
    | FindingMade
    | ReferenceAnswered
    | ReferenceMissing
    | RunFinished
)
"""What the runner yields, in order of time."""
