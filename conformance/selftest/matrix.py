"""The kill matrix of a self-test: detected and missed faults, and false positives; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from conformance.checks import Check
from conformance.contract import LIVING
from conformance.model import Tier, Verdict
from conformance.selftest.catalogue import Fault
from conformance.selftest.outcome import Outcome

SMOKE_SHARE = 0.6
"""Minimum share of the faults due at the standard tier that the smoke tier must detect, without
those of extensions, which it leaves to the standard tier."""


@dataclass(frozen=True, slots=True)
class Share:
    """A number of detected faults out of all."""

    found: int
    of: int

    @property
    def percent(self) -> int:
        """The percentage, rounded down, so that 100 means all."""
        return 100 * self.found // self.of if self.of else 100


@dataclass(frozen=True, slots=True)
class Row:
    """The detection in one area, or in all: per tier without a trigger, and with triggers."""

    area: str
    by_tier: dict[Tier, Share]
    hidden: Share
    besides: int | None
    """Requirements reported besides those that the faults break, over all runs; None unless all
    checks ran."""


@dataclass(frozen=True, slots=True)
class Price:
    """The cost of a run at one tier: requests and tokens as (median, maximum), median seconds."""

    tier: Tier
    runs: int
    requests: tuple[float, int]
    tokens: tuple[float, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Unsteady:
    """A server with different results for different seeds, and the checks that differ."""

    name: str
    tier: Tier
    what: str


class Matrix:
    """All outcomes of one self-test.

    Args:
        outcomes: one per trial.
        everything: whether the whole catalogue was run, so that shares are meaningful.
        checks: all checks.
        left: number of runs that an interrupted self-test did not make.
    """

    def __init__(
        self,
        outcomes: Iterable[Outcome],
        *,
        everything: bool,
        checks: Iterable[Check],
        left: int = 0,
    ) -> None:
        self.outcomes = tuple(sorted(outcomes, key=_place))
        self.everything = everything
        self.left = left
        self._checks = tuple(checks)
        self.faulty = tuple(o for o in self.outcomes if isinstance(o.trial.shown, Fault))
        self.conforming = tuple(o for o in self.outcomes if not isinstance(o.trial.shown, Fault))

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers of the trials, the cheapest first."""
        run = {outcome.trial.tier for outcome in self.outcomes}
        return tuple(tier for tier in Tier if tier in run)

    @property
    def complete(self) -> bool:
        """Whether all checks ran in all trials."""
        return all(outcome.trial.complete for outcome in self.outcomes)

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per area, and the total last; empty without faults."""
        areas = sorted({_fault(outcome).area for outcome in self.faulty})
        rows = [
            self._row(area, [o for o in self.faulty if _fault(o).area == area]) for area in areas
        ]
        return (*rows, self._row("all", self.faulty)) if rows else ()

    def _row(self, area: str, outcomes: Sequence[Outcome]) -> Row:
        shown = [outcome for outcome in outcomes if outcome.trial.trigger is None]
        return Row(
            area,
            {tier: _share(o for o in shown if o.trial.tier is tier) for tier in self.tiers},
            _share(outcome for outcome in outcomes if outcome.trial.trigger is not None),
            sum(len(outcome.besides) for outcome in outcomes) if self.complete else None,
        )

    @property
    def missed(self) -> tuple[Outcome, ...]:
        """Faults that were due and not detected."""
        return tuple(o for o in self.faulty if o.due and not o.found)

    @property
    def not_yet(self) -> tuple[Outcome, ...]:
        """Faults that were not detected and are only due at a deeper tier."""
        deepest = self.tiers[-1:]
        return tuple(
            o for o in self.faulty if o.trial.tier in deepest and not o.due and not o.found
        )

    @property
    def false_alarms(self) -> tuple[Outcome, ...]:
        """Runs with false positives or with internal errors of checks."""
        return tuple(outcome for outcome in self.outcomes if outcome.false_alarms)

    @property
    def prices(self) -> tuple[Price, ...]:
        """The cost of complete runs, by tier."""
        ended = [outcome for outcome in self.outcomes if outcome.cost is not None]
        by_tier = {tier: [o for o in ended if o.trial.tier is tier] for tier in self.tiers}
        return tuple(_price(tier, outcomes) for tier, outcomes in by_tier.items() if outcomes)

    @property
    def unsteady(self) -> tuple[Unsteady, ...]:
        """Servers whose results depend on the seed.

        Compared are, for a fault, whether it is detected, and in complete runs the requirements
        that are reported; for a conforming server, all verdicts. Inconclusive counts as no result,
        because a server with near-ties is not deterministic.
        """
        return (*_differing(self.faulty, _false_positives), *_differing(self.conforming, _verdicts))

    @property
    def idle(self) -> tuple[str, ...]:
        """Checks that detected no fault; empty unless all checks ran in all trials."""
        if not self.complete or not self.tiers:
            return ()
        detecting = {remark.check for outcome in self.faulty for remark in outcome.finders}
        deepest = self.tiers[-1]
        return tuple(
            check.id
            for check in self._checks
            if deepest.holds(check.tier) and check.id not in detecting
        )

    @property
    def complaints(self) -> tuple[str, ...]:
        """Why the self-test failed, one sentence per reason; empty if it passed."""
        return tuple(self._complaints())

    def _complaints(self) -> Iterator[str]:
        if self.left:
            yield f"incomplete: {self.left} of the runs did not take place"
        if self.missed:
            yield f"{len(self.missed)} of the expected faults not detected"
        if self.false_alarms:
            yield f"{len(self.false_alarms)} of the runs have false positives or errors in checks"
        if self.unsteady:
            yield f"{len(self.unsteady)} of the servers have different results with different seeds"
        if not self.everything or not self.rows:
            return
        smoke = _share(
            outcome
            for outcome in self.faulty
            if (outcome.trial.tier, outcome.trial.trigger) == (Tier.SMOKE, None)
            and _fault(outcome).tier is not Tier.DEEP
            # The smoke tier has no checks of what only some living servers add.
            and _fault(outcome).contract not in LIVING
        )
        if smoke.found < SMOKE_SHARE * smoke.of:
            yield f"smoke detects {smoke.percent} % of its faults; {SMOKE_SHARE:.0%} are required"


def _fault(outcome: Outcome) -> Fault:
    fault = outcome.trial.shown
    assert isinstance(fault, Fault)  # noqa: S101 - callers pass only outcomes of faults
    return fault


def _place(outcome: Outcome) -> tuple[str, int, int]:
    """Sort key: name, tier, seed; workers finish in any order."""
    return outcome.trial.name, list(Tier).index(outcome.trial.tier), outcome.trial.seed


def _share(outcomes: Iterable[Outcome]) -> Share:
    """Count the faults that were detected with every seed."""
    found: dict[str, bool] = {}
    for outcome in outcomes:
        name = outcome.trial.name
        found[name] = found.get(name, True) and outcome.found
    return Share(sum(found.values()), len(found))


def _price(tier: Tier, outcomes: Sequence[Outcome]) -> Price:
    costs = [outcome.cost for outcome in outcomes if outcome.cost is not None]
    requests, tokens = [cost.requests for cost in costs], [cost.tokens for cost in costs]
    return Price(
        tier,
        len(outcomes),
        (median(requests), max(requests)),
        (median(tokens), max(tokens)),
        median(outcome.elapsed for outcome in outcomes),
    )


def _differing(
    outcomes: Iterable[Outcome], result: Callable[[Outcome], dict[str, str]]
) -> Iterator[Unsteady]:
    """Compare the results of all seeds for the same server and tier."""
    first: dict[tuple[str, Tier], dict[str, str]] = {}
    differing: dict[tuple[str, Tier], set[str]] = {}
    for outcome in outcomes:
        key = (outcome.trial.name, outcome.trial.tier)
        now = result(outcome)
        before = first.setdefault(key, now)
        names = {n for n in now.keys() | before.keys() if now.get(n) != before.get(n)}
        if names:
            differing.setdefault(key, set()).update(names)
    for (name, tier), names in differing.items():
        yield Unsteady(name, tier, ", ".join(sorted(names)))


def _false_positives(outcome: Outcome) -> dict[str, str]:
    """Return whether a fault is detected, and for a complete run the reported requirements."""
    reported = dict.fromkeys(outcome.reported, "broken") if outcome.trial.complete else {}
    return {**reported, "fault detected": str(outcome.found)}


def _verdicts(outcome: Outcome) -> dict[str, str]:
    """Return the result of each check; inconclusive, explained, skipped and pass are alike."""
    nothing = (Verdict.EXPLAINED, Verdict.SKIPPED, Verdict.PASS, Verdict.INCONCLUSIVE)
    return {
        remark.check: "nothing" if remark.verdict in nothing else remark.verdict.value
        for remark in outcome.remarks
    }
