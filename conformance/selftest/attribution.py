"""Are a run's findings true, and is each planted fault reported? Pure.

A *planting* is the server with one or more faults. A finding, here one that fails or warns, is
true if it names a planted fault, and **collateral** otherwise:

- its requirement is one that the fault breaks or is declared to break as well, or
- its subject is that of the fault's own requirement, the first of those that it breaks.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.model import Level, Verdict
from conformance.selftest.catalogue import Fault, Shows
from conformance.selftest.trials import NOTHING, Trial

DEVIATING = frozenset({Verdict.FAIL, Verdict.WARN})

TRIES_PER_COMBINATION = 20
"""Draws per combination, after which there are too few different ones."""


@dataclass(frozen=True, slots=True)
class Planting:
    """The faults of one run, whose trials have the same contract, dialect, tier and seed."""

    trials: tuple[Trial, ...]

    @property
    def name(self) -> str:
        """The names of the faults, as in the path of a showcase server."""
        return "+".join(trial.name for trial in self.trials)

    @property
    def first(self) -> Trial:
        """The first trial, for what all have in common."""
        return self.trials[0]

    def path(self, *, without: str | None = None) -> str:
        """Return the part of the server's base URL between its origin and ``/v1``.

        Args:
            without: the name of a fault that is left out.
        """
        names = [trial.name for trial in self.trials if trial.name != without]
        instance = f"{self.first.tier.value}-{self.first.seed}-{len(names)}"
        return f"{self.first.dialect}/{'+'.join(names) or NOTHING}/{instance}"


@dataclass(frozen=True, slots=True)
class Claim:
    """One finding of a run.

    ``reproduced`` is whether a printed command showed the deviation again, None if the finding
    is no deviation; ``by_suite`` is whether only ``rerun``, the suite's own command, did.
    """

    check: str
    requirement: str
    subject: str
    level: Level
    verdict: Verdict
    message: str = ""
    seen: str | None = None
    command: str | None = None
    reproduced: bool | None = None
    rerun: str | None = None
    by_suite: bool = False

    @property
    def deviates(self) -> bool:
        """Whether it says that the endpoint deviates."""
        return self.verdict in DEVIATING


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run said about a planting.

    Attributes:
        planting: the planted faults.
        claims: the findings, except those that pass or are skipped.
        subjects: the subject of each requirement of the contract.
        states: parameters and fields whose state says that something deviates.
        headline: the run's verdict in words.
        masked: planted faults that change no response of the run, because another one hides them.
        seconds: the duration.
        because: why the run ended early, or None.
    """

    planting: Planting
    claims: tuple[Claim, ...]
    subjects: Mapping[str, str]
    states: Mapping[str, str]
    headline: str
    masked: frozenset[str] = frozenset()
    seconds: float = 0.0
    because: str | None = None

    @property
    def findings(self) -> tuple[Claim, ...]:
        """The findings that say that the endpoint deviates."""
        return tuple(claim for claim in self.claims if claim.deviates)

    @property
    def collateral(self) -> tuple[Claim, ...]:
        """The findings that name no planted fault."""
        return tuple(claim for claim in self.findings if not self.named(claim))

    @property
    def false_states(self) -> tuple[str, ...]:
        """Parameters and fields that are said to deviate without a true finding about them."""
        true = {claim.subject for claim in self.claims if self.named(claim)}
        return tuple(subject for subject in self.states if subject not in true)

    @property
    def planted(self) -> tuple[Trial, ...]:
        """The faults that the run must report: due at its tier, and not masked by another."""
        return tuple(
            trial
            for trial in self.planting.trials
            if trial.name not in self.masked and trial.tier.holds(_fault(trial).due(trial.trigger))
        )

    @property
    def unreported(self) -> tuple[Trial, ...]:
        """The faults that no finding names, although the run must report them."""
        return tuple(trial for trial in self.planted if not self._is_reported(trial))

    def named(self, claim: Claim) -> tuple[str, ...]:
        """Return the planted faults that a finding names; empty for collateral."""
        return tuple(t.name for t in self.planting.trials if self._names(claim, t))

    def named_as_own(self, claim: Claim) -> tuple[str, ...]:
        """Return the planted faults whose own requirements or subject a finding is about.

        Empty if it is only about what they are declared to break as well.
        """
        return tuple(
            trial.name
            for trial in self.planting.trials
            if claim.requirement in trial.broken or claim.subject == self._subject(trial)
        )

    def _names(self, claim: Claim, trial: Trial) -> bool:
        return breaks(trial, claim.requirement) or claim.subject == self._subject(trial)

    def _is_reported(self, trial: Trial) -> bool:
        """Whether a finding is about a requirement of the fault, or about its subject alone."""
        fault = _fault(trial)
        showing = DEVIATING | {Verdict.REFUSED} if fault.shows is Shows.REFUSED else DEVIATING
        others = {self._subject(t) for t in self.planting.trials if t is not trial}
        subject = self._subject(trial)
        return any(
            breaks(trial, claim.requirement) or (claim.subject == subject and subject not in others)
            for claim in self.claims
            if claim.verdict in showing
        )

    def _subject(self, trial: Trial) -> str | None:
        return self.subjects.get(_fault(trial).requirements[0])


