"""``system_fingerprint`` in every stream of a run."""

from __future__ import annotations

from conformance.checks import invariant
from conformance.checks._shared.recorded_streams import chunks_of
from conformance.judgement import NotApplicable, expect
from conformance.message import say
from conformance.protocol.trace import RecordedExchange


@invariant("fingerprint.constant-everywhere", requirement="fingerprint.constant-in-stream")
def every_stream_has_one_fingerprint(exchange: RecordedExchange) -> None:
    """All chunks of every stream of the run have the same `system_fingerprint`.

    本次运行的每个流，其所有数据块具有相同的 `system_fingerprint`。
    """
    chunks = chunks_of(exchange)
    seen = {str(chunk["system_fingerprint"]) for chunk in chunks if "system_fingerprint" in chunk}
    if not seen:
        raise NotApplicable(say("the endpoint sends no system_fingerprint"))
    expect(len(seen), say("number of fingerprints in a stream")).equals(1)
