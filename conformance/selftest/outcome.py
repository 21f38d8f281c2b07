"""What came of one run against a known server: found or missed, rightly accused or not. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.model import Cost, Level, Verdict
from conformance.selftest.catalogue import Fault, Shows, Variant
from conformance.selftest.trials import Trial

ACCUSING = frozenset({Verdict.FAIL, Verdict.WARN})


@dataclass(frozen=True, slots=True)
class Remark:
    """What one check said.

    ``declined`` names the parameters of the requests that were refused; ``generated`` says that
    nobody wrote the requests for that one sentence.
    """

    check: str
    requirement: str
    level: Level
    verdict: Verdict
    message: str = ""
    declined: frozenset[str] = frozenset()
    generated: bool = False

    @property
    def is_false_positive(self) -> bool:
        """Whether it says that a promise is broken."""
        return self.verdict in ACCUSING


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: what each check said, and what it cost.

    ``because`` says why the run ended before any check could judge, or is None. ``cost`` is None
    where a few checks sufficed, whose price is not that of a run.
    """

    trial: Trial
    remarks: tuple[Remark, ...]
    cost: Cost | None
    elapsed: float
    because: str | None = None

    @property
    def finders(self) -> tuple[Remark, ...]:
        """What accuses the server of just the promise that its fault breaks.

        A generated check judges whole answers to requests that use everything at once, and names
        the request and what is wrong with the answer: that is the fault, whichever sentence it
        stands under.
        """
        refused = isinstance(self.trial.shown, Fault) and self.trial.shown.shows is Shows.REFUSED
        telling = {*ACCUSING, Verdict.REFUSED} if refused else ACCUSING
        return tuple(remark for remark in self.own if remark.verdict in telling)

    @property
    def found(self) -> bool:
        """Whether the fault was found."""
        return bool(self.finders)

    @property
    def due(self) -> bool:
        """Whether a run of this tier has to find the fault; one stage alone need find none."""
        fault, trial = self.trial.shown, self.trial
        whole = trial.stage is None
        return isinstance(fault, Fault) and whole and trial.tier.holds(fault.due(trial.modifier))

    @property
    def own(self) -> tuple[Remark, ...]:
        """What the checks of the broken requirements said, and the generated ones."""
        broken = self.trial.broken
        return tuple(r for r in self.remarks if broken and (r.requirement in broken or r.generated))

    @property
    def reported(self) -> frozenset[str]:
        """The requirements that the server is told to break, but for mere conventions."""
        return frozenset(
            r.requirement for r in self.remarks if r.is_false_positive and r.level is not Level.MAY
        )

    @property
    def besides(self) -> tuple[str, ...]:
        """Requirements that are accused and that the fault does not claim to break."""
        return tuple(sorted(self.reported - set(self.trial.broken)))

    @property
    def false_alarms(self) -> tuple[str, ...]:
        """What no correct server should have had to hear; of a fault only what broke in a check."""
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
                # A dialect's own contract says what it may decline; a variant declares it.
                return isinstance(shown, Variant) and not remark.declined & set(shown.refuses)
            case Verdict.INCONCLUSIVE:
                return not (isinstance(shown, Variant) and shown.may_be_inconclusive)
        return False


def _in_words(remark: Remark) -> str:
    return f"{remark.check}: {remark.verdict.value}: {remark.message}"
