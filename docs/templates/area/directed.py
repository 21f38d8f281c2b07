"""``system_fingerprint``: which backend a response comes from."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.requests import stream_response
from conformance.judgement import NotApplicable, expect
from conformance.message import say


@check("fingerprint.constant", requirement="fingerprint.constant-in-stream", needs=("stream",))
async def a_stream_has_one_fingerprint(api: Api) -> None:
    """All chunks of a stream have the same `system_fingerprint`.

    一个流的所有数据块具有相同的 `system_fingerprint`。
    """
    chunks = (await stream_response(api)).chunk_objects
    seen = {str(chunk["system_fingerprint"]) for chunk in chunks if "system_fingerprint" in chunk}
    if not seen:
        raise NotApplicable(say("the endpoint sends no system_fingerprint"))
    expect(len(seen), say("number of fingerprints in a stream")).equals(1)
