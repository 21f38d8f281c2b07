"""Shrinks a request body: parameters are left out one by one while the response stays wrong."""

from __future__ import annotations

from collections.abc import Callable

from conformance.api import Api
from conformance.generation.bodies_valid import Body, always_sent, without, without_conflicts
from conformance.judgement import Failure, Judgement
from conformance.protocol.response import Response

MAX_SHRINKING_REQUESTS = 12
"""Requests that are spent on shrinking one body."""


async def smallest_body(
    api: Api, body: Body, judge: Callable[[Response], None], found: Failure
) -> tuple[Body, Failure]:
    """Leave out the parameters that a failure does not need.

    All optional ones are left out at once first, since most failures need none; then one by one.

    Args:
        api: sends the smaller requests, within the run's budget for retests.
        body: a request whose response is wrong.
        judge: raises the failure.
        found: the failure in the response to ``body``.

    Returns:
        The smallest body found, and the failure in the response to it.
    """
    left = MAX_SHRINKING_REQUESTS

    async def deviation_of(smaller: Body) -> Failure | None:
        nonlocal left
        if not left or not api.retest_budget.take(1):
            return None
        left -= 1
        try:
            judge(await api.post(smaller))
        except Failure as failure:
            return failure
        except Judgement:
            return None
        return None

    kept = always_sent(api.contract) | {"stream"}
    optional = [name for name in body if name not in kept]
    for names in (optional, *([name] for name in optional)):
        smaller = without_conflicts(without(body, *names), api.contract)
        if len(smaller) >= len(body):
            continue
        failure = await deviation_of(smaller)
        if failure is not None:
            body, found = smaller, failure
    return body, found
