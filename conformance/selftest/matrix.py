"""The kill matrix: of all runs together, what was found and missed, and who was accused. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from conformance.checks import Check
from conformance.model import Tier, Verdict
from conformance.selftest.catalogue import Fault
from conformance.selftest.outcome import Outcome

SMOKE_SHARE = 0.6
"""The part of the faults that show everywhere which even the cheapest tier has to find."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    found: int
    of: int

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 is all of them."""
        return 100 * self.found // self.of if self.of else 100


@dataclass(frozen=True, slots=True)
class Row:
    """One area, or all: what each tier finds where faults show everywhere, and where they hide."""

    area: str
    by_tier: dict[Tier, Share]
    hidden: Share
    besides: int | None
    """Requirements accused beside those that a fault claims to break, over all its runs; None where
    only a few checks were asked."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a run of one tier costs: the middle of all runs and the dearest; seconds the middle."""

    tier: Tier
    runs: int
    requests: tuple[float, int]
    tokens: tuple[float, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Unsteady:
    """A server that was not judged alike with every seed, and what differed."""

    name: str
    tier: Tier
    what: str


class Matrix:
    """All outcomes of one selftest.

    Args:
        outcomes: one for each trial.
        everything: whether the whole catalogue was run, so that shares mean something.
        checks: every check there is.
        left: runs that were not made, since the selftest broke off.
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
        """The tiers that were run, the cheapest first."""
        run = {outcome.trial.tier for outcome in self.outcomes}
        return tuple(tier for tier in Tier if tier in run)

    @property
    def complete(self) -> bool:
        """Whether every check was asked in every run."""
        return all(outcome.trial.complete for outcome in self.outcomes)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The matrix by area, and last the sum of it; empty without faults."""
        areas = sorted({_fault(outcome).area for outcome in self.faulty})
        rows = [
            self._row(area, [o for o in self.faulty if _fault(o).area == area]) for area in areas
        ]
        return (*rows, self._row("all", self.faulty)) if rows else ()

    def _row(self, area: str, outcomes: Sequence[Outcome]) -> Row:
        shown = [outcome for outcome in outcomes if outcome.trial.modifier is None]
        return Row(
            area,
            {tier: _share(o for o in shown if o.trial.tier is tier) for tier in self.tiers},
            _share(outcome for outcome in outcomes if outcome.trial.modifier is not None),
            sum(len(outcome.besides) for outcome in outcomes) if self.complete else None,
        )

    @property
    def missed(self) -> tuple[Outcome, ...]:
        """What had to be found and was not."""
        return tuple(o for o in self.faulty if o.due and not o.found)

    @property
    def not_yet(self) -> tuple[Outcome, ...]:
        """What this depth need not find, and did not; what a deeper run is for."""
        deepest = self.tiers[-1:]
        return tuple(
            o for o in self.faulty if o.trial.tier in deepest and not o.due and not o.found
        )

    @property
    def false_alarms(self) -> tuple[Outcome, ...]:
        """Correct servers that were accused, and runs in which a check itself failed."""
        return tuple(outcome for outcome in self.outcomes if outcome.false_alarms)

    @property
    def prices(self) -> tuple[Price, ...]:
        """What the runs of all checks cost, by tier."""
        ended = [outcome for outcome in self.outcomes if outcome.cost is not None]
        by_tier = {tier: [o for o in ended if o.trial.tier is tier] for tier in self.tiers}
        return tuple(_price(tier, outcomes) for tier, outcomes in by_tier.items() if outcomes)

    @property
    def unsteady(self) -> tuple[Unsteady, ...]:
        """What another seed would have told otherwise.

        Of a fault, whether it is found, and where every check was asked, also which requirements
        it is told to break; of a correct server every verdict, as far as a server that wavers
        between near-ties lets one be given.
        """
        return (*_differing(self.faulty, _false_positives), *_differing(self.conforming, _verdicts))

    @property
    def idle(self) -> tuple[str, ...]:
        """Checks of the tiers that were run and that no fault made speak, where runs were whole."""
        if not self.complete or not self.tiers:
            return ()
        spoke = {remark.check for outcome in self.faulty for remark in outcome.finders}
        deepest = self.tiers[-1]
        return tuple(
            check.id
            for check in self._checks
            if deepest.holds(check.tier) and check.id not in spoke
        )

    @property
    def complaints(self) -> tuple[str, ...]:
        """What keeps the suite from being sound, in sentences; none is a pass."""
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
        smoke = self.rows[-1].by_tier.get(Tier.SMOKE)
        if smoke is not None and smoke.found < SMOKE_SHARE * smoke.of:
            yield f"smoke detects {smoke.percent} % of the faults; {SMOKE_SHARE:.0%} are required"


def _fault(outcome: Outcome) -> Fault:
    fault = outcome.trial.shown
    assert isinstance(fault, Fault)  # noqa: S101 - the caller has sorted them
    return fault


def _place(outcome: Outcome) -> tuple[str, int, int]:
    """By name, from the cheapest tier to the dearest; workers finish in any order."""
    return outcome.trial.name, list(Tier).index(outcome.trial.tier), outcome.trial.seed


def _share(outcomes: Iterable[Outcome]) -> Share:
    """Count what was found with every seed."""
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
    """Compare what each seed told of the same server at the same tier."""
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
    """Tell whether a fault is found, and of what a run of all checks accuses the server."""
    reported = dict.fromkeys(outcome.reported, "broken") if outcome.trial.complete else {}
    return {**reported, "fault detected": str(outcome.found)}


def _verdicts(outcome: Outcome) -> dict[str, str]:
    """Tell what each check holds against a server; one that wavers may withhold its judgement."""
    nothing = (Verdict.SKIPPED, Verdict.PASS, Verdict.INCONCLUSIVE)
    return {
        remark.check: "nothing" if remark.verdict in nothing else remark.verdict.value
        for remark in outcome.remarks
    }
