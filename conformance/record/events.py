"""The events of a run, which the runner yields in order of time.

The record is written from them and progress is shown from them. They are frozen and without I/O,
like the records of :mod:`conformance.model`.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.language import Text
from conformance.model import Comparison, Exchange, Finding, Footer, Header


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first event of a run."""

    header: Header
    checks: tuple[str, ...]  # ids of the selected checks, including skipped ones


@dataclass(frozen=True, slots=True)
class CheckStarted:
    """A check started; its finding follows."""

    check: str


@dataclass(frozen=True, slots=True)
class ExchangeMade:
    """An exchange is complete: a response, or a transport error after all attempts."""

    exchange: Exchange


@dataclass(frozen=True, slots=True)
class FindingMade:
    """A check finished."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class ReferenceAnswered:
    """The comparison server responded to a request that shows a deviation."""

    comparison: Comparison


@dataclass(frozen=True, slots=True)
class ReferenceMissing:
    """The comparison server is unavailable; ``because`` is why, as the end of a sentence."""

    because: Text


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last event of a complete run."""

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
"""Any event of a run."""
