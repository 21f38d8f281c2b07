"""What the rules of attribution read: a run's findings of deviations and their exchanges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from conformance.checks.catalogue import REGISTERED
from conformance.contract import Contract
from conformance.engine.attribution.traits import (
    SAMPLED,
    Traits,
    has_ids,
    has_several,
    traits_of,
)
from conformance.judgement import Judgement
from conformance.message import Message
from conformance.model import Explanation, Finding, Level, Place, Role, Stage, Verdict
from conformance.protocol.request import CompletionRequest
from conformance.protocol.trace import RecordedExchange

DEVIATING = frozenset({Verdict.FAIL, Verdict.WARN})
"""The verdicts that say that the endpoint deviates."""

ALWAYS: Mapping[str, Traits] = {
    "echo.scored-equals-generated": frozenset({"echo", "logprobs"}),
}
"""What requirements are about that a check compares with answers to other requests."""

COMBINED = "interactions."
"""What the ids of checks of combinations start with."""


@dataclass(frozen=True)
class Evidence:
    """A run's findings of deviations, its exchanges by id, and its contract.

    Attributes:
        deviations: the findings that fail or warn about requests that checks wrote.
        exchanges: all of the run.
        contract: of the run.
        drawn: those about requests that were drawn.
    """

    deviations: tuple[Finding, ...]
    exchanges: Mapping[str, RecordedExchange]
    contract: Contract
    drawn: tuple[Finding, ...] = ()

    def about(self, *requirements: str) -> Iterator[Finding]:
        """Yield the findings about requirements that match globs, in the order of these."""
        for glob in requirements:
            yield from (f for f in self.deviations if fnmatchcase(f.requirement, glob))

    def of(self, finding: Finding) -> tuple[RecordedExchange, ...]:
        """Return the exchanges that a finding refers to.

        A check of combinations refers to all of them, and judges one.
        """
        known = self.exchanges
        told = finding.roles if is_combined(finding) and finding.roles else finding.exchanges
        return tuple(known[key] for key in finding.exchanges if key in known and key in told)

    def requests_of(self, finding: Finding) -> tuple[CompletionRequest, ...]:
        """Return the completion requests that a finding refers to."""
        return tuple(filter(None, map(request_of, self.of(finding))))

    def can_own(self, owner: Finding, finding: Finding) -> bool:
        """Return whether what an owner is about can be wrong in the answers of a finding.

        What an invariant found is known of its own exchanges alone, or of a combination that asks
        for the same and more; and what is known of streams alone says nothing about plain
        responses.
        """
        if is_invariant(owner) and not set(owner.exchanges) & set(finding.exchanges):
            traits = self.shared_traits(owner)
            return is_combined(finding) and traits <= self.shared_traits(finding)
        streamed = all_stream(self.judged_requests(owner))
        return not streamed or all_stream(self.judged_requests(finding))

    def judged_by(self, finding: Finding) -> tuple[RecordedExchange, ...]:
        """Return the exchanges that deviate; all of a finding that names no roles.

        An invariant lists more of them than the one that is its probe.
        """
        roles = finding.roles
        known = [one for one in self.of(finding) if roles.get(one.exchange.id) is not Role.CONTROL]
        probes = [one for one in known if roles.get(one.exchange.id) is Role.PROBE]
        return tuple(probes if probes and not is_invariant(finding) else known)

    def probes_of(self, finding: Finding) -> tuple[RecordedExchange, ...]:
        """Return the exchanges that a finding shows as deviating, of an invariant only one."""
        roles = finding.roles
        return tuple(one for one in self.of(finding) if roles.get(one.exchange.id) is Role.PROBE)

    def controls_of(self, finding: Finding) -> tuple[RecordedExchange, ...]:
        """Return the exchanges that those that deviate are compared with."""
        roles = finding.roles
        return tuple(one for one in self.of(finding) if roles.get(one.exchange.id) is Role.CONTROL)

    def judged_requests(self, finding: Finding) -> tuple[CompletionRequest, ...]:
        """Return the completion requests whose answers deviate."""
        return tuple(filter(None, map(request_of, self.judged_by(finding))))

    def shared_traits(self, finding: Finding) -> Traits:
        """Return what all requests whose answers deviate ask for."""
        if finding.id not in self._shared:
            each = [traits_of(request) for request in self.judged_requests(finding)]
            self._shared[finding.id] = frozenset.intersection(*each) if each else frozenset()
        return self._shared[finding.id]

    def needs_of(self, owner: Finding) -> Traits:
        """Return what an answer has to be asked for to be wrong as an owner says."""
        traits = ALWAYS.get(owner.requirement) or self.shared_traits(owner)
        # How many choices there are does not depend on how they are sampled.
        return traits - {SAMPLED} if owner.place is Place.CHOICES else traits

    def asks_for(self, finding: Finding, traits: Traits) -> bool:
        """Return whether what a finding rests on asks for something.

        That is each answer of an invariant, and one of those that a check compares.
        """
        if is_invariant(finding):
            return traits <= self.shared_traits(finding)
        return any(traits <= traits_of(request) for request in self.requests_of(finding))

    @cached_property
    def _shared(self) -> dict[str, Traits]:
        return {}

    @cached_property
    def everything(self) -> tuple[RecordedExchange, ...]:
        """All exchanges of the run."""
        return tuple(self.exchanges.values())


def is_invariant(finding: Finding) -> bool:
    """Return whether the check of a finding sends nothing, and judges what others asked for."""
    check = REGISTERED.get(finding.id)
    return check is not None and not check.asks


def is_combined(finding: Finding) -> bool:
    """Return whether a finding is about the smallest request that combines settings wrongly."""
    return finding.id.startswith(COMBINED)


def is_generated(finding: Finding) -> bool:
    """Return whether the requests of a finding's check are drawn at random."""
    check = REGISTERED.get(finding.id)
    return check is not None and check.stage is Stage.GENERATED


