"""Requests that were served at first and are rejected since, by what the record shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.api import Api
from conformance.checks import check_afterwards
from conformance.checks._shared.requests import MINIMAL_REQUEST
from conformance.checks.errors.valid_requests import Sent, refused_requests, sent_requests
from conformance.judgement import Failure, Inconclusive
from conformance.message import say
from conformance.protocol.account import said, signature_of
from conformance.protocol.response import REFUSALS

ROUNDS = 2
"""How often the request that was served is sent again."""

FEWEST = 3
"""The fewest rejections in the same words that are looked at."""

MAX_SAID_CHARS = 100


@check_afterwards("errors.served-stays-served", requirement="errors.served-stays-served")
async def a_served_request_is_not_rejected_later(api: Api) -> None:
    """No request that was served is rejected since, while others are served.

    已得到处理的请求不会在其他请求仍得到处理时，此后一直被拒绝。
    """
    change = change_in(sent_requests(api), refused_requests(api))
    if change is None:
        return
    request = change.served.recorded.exchange.request
    for _ in range(ROUNDS):
        again = (await api.send(request, fresh=True)).exchange
        if again.status not in REFUSALS:
            return
        control = await api.complete(fresh=True, **MINIMAL_REQUEST)
        if control.exchange.status != 200:
            raise Inconclusive(say("requests are rejected, and so is the cheapest one"))
    first = change.refused.recorded.exchange
    before = [one for one in api.exchanges if one.id != again.id]
    api.exchanges[:] = [change.served.recorded.exchange, first, *before, again]
    raise Failure(
        say("a request that was served to be served again"),
        say(
            "served at first ({served}), rejected since {refused} with {status}: {body}",
            served=change.served.id,
            refused=change.refused.id,
            status=first.status,
            body=said(first, MAX_SAID_CHARS),
        ),
    ).only_by_run()


@dataclass(frozen=True, eq=False)
class Change:
    """The last request that was served, and the first alike that was rejected."""

    served: Sent
    refused: Sent


def change_in(sent: Sequence[Sent], refused: Sequence[Sent]) -> Change | None:
    """Return when requests with the same parameters began to be rejected; None if none did.

    Only rejections in the same words count, and only several of them: values that are rejected
    for what they are come in any order with those that are served.
    """
    whole = [one for one in sent if one.why is None]
    alike: dict[object, list[Sent]] = defaultdict(list)
    for one in sorted(refused, key=lambda one: one.id):
        alike[signature_of(one.recorded.exchange)].append(one)
    for members in alike.values():
        if len(members) < FEWEST:
            continue
        first = members[0]
        common = frozenset.intersection(*(_parameters(one) for one in members))
        since = [_parameters(one) for one in whole if one.id > first.id]
        before = [one for one in whole if one.id < first.id and common <= _parameters(one)]
        if before and since and not any(common <= one for one in since):
            return Change(before[-1], first)
    return None


def _parameters(one: Sent) -> frozenset[str]:
    return frozenset(trait for trait in one.traits if ": " not in trait)
