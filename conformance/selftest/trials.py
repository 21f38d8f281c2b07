"""Plan the runs of a self-test: one behaviour, contract and tier each; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from conformance.contract import CONTRACTS, Contract
from conformance.model import Stage, Tier
from conformance.selftest.catalogue import LIVE, Catalogue, Fault, Variant
from conformance.targets.bundled import REFERENCE

NOTHING = "none"
"""The path segment of the server without faults and variants."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The server without faults in one dialect, tested against that dialect's contract."""

    name: str

    @property
    def contract(self) -> str:
        """The contract that the dialect conforms to."""
        return LIVE if self.name == REFERENCE else self.name


Shown = Fault | Variant | Dialect

BOTH_SHAPES = (
    "streaming.text-equals-plain",
    "streaming.logprobs-as-plain",
    "usage.stream-equals-plain",
)
ALIKE: dict[str | None, tuple[str, ...]] = {
    "stream": BOTH_SHAPES,
    "plain": BOTH_SHAPES,
    "batch": ("prompt.batch-as-singles", "echo.own-prompt-in-batch", "usage.prompt-sums-batch"),
    "echo": (
        "echo.prompt-then-completion",
        "echo.scored-equals-generated",
        "streaming.echo-once",
    ),
}
"""Per trigger, the requirements that two ways of requesting the same give the same response. A
fault that strikes only one of the ways breaks them as well."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the suite.

    Attributes:
        shown: the behaviour of the server.
        tier: the tier of the run.
        contract: the contract to test against.
        dialect: the dialect of the server.
        trigger: the trigger of the fault; None means every response.
        seed: the seed of the run.
        complete: whether to run all checks, even if the checks of the broken requirements alone
            detect the fault.
        stage: the only stage whose checks send requests; None is all.
    """

    shown: Shown
    tier: Tier
    contract: str
    dialect: str
    trigger: str | None = None
    seed: int = 0
    complete: bool = True
    stage: Stage | None = None

    @property
    def name(self) -> str:
        """The name of the behaviour: ``NAME`` or ``NAME@TRIGGER``."""
        return f"{self.shown.name}@{self.trigger}" if self.trigger else self.shown.name

    @property
    def broken(self) -> tuple[str, ...]:
        """The requirements that the fault breaks under its trigger; empty without a fault."""
        own = self.shown.requirements if isinstance(self.shown, Fault) else ()
        return (*own, *ALIKE.get(self.trigger, ())) if own else ()

    @property
    def path(self) -> str:
        """The part of the server's base URL between its origin and ``/v1``."""
        behaviour = NOTHING if isinstance(self.shown, Dialect) else self.name
        return f"{self.dialect}/{behaviour}/{self.contract}-{self.tier.value}-{self.seed}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Options of a self-test.

    Attributes:
        tier: the deepest tier.
        faults: globs for names, with or without a trigger, and for areas.
        variants: globs for names and for areas.
        contract: test against this contract; None is each fault's and variant's own.
        seeds: number of repetitions, each with another seed.
        complete: run all checks against each fault, which takes about ten times as long and shows
            which other requirements are reported.
        stage: the only stage whose checks send requests; None is all.
    """

    tier: Tier = Tier.STANDARD
    faults: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    contract: Contract | None = None
    seeds: int = 1
    complete: bool = False
    stage: Stage | None = None

    @property
    def everything(self) -> bool:
        """Whether the whole catalogue is selected."""
        return not (self.faults or self.variants or self.contract or self.stage)


def trials_of(catalogue: Catalogue, wanted: Wanted) -> tuple[Trial, ...]:
    """Return the runs, conforming servers first, because they take longest.

    A fault without a trigger is run at each tier up to the selected one, to measure the detection
    rate of each; everything else only at the selected tier.
    """
    once = [*_conforming(catalogue.variants, wanted), *_faulty(catalogue.faults, wanted)]
    return tuple(
        replace(
            trial,
            seed=seed,
            complete=wanted.complete or not isinstance(trial.shown, Fault),
            stage=wanted.stage,
        )
        for seed in range(wanted.seeds)
        for trial in once
    )


def unmatched(catalogue: Catalogue, wanted: Wanted) -> tuple[str, ...]:
    """Return the globs that match no fault or variant, as they were given."""
    faults = [
        (name, fault.area)
        for fault in catalogue.faults
        for name in (fault.name, *(f"{fault.name}@{trigger}" for trigger in fault.triggers))
    ]
    variants = [(variant.name, variant.area) for variant in catalogue.variants]
    return tuple(
        glob
        for globs, known in ((wanted.faults, faults), (wanted.variants, variants))
        for glob in globs
        if not any(_matches((glob,), *names) for names in known)
    )


def _conforming(variants: Iterable[Variant], wanted: Wanted) -> Iterator[Trial]:
    for variant in variants:
        if wanted.faults and not wanted.variants:
            break
        contract = _contract_for(variant, wanted)
        if contract is not None and _matches(wanted.variants, variant.name, variant.area):
            yield Trial(variant, wanted.tier, contract, _dialect_for(variant, contract))
    if not wanted.faults and not wanted.variants:
        for name in (REFERENCE, *CONTRACTS):
            dialect = Dialect(name)
            if wanted.contract is None or wanted.contract.name == dialect.contract:
                yield Trial(dialect, wanted.tier, dialect.contract, name)


def _faulty(faults: Iterable[Fault], wanted: Wanted) -> Iterator[Trial]:
    if wanted.variants and not wanted.faults:
        return
    for fault in faults:
        contract = _contract_for(fault, wanted)
        if contract is None:
            continue
        for trigger in (None, *fault.triggers):
            for tier in Tier if trigger is None else (wanted.tier,):
                trial = Trial(fault, tier, contract, _dialect_for(fault, contract), trigger)
                chosen = _matches(wanted.faults, trial.name, fault.area)
                if wanted.tier.holds(tier) and chosen:
                    yield trial


def _contract_for(shown: Fault | Variant, wanted: Wanted) -> str | None:
    """Return the contract to test against; None if the selected one does not apply.

    A fault under the live API's contract is a fault under another one only if a requirement that it
    breaks is in force there. A variant that rejects parameters may violate another contract.
    """
    contract = wanted.contract
    if contract is None or shown.contract == contract.name:
        return shown.contract
    if shown.contract != LIVE:
        return None
    if isinstance(shown, Fault):
        applies = any(r in contract.requirements for r in shown.requirements)
    else:
        applies = not shown.refuses
    return contract.name if applies else None


def _dialect_for(shown: Fault | Variant, contract: str) -> str:
    """Return the dialect: that of the selected contract, otherwise the behaviour's own."""
    other = shown.contract != contract and contract in CONTRACTS
    return contract if other else shown.dialect


def _matches(globs: tuple[str, ...], *names: str) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs for name in names)