def is_as_grave(owner: Finding, finding: Finding) -> bool:
    """Return whether a finding can tell another one: nothing grave is told by something less so.

    What fails is not told by a warning, and what must be not by what only should or may.
    """
    fails = owner.verdict is Verdict.FAIL or finding.verdict is not Verdict.FAIL
    levels = tuple(Level)
    return fails and levels.index(owner.level) <= levels.index(finding.level)


def request_of(exchange: RecordedExchange) -> CompletionRequest | None:
    """Return the completion request of an exchange; None if it is none."""
    try:
        return exchange.request
    except Judgement:
        return None


Requests = Sequence[CompletionRequest]


def any_streams(requests: Requests) -> bool:
    """Return whether a request asks for a stream."""
    return any(request.raw.get("stream") is True for request in requests)


def no_streams(requests: Requests) -> bool:
    """Return whether no request asks for a stream."""
    return not any_streams(requests)


def all_stream(requests: Requests) -> bool:
    """Return whether there are requests and each asks for a stream."""
    return bool(requests) and all(request.raw.get("stream") is True for request in requests)


def any_scored(requests: Requests) -> bool:
    """Return whether a request asks for log probabilities."""
    return any(request.raw.get("logprobs") is not None for request in requests)


def all_scored(requests: Requests) -> bool:
    """Return whether there are requests and each asks for log probabilities."""
    return bool(requests) and all(request.raw.get("logprobs") is not None for request in requests)


def any_unscored(requests: Requests) -> bool:
    """Return whether a request asks for no log probabilities."""
    return any(request.raw.get("logprobs") is None for request in requests)


def any_echoed(requests: Requests) -> bool:
    """Return whether a request asks for its prompt to be echoed."""
    return any(request.raw.get("echo") is True for request in requests)


def all_echoed(requests: Requests) -> bool:
    """Return whether there are requests and each asks for its prompt to be echoed."""
    return bool(requests) and all(request.raw.get("echo") is True for request in requests)


def any_several(requests: Requests) -> bool:
    """Return whether a request asks for several choices."""
    return any(map(has_several, requests))


def of_token_ids(requests: Requests) -> bool:
    """Return whether there are requests and the prompt of each is token ids."""
    return bool(requests) and all(has_ids(request.raw.get("prompt")) for request in requests)


def explained(owner: Finding | None, why: Message) -> Explanation | None:
    """Return the explanation by a finding, if there is one."""
    return None if owner is None else Explanation(owner.id, why)
