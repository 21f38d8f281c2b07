"""Valid requests that cause a server error: a 500 instead of a completion or a rejection."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check_afterwards
from conformance.checks.errors.never_answered import never_answered
from conformance.checks.errors.valid_requests import sent_requests
from conformance.judgement import Failure
from conformance.message import say
from conformance.model import Verdict

INTERNAL = "status 500"
"""An internal server error; 502, 503 and 504 come from a gateway."""


@check_afterwards(
    "errors.good-input-no-server-fault", requirement="errors.good-input-no-server-fault"
)
async def a_valid_request_causes_no_server_error(api: Api) -> None:
    """No request that the document allows gets a 500 each time it is sent.

    文档允许的请求，不会每次发送都得到 500。
    """
    # A lesser finding about the same exchange says less than that it breaks the server.
    failed = (f for f in api.trace.reported_failures if f.verdict is Verdict.FAIL)
    reported = {exchange for finding in failed for exchange in finding.exchanges}
    sent = [one for one in sent_requests(api, reported, odd=True) if one.why in {INTERNAL, None}]
    found = await never_answered(api, sent)
    if found:
        failure = Failure(
            say("a response, or a 4xx that rejects the request"),
            say("500 each time: {requests}", requests=tuple(group.in_short for group in found)),
        )
        raise failure.only_by_run() if any(group.before for group in found) else failure
