"""Faults of ``system_fingerprint``."""

from __future__ import annotations

from reference_server.behaviour.builders import chunks
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import fault
from reference_server.behaviour.triggers import Trigger


@fault(
    "fingerprint-per-chunk",
    breaks="fingerprint.constant-in-stream",
    triggers={Trigger.EVERY_THIRD},
)
def fingerprint_per_chunk() -> Behaviour:
    """Each chunk of a stream has a different fingerprint."""
    return chunks(numbered)


def numbered(_: Body, chunks: list[Body]) -> list[Body]:
    """Give each chunk a different fingerprint."""
    return [{**chunk, "system_fingerprint": f"fp_{i}"} for i, chunk in enumerate(chunks)]