def breaks(trial: Trial, requirement: str) -> bool:
    """Return whether a fault breaks a requirement or is declared to break it as well."""
    declared = _fault(trial).also_breaks
    return requirement in trial.broken or any(fnmatchcase(requirement, glob) for glob in declared)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over a group of runs."""

    runs: int
    findings: int
    true: int
    planted: int
    reported: int
    spotless: int
    """Runs without collateral."""
    states: int
    false_states: int
    """Parameters and fields that are said to deviate, and those without a true finding."""
    commands: int
    reproduced: int

    @property
    def precision(self) -> float:
        """True findings out of all, from 0 to 1; 1 if there are none."""
        return self.true / self.findings if self.findings else 1.0


def complaints_of(runs: Sequence[RunResult]) -> tuple[str, ...]:
    """Return what is wrong, one sentence per reason; empty if every statement was true."""
    figures = figures_of(runs)
    ended = sum(run.because is not None for run in runs)
    counted = (
        (figures.findings - figures.true, "findings name no planted fault"),
        (figures.false_states, "states of parameters and fields rest on no true finding"),
        (figures.planted - figures.reported, "planted faults are reported by no finding"),
        (figures.commands - figures.reproduced, "printed commands do not show the deviation"),
        (ended, "runs ended early"),
    )
    return tuple(f"{count} {what}" for count, what in counted if count)


def figures_of(runs: Collection[RunResult]) -> Figures:
    """Count findings, planted faults and commands."""
    findings = [claim for run in runs for claim in run.findings]
    commands = [claim for claim in findings if claim.reproduced is not None]
    planted = sum(len(run.planted) for run in runs)
    return Figures(
        runs=len(runs),
        findings=len(findings),
        true=len(findings) - sum(len(run.collateral) for run in runs),
        planted=planted,
        reported=planted - sum(len(run.unreported) for run in runs),
        spotless=sum(not run.collateral for run in runs),
        states=sum(len(run.states) for run in runs),
        false_states=sum(len(run.false_states) for run in runs),
        commands=len(commands),
        reproduced=sum(claim.reproduced is True for claim in commands),
    )


def false_positives(runs: Iterable[RunResult]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the checks with false positives and their plantings, the worst first."""
    found: dict[str, list[str]] = {}
    for run in runs:
        for claim in run.collateral:
            found.setdefault(claim.check, []).append(run.planting.name)
    worst = sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [(check, tuple(names)) for check, names in worst]


@dataclass(frozen=True, slots=True)
class Draw:
    """How many plantings to draw: single faults, or None for all, and pairs and fives of faults."""

    singles: int | None
    pairs: int = 0
    fives: int = 0
    seed: int = 0


def plantings_of(trials: Sequence[Trial], draw: Draw) -> tuple[Planting, ...]:
    """Return single faults in the order of the catalogue, then pairs, then fives.

    The same seed draws the same plantings from the same trials.
    """
    singles: Sequence[int] = range(len(trials))
    if draw.singles is not None:
        count = min(draw.singles, len(trials))
        singles = sorted(_rng("singles", draw).sample(singles, count))
    return (
        *(Planting((trials[place],)) for place in singles),
        *_combinations(trials, 2, draw.pairs, _rng("pairs", draw)),
        *_combinations(trials, 5, draw.fives, _rng("fives", draw)),
    )


def _rng(kind: str, draw: Draw) -> random.Random:
    return random.Random(f"{kind} {draw.seed}")  # noqa: S311 - a sample, not a secret


def _combinations(
    trials: Sequence[Trial], size: int, count: int, rng: random.Random
) -> tuple[Planting, ...]:
    """Return different combinations of faults that one server can have; fewer if there are few.

    Faults that only another dialect or contract shows are left out.
    """
    together = [trial for trial in trials if _setting(trial) == _setting(trials[0])]
    if len({trial.shown.name for trial in together}) < size:
        return ()
    drawn: dict[frozenset[str], Planting] = {}
    for _ in range(TRIES_PER_COMBINATION * count):
        if len(drawn) == count:
            break
        planting = Planting(tuple(rng.sample(together, size)))
        names = frozenset(trial.shown.name for trial in planting.trials)
        if len(names) == size:
            drawn.setdefault(names, planting)
    return tuple(drawn.values())


def _setting(trial: Trial) -> tuple[str, str]:
    return trial.contract, trial.dialect


def _fault(trial: Trial) -> Fault:
    assert isinstance(trial.shown, Fault)  # noqa: S101 - only faults are planted
    return trial.shown
