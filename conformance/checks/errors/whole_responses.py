"""Valid requests without a whole response: a hang, a cut connection, an error in a stream.

Either it is always the same requests, or a share of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from conformance.api import Api
from conformance.checks import check_afterwards
from conformance.checks.errors.never_answered import MAX_SHOWN, never_answered
from conformance.checks.errors.server_faults import INTERNAL
from conformance.checks.errors.valid_requests import Sent, sent_requests
from conformance.judgement import Failure
from conformance.message import say

FEW, FEW_SHARE = 3, 0.03
"""The fewest requests, and the smallest share of all, that count as a rate of failure."""


@check_afterwards(
    "errors.good-input-whole-response", requirement="errors.good-input-whole-response"
)
async def a_valid_request_gets_a_whole_response(api: Api) -> None:
    """No request that the document allows is left without a complete response each time.

    文档允许的请求，不会每次都得不到完整的响应。
    """
    sent = [one for one in sent_requests(api) if one.why != INTERNAL]
    found = await never_answered(api, sent)
    if found:
        failure = Failure(
            say("a complete response, or a 4xx that rejects the request"),
            say("none each time: {requests}", requests=tuple(one.said for one in found)),
        )
        raise failure.only_by_run() if any(one.before for one in found) else failure


@check_afterwards("errors.unanswered-share", requirement="errors.few-left-unanswered")
async def few_valid_requests_are_left_unanswered(api: Api) -> None:
    """Nearly every request that the document allows gets a complete response.

    文档允许的请求几乎都能得到完整的响应。
    """
    sent = sent_requests(api)
    left = [one for one in sent if one.why is not None]
    if len(left) < max(FEW, FEW_SHARE * len(sent)) or _is_one_outage(left, sent):
        return
    why = Counter(one.why for one in left).most_common(1)[0][0]
    api.exchanges.extend(one.recorded.exchange for one in left[:MAX_SHOWN])
    raise Failure(
        say("a complete response to nearly every valid request"),
        say(
            "none to {left} of {all} valid requests of different kinds: {why}",
            left=len(left),
            all=len(sent),
            why=why,
        ),
    ).only_by_run()


def _is_one_outage(left: Sequence[Sent], sent: Sequence[Sent]) -> bool:
    """Return whether nothing was answered between the first failure and the last."""
    first, last = left[0], left[-1]
    return not any(
        one.why is None and first.id < one.id < last.id and one.began >= first.began for one in sent
    )
