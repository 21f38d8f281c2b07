"""Which requests are never answered, however often they are sent, and what it is about them.

One failure says nothing about its request: networks and servers fail now and then. So what the
failing requests have in common is sent again at the end of the run, each time next to the cheapest
request. If that one is served and the others never are, and chance does not explain it, then the
endpoint does not serve them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

from conformance.api import Api, encode
from conformance.checks._shared.common_traits import Traits, groups_of, plainest
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.checks.errors.shrinking import candidates_of, next_trial
from conformance.checks.errors.valid_requests import Sent, seconds_per_unit, sent_of
from conformance.judgement import BudgetSpent, Inconclusive, Judgement
from conformance.message import Message, as_message, say
from conformance.model import Request
from conformance.protocol.trace import RecordedExchange

UNLIKELY = 1e-3
"""The chance below which random failures are no explanation."""

MAX_ROUNDS = 5
"""How often a request is sent again before the question is left open."""

MAX_TRIALS = 5
"""How many smaller requests are sent to find out what it is about a request."""

SLOW_SECONDS = 10.0
"""Above this, one of each has to do: each of them makes the user wait."""

ENOUGH_IN_RECORD = 3
"""Slow requests that need not be sent again, if they were sent one after another."""

MAX_GROUPS = 5
"""The most groups of requests that are sent again."""

MAX_SHOWN = 5
"""The most exchanges of a group that are shown as evidence."""

CHEAPEST_TOO = say("valid requests get no complete response, and neither does the cheapest one")
LEFT_OPEN = say("valid requests got no complete response, too few to exclude chance")


@dataclass(frozen=True, eq=False)
class Suspicion:
    """Requests with the same traits, all without a whole answer.

    ``before`` is the last one that had an answer, if the failures began in mid-run.
    """

    traits: Traits
    members: tuple[Sent, ...]
    before: Sent | None = None

    @property
    def times(self) -> int:
        """How often they were sent."""
        return sum(one.times for one in self.members)

    @property
    def is_slow(self) -> bool:
        """Whether sending one again takes long."""
        return max(one.ended - one.began for one in self.members) > SLOW_SECONDS

    @property
    def simplest(self) -> Sent:
        """The member that asks for least."""
        return min(self.members, key=lambda one: (len(one.traits), one.id))

    @property
    def said(self) -> Message:
        """What is never answered, and why."""
        why = Counter(one.why for one in self.members).most_common(1)[0][0]
        return say("{what} ({why}; {count})", what=self._what, why=why, count=self._how_many)

    @property
    def in_short(self) -> Message:
        """The same without the reason."""
        return say("{what} ({count})", what=self._what, count=self._how_many)

    @property
    def _what(self) -> Message:
        first, *others = sorted(self.traits) or (say("any request"),)
        return reduce(
            lambda one, other: say("{one} + {others}", one=one, others=other),
            others,
            as_message(first),
        )

    @property
    def _how_many(self) -> Message:
        often = say(
            "{members} requests such as {id}", members=len(self.members), id=self.simplest.id
        )
        return (
            often
            if self.before is None
            else say("{often}; served until {id}", often=often, id=self.before.id)
        )


async def never_answered(api: Api, sent: Sequence[Sent]) -> tuple[Suspicion, ...]:
    """Return the requests of a run that are never answered, in groups; show them as evidence.

    Raises:
        Inconclusive: the cheapest request is not answered either, or it stays open.
        BudgetSpent: no request is left to find out.
    """
    found: list[Suspicion] = []
    doubt: Inconclusive | BudgetSpent | None = None
    for suspicion in suspicions_of(sent)[:MAX_GROUPS]:
        reported = {one.id for known in found for one in known.members}
        others = [one for one in sent if one.id not in reported]
        try:
            confirmed = await _Confirmation(api, suspicion, others).result()
        except (Inconclusive, BudgetSpent) as left_open:
            doubt = left_open
            continue
        if confirmed is not None:
            found.append(confirmed)
    if not found and doubt is not None:
        raise doubt
    if found:
        _show(api, found)
    return tuple(found)


def suspicions_of(sent: Sequence[Sent]) -> list[Suspicion]:
    """Group the requests without a whole answer by what no answered request has in common.

    If fewer groups explain them by what no request had that was answered later, then requests
    were served at first and never since.
    """
    failing = [one for one in sent if one.why is not None]
    if not failing:
        return []
    traits = [one.traits for one in failing]
    whole = [one for one in sent if one.why is None]
    began = min(one.id for one in failing)
    ever = groups_of(traits, {one.traits for one in whole})
    later = {one.traits for one in whole if one.id > began}
    # Without any later answer, all requests would have failed since.
    since = groups_of(traits, later) if later else ever
    groups, _ = min(ever, since, key=lambda found: (len(found[1]), len(found[0])))
    suspicions: list[Suspicion] = []
    for group in groups:
        served = [one for one in whole if group.traits <= one.traits]
        before = max(served, key=lambda one: one.id, default=None)
        members = tuple(failing[place] for place in group.members)
        suspicions.append(Suspicion(group.traits, members, before))
    return suspicions


class _Confirmation:
    """Finds out whether requests are never answered, and what it is about them."""

    def __init__(self, api: Api, suspicion: Suspicion, sent: Sequence[Sent]) -> None:
        self._api = api
        self._found = suspicion
        self._sent = list(sent)
        whole = (one.recorded for one in sent if one.why is None)
        self._seconds_per_unit = seconds_per_unit(whole)

    async def result(self) -> Suspicion | None:
        """Return the suspicion with the plainest traits if it holds; None if one was answered.

        Raises:
            Inconclusive: the cheapest request is not answered either, or it stays open.
            BudgetSpent: no request is left to find out.
        """
        rounds = 0
        while not (rounds and self._is_certain()) and not self._is_in_record():
            if rounds == (1 if self._found.is_slow else MAX_ROUNDS):
                raise Inconclusive(LEFT_OPEN)
            known = {one.id for one in self._found.members}
            again = await self._sent_again(self._found.simplest.recorded.exchange.request)
            if again is None or again.why is None:
                return None
            if again.id in known:  # a record returns the run's own exchanges first
                continue
            self._add(again)
            rounds += 1
            await self._assert_others_served()
        return self._found if self._found.before else await self._shrunk()

    def _is_certain(self) -> bool:
        """Return whether others were answered in between, and chance is no explanation."""
        members = sorted(one.id for one in self._found.members)
        others = [one for one in self._sent if one.id not in members]
        whole = [one.id for one in others if one.why is None]
        failures = sum(one.times for one in others)
        chance = (failures + 1) / (failures + len(whole) + 2)
        tries = len({one.traits for one in self._sent if one.why is not None})
        return (
            len(members) > 1
            and any(members[0] < one < members[-1] for one in whole)
            and tries * chance**self._found.times < UNLIKELY
        )

    def _is_in_record(self) -> bool:
        """Return whether a slow request was sent so often that it need not be sent again."""
        members = self._found.members
        one_by_one = max(one.began for one in members) >= min(one.ended for one in members)
        enough = len(members) >= ENOUGH_IN_RECORD
        return self._found.is_slow and enough and one_by_one and self._is_certain()

    def _add(self, again: Sent) -> None:
        self._found = replace(self._found, members=(*self._found.members, again))

    async def _sent_again(self, request: Request) -> Sent | None:
        exchange = (await self._api.send(request, fresh=True)).exchange
        recorded = RecordedExchange(exchange, self._api.contract)
        return sent_of(recorded, self._api.model, self._seconds_per_unit)

    async def _assert_others_served(self) -> None:
        control = await self._api.complete(fresh=True, **MINIMAL_REQUEST)
        recorded = RecordedExchange(control.exchange, self._api.contract)
        judged = sent_of(recorded, self._api.model)
        if judged is None or judged.why is not None:
            raise Inconclusive(CHEAPEST_TOO)
        self._sent.append(judged)

    async def _shrunk(self) -> Suspicion:
        """Send smaller requests, as long as several explanations are left."""
        served = {one.traits for one in self._sent if one.why is None}
        left = candidates_of([one.traits for one in self._found.members], served)
        for _ in range(1 if self._found.is_slow else MAX_TRIALS):
            again = await self._trial(left)
            if again is None:
                break
            failed = again.why is not None
            left = [one for one in left if (one <= again.traits) is failed] or left
            if failed:
                self._add(again)
        return replace(self._found, traits=plainest(left))

    async def _trial(self, left: Sequence[Traits]) -> Sent | None:
        """Send a smaller request; None if none tells anything, or it is not sent or judged."""
        request = self._found.simplest.recorded.exchange.request
        body = next_trial(json.loads(request.body), left)
        if body is None or self._api.contract.validate_request(body):
            return None
        try:
            return await self._sent_again(replace(request, body=encode(body)))
        except Judgement:
            return None


def _show(api: Api, found: Sequence[Suspicion]) -> None:
    """List the evidence: what was sent here, then members, and the simplest one last."""
    members = [one.recorded.exchange for group in found for one in group.members[:MAX_SHOWN]]
    last = found[0].simplest.recorded.exchange
    shown = {one.id: one for one in (*api.exchanges, *members) if one.id != last.id}
    api.exchanges[:] = [*shown.values(), last]
