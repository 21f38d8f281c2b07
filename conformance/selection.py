"""Which checks a run judges, and which of those it skips for a reason known beforehand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from conformance.checks import Check
from conformance.contract import Contract
from conformance.model import Limits, Tier


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is to be made; nothing here says of what.

    Attributes:
        tier: the checks of this tier and of the cheaper ones before it.
        select: globs for check ids, requirement ids or areas; none selects every check.
        limits: requests and tokens that may be spent.
        concurrency: requests in flight at a time.
        rate: requests a second at most; None is no limit.
        timeout: seconds that one attempt at a request may take.
        seed: makes a run's own choices (the jitter between retries) repeatable.
        strict: a warning counts as a broken promise.
    """

    tier: Tier = Tier.STANDARD
    select: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    concurrency: int = 8
    rate: float | None = None
    timeout: float = 60.0
    seed: int = 0
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """A check of this run; ``skip`` says why it cannot be judged under this contract."""

    check: Check
    skip: str | None


def choose(checks: Iterable[Check], contract: Contract, options: Options) -> tuple[Chosen, ...]:
    """Choose by tier and globs, the cheapest tier first: a budget that runs dry spares the rest.

    What is deselected does not appear at all: the run's header lists every requirement in force, so
    a report can still name those that nothing judged.
    """
    tiers = list(Tier)
    wanted = [
        check
        for check in checks
        if options.tier.holds(check.tier) and is_selected(check, contract, options.select)
    ]
    wanted.sort(key=lambda check: (tiers.index(check.tier), check.id))
    return tuple(Chosen(check, reason_to_skip(check, contract)) for check in wanted)


def is_selected(check: Check, contract: Contract, globs: tuple[str, ...]) -> bool:
    """Tell whether a glob matches the check's id, its requirement's id or its area."""
    names = (check.id, check.requirement, contract.requirement(check.requirement).area)
    return not globs or any(fnmatchcase(name, glob) for glob in globs for name in names)


def reason_to_skip(check: Check, contract: Contract) -> str | None:
    """Say why the contract gives the check nothing to judge, or None if it does."""
    reason = contract.why_not_in_force(check.requirement)
    if reason is not None:
        return reason
    missing = [name for name in check.needs if not contract.parameter(name).documented]
    if missing:
        return f"this document does not mention {', '.join(missing)}, which the check needs"
    return None
