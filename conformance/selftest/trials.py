"""Which runs a selftest makes: each shows one behaviour, under one contract, at one tier. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from conformance.contract import DOCUMENTS, Contract
from conformance.model import Stage, Tier
from conformance.selftest.catalogue import LIVE, Catalogue, Fault, Variant
from conformance.targets.bundled import REFERENCE

NOTHING = "none"
"""How the server calls it when no behaviour stands before it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The server proper, speaking as one document says, under the contract of that document."""

    name: str

    @property
    def contract(self) -> str:
        """The contract that the dialect keeps."""
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
"""What says that an answer is the same in two ways, which a fault that shows in one of them breaks
beside its own promise."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the suite.

    Attributes:
        shown: what the server shows.
        modifier: where a fault shows; None is everywhere.
        seed: of the run, which also names the server's fresh state.
        complete: whether to run all checks, also where those of the broken requirements find the
            fault alone.
        stage: the only one whose checks ask; None is all.
    """

    shown: Shown
    tier: Tier
    contract: str
    dialect: str
    modifier: str | None = None
    seed: int = 0
    complete: bool = True
    stage: Stage | None = None

    @property
    def name(self) -> str:
        """What a person calls it: ``NAME``, ``NAME@MODIFIER``."""
        return f"{self.shown.name}@{self.modifier}" if self.modifier else self.shown.name

    @property
    def broken(self) -> tuple[str, ...]:
        """The requirements of which accusing one is to have found the fault; of others none."""
        own = self.shown.requirements if isinstance(self.shown, Fault) else ()
        return (*own, *ALIKE.get(self.modifier, ())) if own else ()

    @property
    def path(self) -> str:
        """The part of the server's base URL between its origin and ``/v1``."""
        behaviour = NOTHING if isinstance(self.shown, Dialect) else self.name
        return f"{self.dialect}/{behaviour}/{self.contract}-{self.tier.value}-{self.seed}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the catalogue is to be run.

    Attributes:
        faults: globs for names, with or without a modifier, and for areas.
        variants: globs for names.
        tier: the deepest that is run.
        contract: judge under this one; None is each fault's and each variant's own.
        seeds: how often everything is repeated, each time with another seed.
        complete: run all checks against each fault, which is ten times as dear, and tells what else
            is accused for one fault.
        stage: the only one whose checks ask; None is all.
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
        """Whether nothing of the catalogue is left out."""
        return not (self.faults or self.variants or self.contract or self.stage)


def trials_of(catalogue: Catalogue, wanted: Wanted) -> tuple[Trial, ...]:
    """List the runs, the correct servers first: some of these take their time.

    A fault that shows everywhere is tried at each tier up to the one wanted, since what it costs to
    find it is half of what a selftest tells; all else at that tier alone.
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


def _conforming(variants: Iterable[Variant], wanted: Wanted) -> Iterator[Trial]:
    for variant in variants:
        if wanted.faults and not wanted.variants:
            break
        contract = _contract_for(variant, wanted)
        if contract is not None and _matches(wanted.variants, variant.name):
            yield Trial(variant, wanted.tier, contract, _dialect_for(variant, contract))
    if not wanted.faults and not wanted.variants:
        for name in (REFERENCE, *DOCUMENTS):
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
        for modifier in (None, *fault.modifiers):
            for tier in Tier if modifier is None else (wanted.tier,):
                trial = Trial(fault, tier, contract, _dialect_for(fault, contract), modifier)
                chosen = _matches(wanted.faults, trial.name, fault.area)
                if wanted.tier.holds(tier) and chosen:
                    yield trial


def _contract_for(shown: Fault | Variant, wanted: Wanted) -> str | None:
    """The contract to judge by; None where the one that is wanted has nothing to say of it.

    What the live API's contract holds for wrong or right, a document may leave open: there a fault
    is one if its requirement is in force, and a server that declines a parameter may be wrong.
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
    """Its own dialect, unless another contract is wanted, which its own dialect keeps."""
    other = shown.contract != contract and contract in DOCUMENTS
    return contract if other else shown.dialect


def _matches(globs: tuple[str, ...], *names: str) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs for name in names)
