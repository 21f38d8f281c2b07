"""Which checks a run judges, and which of those it skips for a reason known beforehand."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

from conformance.checks import Check
from conformance.contract import Contract, load_contract
from conformance.model import Limits, Stage, Tier, TransportOptions


class Price(NamedTuple):
    """Requests, and the tokens of their prompts and answers together, as billed."""

    requests: int
    tokens: int


PRICES: Mapping[Tier, Price] = {
    Tier.SMOKE: Price(25, 1_500),
    Tier.STANDARD: Price(110, 6_000),
    Tier.DEEP: Price(400, 40_000),
}
"""What a run of each tier costs at most where an endpoint keeps its promises."""

DEVIATING = 2
"""How many times that price a run may come to where nobody says otherwise: what deviates is asked
for again before it counts, what is declined for now is repeated, and bills can be wrong."""

UNLIMITED = Limits(sys.maxsize, sys.maxsize)
"""For runs that cost nobody anything."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is to be made; nothing here says of what.

    Attributes:
        tier: the checks of this tier and of the cheaper ones before it.
        select: globs for check ids, requirement ids or areas; none selects every check.
        limits: requests and tokens that may be spent; None leaves it at the tier's own ceiling.
        transport: how fast and how patiently the endpoint is asked.
        seed: makes a run's own choices (drawn requests, the jitter between retries) repeatable.
        strict: a warning counts as a broken promise.
        stage: only the checks of this stage ask anything; None is all. Those that look at every
            answer look at whatever there is.
    """

    tier: Tier = Tier.STANDARD
    select: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    transport: TransportOptions = TransportOptions()  # noqa: RUF009 - frozen
    seed: int = 0
    strict: bool = False
    stage: Stage | None = None

    @property
    def ceiling(self) -> Limits:
        """What the run may spend in the end, whatever the endpoint answers."""
        price, said = PRICES[self.tier], self.limits
        return Limits(
            DEVIATING * price.requests if said.requests is None else said.requests,
            DEVIATING * price.tokens if said.tokens is None else said.tokens,
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """A check of this run; ``skip`` says why it cannot be judged under this contract.

    ``beyond`` tells one that is skipped because the document does not mention its parameter, and
    that is made all the same, for information.
    """

    check: Check
    skip: str | None
    undocumented: bool = False


def choose(checks: Iterable[Check], contract: Contract, options: Options) -> tuple[Chosen, ...]:
    """Choose by tier and globs, the cheapest tier first: a budget that runs dry spares the rest.

    What is deselected does not appear at all: the run's header lists every requirement in force, so
    a report can still name those that nothing judged.
    """
    tiers = list(Tier)
    wanted = [
        check
        for check in checks
        if options.tier.holds(check.tier)
        and is_selected(check, contract, options.select)
        and (options.stage in {None, check.stage} or not check.asks)
    ]
    wanted.sort(key=lambda check: (tiers.index(check.tier), check.id))
    deep = options.tier is Tier.DEEP
    return tuple(
        Chosen(
            check,
            reason_to_skip(check, contract),
            undocumented=deep and is_beyond(check, contract),
        )
        for check in wanted
    )


LIVE = "openai"
"""The contract by which parameters are looked at that the chosen document does not mention."""


def is_beyond(check: Check, contract: Contract) -> bool:
    """Tell whether a check is about a parameter of the live API that the document leaves out.

    What becomes of it is worth knowing and nobody's promise: somebody who moves to this endpoint
    with a program that sends it will meet one of three things. Generated checks combine what the
    document does mention, and would ask all over again under another contract.
    """
    live = load_contract(LIVE)
    subject = contract.requirement(check.requirement).subject
    return (
        check.asks
        and check.stage is Stage.DIRECTED
        and live.parameter(subject).documented
        and not contract.parameter(subject).documented
        and reason_to_skip(check, live) is None
    )


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
