"""What a conforming server may do with ``system_fingerprint``."""

from __future__ import annotations

from reference_server.behaviour.builders import chunks
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant


@variant("fingerprint-in-first-chunk")
def fingerprint_in_first_chunk() -> Behaviour:
    """Only the first chunk of a stream has a fingerprint."""
    return chunks(named_once)


def named_once(_: Body, chunks: list[Body]) -> list[Body]:
    """Leave the fingerprint out of all chunks but the first."""
    rest = [{k: v for k, v in chunk.items() if k != "system_fingerprint"} for chunk in chunks[1:]]
    return [*chunks[:1], *rest]
