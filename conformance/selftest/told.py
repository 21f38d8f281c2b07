"""Is each planted cause told once? Count the findings that tell it; pure.

A fault is one cause. What it is declared to break beside its own requirements is broken as well,
and so is a cause of its own. Findings that name no planted fault tell no cause, and count nowhere
here: they are false positives.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from conformance.selftest.attribution import RunResult


@dataclass(frozen=True, slots=True)
class Told:
    """The findings of runs, and the causes that they tell.

    Attributes:
        findings: those that name a planted fault.
        faults: the planted faults that a finding names.
        causes: these, and what they are declared to break as well, if a finding tells it.
        repeated: the runs with more findings than causes, the worst first.
    """

    findings: int
    faults: int
    causes: int
    repeated: tuple[Repeated, ...]

    @property
    def per_cause(self) -> float:
        """Findings for each cause; 1 if there is none."""
        return self.findings / self.causes if self.causes else 1.0

    @property
    def per_fault(self) -> float:
        """Findings for each planted fault, whatever it is declared to break; 1 if there is none."""
        return self.findings / self.faults if self.faults else 1.0


@dataclass(frozen=True, slots=True)
class Repeated:
    """A run that tells some cause more than once: its faults, its findings and their causes."""

    name: str
    findings: int
    causes: int


def told_in(runs: Collection[RunResult]) -> Told:
    """Count the findings, faults and causes of runs."""
    each = [_of_run(run) for run in runs]
    repeated = (one for _, one in each if one.findings > one.causes)
    return Told(
        findings=sum(one.findings for _, one in each),
        faults=sum(faults for faults, _ in each),
        causes=sum(one.causes for _, one in each),
        repeated=tuple(sorted(repeated, key=lambda one: (one.causes - one.findings, one.name))),
    )


def _of_run(run: RunResult) -> tuple[int, Repeated]:
    """Return the number of faults that a run names, and its findings and causes."""
    findings = [claim for claim in run.findings if run.named(claim)]
    faults = {name for claim in findings for name in run.named(claim)}
    own = {name for claim in findings for name in run.named_as_own(claim)}
    besides = {claim.requirement for claim in findings if not run.named_as_own(claim)}
    causes = len(own) + len(besides)
    return len(faults), Repeated(run.planting.name, len(findings), causes)


def names_of(repeated: Iterable[Repeated]) -> tuple[str, ...]:
    """Return each run that tells a cause more than once, with its findings and causes."""
    return tuple(f"{one.name} ({one.findings} for {one.causes})" for one in repeated)
