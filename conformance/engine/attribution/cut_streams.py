"""Streams that are cut off, which is more than that their last event is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.engine.attribution.evidence import Evidence
from conformance.engine.attribution.parts import Part
from conformance.model import Finding
from conformance.protocol.response import DONE
from conformance.protocol.trace import RecordedExchange


def lacks_its_end(evidence: Evidence, finding: Finding, part: Part) -> bool:
    """Return whether a stream of a claim is cut off, has something else as its end, or none."""
    if DONE in str(finding.expected):
        return True
    sought = "usage" if part in {Part.USAGE, Part.SUM} else "finish_reason"
    return any(
        not any(_values_in(exchange, sought)) or not _ends_in_a_chunk(exchange)
        for exchange in evidence.judged_by(finding)
        if exchange.response.is_stream
    )


def _ends_in_a_chunk(exchange: RecordedExchange) -> bool:
    _, last = exchange.response.payloads[-1]
    return isinstance(last, Mapping) and "choices" in last


def _values_in(exchange: RecordedExchange, member: str) -> Iterator[object]:
    """Yield a member of every chunk of a stream, and of every choice in it."""
    for _, chunk in exchange.response.payloads:
        if isinstance(chunk, Mapping):
            choices = chunk.get("choices")
            parts = [chunk, *(choices if isinstance(choices, list) else ())]
            yield from (part.get(member) for part in parts if isinstance(part, Mapping))
