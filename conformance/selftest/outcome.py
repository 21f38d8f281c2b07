"""The outcome of one run against a known server: detected or missed, false positives; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.model import Cost, Level, Verdict
from conformance.selftest.catalogue import Fault, Shows, Variant
from conformance.selftest.trials import Trial

REPORTING = frozenset({Verdict.FAIL, Verdict.WARN})


@dataclass(frozen=True, slots=True)
class Remark:
    """The finding of one check, reduced to what the matrix needs.

    ``rejected`` are the parameters of its rejected requests. ``generated`` is whether it is a
    property-based check.
    """

    check: str
    requirement: str
    level: Level
    verdict: Verdict
    message: str = ""
    rejected: frozenset[str] = frozenset()
    generated: bool = False

    @property
    def is_false_positive(self) -> bool:
        """Whether it reports a deviation, which is a false positive on a conforming server."""
        return self.verdict in REPORTING


@dataclass(frozen=True, slots=True)
class Outcome:
    """The findings and the cost of one run.

    ``because`` is why the run ended before any check, or None. ``cost`` is None unless all checks
    ran. ``elapsed`` is in seconds.
    """

    trial: Trial
    remarks: tuple[Remark, ...]
    cost: Cost | None
    elapsed: float
    because: str | None = None

    @property
    def finders(self) -> tuple[Remark, ...]:
        """The findings that detect the fault: those about a requirement that it breaks.

        A property-based check judges complete responses to requests that combine many parameters,
        so its finding counts, whichever requirement it is filed under.
        """
        refused = isinstance(self.trial.shown, Fault) and self.trial.shown.shows is Shows.REFUSED
        verdicts = {*REPORTING, Verdict.REFUSED} if refused else REPORTING
        return tuple(remark for remark in self.own if remark.verdict in verdicts)

    @property
    def found(self) -> bool:
        """Whether the fault was detected."""
        return bool(self.finders)

    @property
    def due(self) -> bool:
        """Whether a run of this tier must detect the fault; a run of one stage need not."""
        fault, trial = self.trial.shown, self.trial
        whole = trial.stage is None
        return isinstance(fault, Fault) and whole and trial.tier.holds(fault.due(trial.trigger))

    @property
    def own(self) -> tuple[Remark, ...]:
        """The findings of the checks of the broken requirements and of property-based checks."""
        broken = self.trial.broken
        return tuple(r for r in self.remarks if broken and (r.requirement in broken or r.generated))

    @property
    def reported(self) -> frozenset[str]:
        """The requirements with reported deviations, except those of level may."""
        return frozenset(
            r.requirement for r in self.remarks if r.is_false_positive and r.level is not Level.MAY
        )

    @property
    def besides(self) -> tuple[str, ...]:
        """Requirements with reported deviations that the fault does not break."""
        return tuple(sorted(self.reported - set(self.trial.broken)))

    @property
    def false_alarms(self) -> tuple[str, ...]:
        """False positives, in sentences; for a fault, only internal errors of checks."""
        if isinstance(self.trial.shown, Fault):
            return tuple(_in_words(r) for r in self.remarks if r.verdict is Verdict.ERROR)
        return tuple(self._wrong())

    def _wrong(self) -> Iterator[str]:
        if self.because is not None:
            yield f"inconclusive run: {self.because}"
        for remark in self.remarks:
            if self._is_wrong(remark):
                yield _in_words(remark)

    def _is_wrong(self, remark: Remark) -> bool:
        shown = self.trial.shown
        match remark.verdict:
            case Verdict.FAIL | Verdict.ERROR:
                return True
            case Verdict.WARN:
                return remark.level is not Level.MAY
            case Verdict.REFUSED:
                # A dialect's contract says what it may reject; a variant declares it.
                return isinstance(shown, Variant) and not remark.rejected & set(shown.refuses)
            case Verdict.INCONCLUSIVE:
                return not (isinstance(shown, Variant) and shown.may_be_inconclusive)
        return False


def _in_words(remark: Remark) -> str:
    return f"{remark.check}: {remark.verdict.value}: {remark.message}"
