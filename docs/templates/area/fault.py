"""Faults of ``system_fingerprint``."""

from __future__ import annotations

from reference_server.behaviour.builders import chunks
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import fault
from reference_server.behaviour.triggers import Modifier


@fault(
    "fingerprint-per-chunk",
    breaks="fingerprint.constant-in-stream",
    modifiers={Modifier.EVERY_THIRD},
)
def fingerprint_per_chunk() -> Behaviour:
    """Each chunk of a stream has a fingerprint of its own."""
    return chunks(numbered)


def numbered(_: Body, chunks: list[Body]) -> list[Body]:
    """Give each chunk another fingerprint."""
    return [{**chunk, "system_fingerprint": f"fp_{i}"} for i, chunk in enumerate(chunks)]
