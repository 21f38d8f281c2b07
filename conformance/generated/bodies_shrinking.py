"""The smallest request that shows a fault: parameters are left out one by one while it shows."""

from __future__ import annotations

from collections.abc import Callable

from conformance.answers import Reply
from conformance.api import Api
from conformance.generated.bodies import Body, always, settled, without
from conformance.judgement import Deviation, Judgement

MOST_ASKED = 12
"""Requests that are spent on making one smaller."""


async def smallest(
    api: Api, body: Body, judge: Callable[[Reply], None], found: Deviation
) -> tuple[Body, Deviation]:
    """Leave out of a request what its fault does not need.

    First all that is optional at once, since most faults need none of it; then one by one.

    Args:
        api: sends the smaller requests, as far as the run's patience goes.
        body: a request whose answer deviates.
        judge: raises the deviation.
        found: the deviation as that answer shows it.

    Returns:
        The request that is left, and the deviation that its answer shows.
    """
    left = MOST_ASKED

    async def fault_of(smaller: Body) -> Deviation | None:
        nonlocal left
        if not left or not api.patience.take(1):
            return None
        left -= 1
        try:
            judge(await api.post(smaller))
        except Deviation as deviation:
            return deviation
        except Judgement:
            return None
        return None

    kept = always(api.contract) | {"stream"}
    optional = [name for name in body if name not in kept]
    for names in (optional, *([name] for name in optional)):
        smaller = settled(without(body, *names), api.contract)
        if len(smaller) >= len(body):
            continue
        fault = await fault_of(smaller)
        if fault is not None:
            body, found = smaller, fault
    return body, found
