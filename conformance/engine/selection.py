"""Options of a run, and the checks that they select."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

from conformance.checks import Check
from conformance.contract import LIVING, Contract, load_contract
from conformance.message import Message, say
from conformance.model import ExpectedFile, Limits, Objective, Stage, Tier, TransportOptions
from conformance.profiles import Profile
from conformance.tokenizer import Tokenizer


class Price(NamedTuple):
    """Requests, and tokens of prompts and completions together."""

    requests: int
    tokens: int


PRICES: Mapping[Tier, Price] = {
    Tier.SMOKE: Price(25, 1_500),
    Tier.STANDARD: Price(110, 6_000),
    Tier.DEEP: Price(400, 40_000),
}
"""The maximum cost of a tier against a conforming endpoint."""

EXTENSIONS: Mapping[Tier, Price] = {
    Tier.SMOKE: Price(0, 0),
    Tier.STANDARD: Price(40, 2_500),
    Tier.DEEP: Price(80, 6_000),
}
"""What checks of parameters that the live API does not have may cost besides, under a contract that
documents such parameters. It is within the ceiling."""

CEILING_FACTOR = 2
"""The default ceiling as a multiple of the price: deviations are retested, transient errors are
retried, and reported usage can be wrong."""

UNLIMITED = Limits(sys.maxsize, sys.maxsize)
"""For runs that cost nothing, such as plans and replays."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a run, independent of target and contract.

    Attributes:
        tier: selects the checks of this tier and of the cheaper ones.
        select: globs for check ids, requirement ids or areas; empty selects all.
        limits: maximum requests and tokens; None is the tier's own ceiling.
        transport: concurrency, rate and timeout.
        seed: the seed of generated requests and of the jitter between retries.
        strict: whether warnings count as failures.
        stage: the only stage whose checks send requests; None is all. Passive checks judge the
            exchanges in any case.
        exclude: globs like ``select`` for checks that are left out; empty leaves out none.
        expected: the expected deviations of the target; None if no file was given.
        max_failures: end the run at this many failures that no entry expects and no other finding
            explains; None goes on to the end.
        tokenizer: that of the model, as the user names it; None if none was named.
        region: where the requests are sent from, in the user's word; None if it is not said.
        label: the user's word for the run instead of its day; None if there is none.
        profiles: the clients that the run is for, which sends what they send as well; empty if it
            is about conformance.
        objectives: what the user wants of the endpoint in numbers; nothing is sent for them.
    """

    tier: Tier = Tier.STANDARD
    select: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    transport: TransportOptions = TransportOptions()  # noqa: RUF009 - frozen
    seed: int = 0
    strict: bool = False
    stage: Stage | None = None
    exclude: tuple[str, ...] = ()
    expected: ExpectedFile | None = None
    max_failures: int | None = None
    tokenizer: Tokenizer | None = None
    region: str | None = None
    label: str | None = None
    profiles: tuple[Profile, ...] = ()
    objectives: tuple[Objective, ...] = ()

    @property
    def ceiling(self) -> Limits:
        """The limits in force: the given ones, or the tier's own."""
        price, limits = PRICES[self.tier], self.limits
        return Limits(
            CEILING_FACTOR * price.requests if limits.requests is None else limits.requests,
            CEILING_FACTOR * price.tokens if limits.tokens is None else limits.tokens,
        )


FOR_EVERY_CLIENT = ("text.present",)
"""Requirements that are checked for any client."""


def globs_for(profiles: Iterable[Profile]) -> tuple[str, ...]:
    """Return what selects the checks that the needs of clients rest on."""
    return tuple(dict.fromkeys((*FOR_EVERY_CLIENT, *(n for p in profiles for n in p.requirements))))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A selected check.

    Attributes:
        check: the check.
        skip: why the contract does not allow it to be judged; None if it does.
        undocumented: whether it is skipped because the document does not mention its parameter, but
            is run for information.
    """

    check: Check
    skip: Message | None
    undocumented: bool = False


def choose(checks: Iterable[Check], contract: Contract, options: Options) -> tuple[Chosen, ...]:
    """Select checks by tier, globs and stage, sorted by tier and id.

    With the cheapest tier first, an insufficient budget cuts off the most expensive checks. Reports
    derive the requirements that were not covered from the header, which lists all in force.
    """
    tiers = list(Tier)
    wanted = [
        check
        for check in checks
        if options.tier.holds(check.tier)
        and (not options.select or matches(check, contract, options.select))
        and not matches(check, contract, options.exclude)
        and (options.stage in {None, check.stage} or not check.asks)
    ]
    wanted.sort(key=lambda check: (tiers.index(check.tier), check.id))
    deep = options.tier is Tier.DEEP
    return tuple(
        Chosen(
            check,
            reason_to_skip(check, contract),
            undocumented=deep and is_undocumented(check, contract),
        )
        for check in wanted
    )


LIVE = "openai"
"""The contract that undocumented parameters are tested against."""


def is_undocumented(check: Check, contract: Contract) -> bool:
    """Return whether a check tests a parameter of the live API that the document does not mention.

    Programs written for the live API may send the parameter, so its treatment is of interest
    although nothing is promised. Generated checks are excluded, because they would repeat all their
    requests under the other contract. So are living contracts: what the source of a server does not
    list, the server does not have.
    """
    if contract.document in LIVING:
        return False
    live = load_contract(LIVE)
    subject = contract.requirement(check.requirement).subject
    return (
        check.asks
        and check.stage is Stage.DIRECTED
        and live.parameter(subject).documented
        and not contract.parameter(subject).documented
        and reason_to_skip(check, live) is None
    )


def matches(check: Check, contract: Contract, globs: Iterable[str]) -> bool:
    """Return whether a glob matches the check's id, its requirement's id or its area."""
    names = (check.id, check.requirement, contract.requirement(check.requirement).area)
    return any(fnmatchcase(name, glob) for glob in globs for name in names)


def reason_to_skip(check: Check, contract: Contract) -> Message | None:
    """Return why the check does not apply under the contract, or None if it does."""
    reason = contract.why_not_in_force(check.requirement)
    if reason is not None:
        return reason
    missing = [name for name in check.needs if not contract.parameter(name).documented]
    own = [name for name in missing if contract.parameter(name).has_own_meaning]
    if own:
        return say(
            "{contract} does not document {parameters} as the live API means them, which the check "
            "needs",
            contract=contract.name,
            parameters=tuple(own),
        )
    if missing:
        return say(
            "this document does not mention {parameters}, which the check needs",
            parameters=tuple(missing),
        )
    sent = {contract.requirement(check.requirement).subject, *check.needs}
    for names in contract.refused_together:
        if names <= sent:
            return say(
                "{contract} documents that {parameters} are not served together",
                contract=contract.name,
                parameters=tuple(sorted(names)),
            )
    return None
