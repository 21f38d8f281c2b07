"""Refusals that are gone when the same request is sent again with nothing beside it.

Several checks of a run share the endpoint, so one refusal does not tell whether the request or
another one at the same time is its reason. A refusal that is reported as a deviation is sent again
when all other requests are over.

Source: NVIDIA/TensorRT-LLM#1632, where one greedy request makes sampled ones at the same time fail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conformance.api import Api
from conformance.checks import check_afterwards
from conformance.evidence import Evidence
from conformance.judgement import Failure, NotApplicable
from conformance.message import say
from conformance.model import Effect, Exchange, Finding, Role
from conformance.protocol.account import said, signature_of
from conformance.protocol.response import REFUSALS
from conformance.protocol.trace import Trace

MAX_REPEATS = 6
"""Requests that a run spends on this at most."""

MIN_SERVED = 4
"""Repeats that have to be served, so that an endpoint that refuses now and then is seldom taken for
one that refuses because of others: if every second request is refused, all four are served once in
16 runs."""

MAX_SAID_CHARS = 100

SUBJECT = "error"
"""What is wrong of the answer: no text is, because there is none."""


@check_afterwards("isolation.refused-beside-others", requirement="isolation.own-settings")
async def a_refusal_stands_without_other_requests(api: Api) -> None:
    """A valid request that is rejected beside others is rejected when it is sent alone, too.

    在有其他请求时被拒绝的有效请求，单独发送时同样被拒绝。
    """
    alike: dict[object, list[Refused]] = defaultdict(list)
    for one in refused_beside_others(api.trace):
        alike[signature_of(one.exchange)].append(one)
    if not alike:
        raise NotApplicable(say("no refusal beside other requests is reported"))
    left = MAX_REPEATS
    for members in sorted(alike.values(), key=len, reverse=True):
        # One alone is sent several times; of several, another parameter each tells more.
        trials = (members * MIN_SERVED)[: max(len(members), MIN_SERVED)][:left]
        if len(trials) < MIN_SERVED:
            break
        served = await _served_alone(api, trials)
        # The first that is not served ends them.
        left -= min(len(served) + 1, len(trials))
        if len(served) == len(trials):
            _report(api, [one.exchange for one in trials], served)
    # Such a refusal says nothing about other requests, so it is no proof that they change nothing.
    raise NotApplicable(say("no refusal is known to be gone when it is sent again alone"))


@dataclass(frozen=True)
class Refused:
    """A refused request that a finding reports, and the parameter that the finding is about."""

    exchange: Exchange
    subject: str


def refused_beside_others(trace: Trace) -> list[Refused]:
    """Return the reported refusals that had other requests beside them, each request once.

    Those of different parameters come first.
    """
    exchanges = [one.exchange for one in trace.exchanges]
    known = {one.id: one for one in exchanges}
    found: dict[object, Refused] = {}
    for finding in trace.reported_failures:
        for exchange in _refused_in(finding, known):
            if exchange.request not in found and any(overlap(exchange, o) for o in exchanges):
                found[exchange.request] = Refused(exchange, finding.subject)
    first: dict[object, Refused] = {}
    for one in found.values():
        first.setdefault((signature_of(one.exchange), one.subject), one)
    return list(dict.fromkeys((*first.values(), *found.values())))


def _refused_in(finding: Finding, known: dict[str, Exchange]) -> list[Exchange]:
    """Return the exchanges that a finding shows as a refusal of a valid request."""
    if finding.effect is not Effect.REFUSED:
        return []
    probes = [
        known[key] for key, role in finding.roles.items() if role is Role.PROBE and key in known
    ]
    return [one for one in probes if one.status in REFUSALS and one.fault is None]


def overlap(one: Exchange, other: Exchange) -> bool:
    """Return whether two different exchanges were in flight at the same time."""
    return one.id != other.id and any(
        a.started < b.started + b.elapsed and b.started < a.started + a.elapsed
        for a in one.attempts
        for b in other.attempts
    )


async def _served_alone(api: Api, trials: Iterable[Refused]) -> list[Exchange]:
    """Send refused requests again, one after the other, up to the first that is not served alone.

    Raises:
        BudgetSpent: a limit of the run forbids a request.
    """
    served: list[Exchange] = []
    for one in trials:
        if not api.retest_budget.take(1):
            break
        if one.exchange not in api.exchanges:
            api.exchanges.append(one.exchange)
        response = await api.send(one.exchange.request, fresh=True)
        again = response.exchange
        # A record without the repeat may have another answer, which had requests beside it.
        is_alone = not any(overlap(again, other.exchange) for other in api.trace.exchanges)
        if not response.is_served or again.fault is not None or not is_alone:
            break
        served.append(again)
    return served


def _report(api: Api, refused: Sequence[Exchange], served: Sequence[Exchange]) -> None:
    """Report refusals in the same words that are gone without other requests.

    Raises:
        Deviation: always.
    """
    api.exchanges[:] = list(dict.fromkeys((*refused, *served)))
    raise (
        Failure(
            say("a request that is served alone served beside others"),
            say(
                "{status} beside other requests: {body}; alone, served ({times} repeats)",
                status=refused[0].status,
                body=said(refused[0], MAX_SAID_CHARS),
                times=len(served),
            ),
            subject=SUBJECT,
        )
        .shown_by(Evidence((refused[0],), (served[0],)))
        .only_by_run()
    )
