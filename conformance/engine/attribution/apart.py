"""What an owner says is missing or wrong, and a claim was judged without.

A stream that is cut off lacks more than its last event; and tokens that make up the beginning of a
text have their offsets in it, whatever stands behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.checks._shared.characters import join_tokens
from conformance.engine.attribution.evidence import Evidence
from conformance.engine.attribution.parts import Part
from conformance.judgement import Judgement
from conformance.model import Finding, Place
from conformance.protocol.response import DONE
from conformance.protocol.trace import RecordedExchange

EMPTY_STOP = "stop.empty-is-harmless"
"""The requirement about a value that is no stop sequence, which says nothing of those that are."""

UNASKED = "logprobs.absent-unless-asked"
"""The requirement about what nobody asked for, and nothing else is read from."""


def is_apart(evidence: Evidence, finding: Finding, part: Part, owner: Finding, owned: Part) -> bool:
    """Return whether a claim was judged without what an owner says is missing or wrong."""
    if owner.requirement == "streaming.done-last":
        return not _lacks_its_end(evidence, finding, part)
    if owner.requirement == UNASKED:
        return True
    if owner.requirement == EMPTY_STOP:
        stops = [request.raw.get("stop") for request in evidence.judged_requests(finding)]
        return any(stop not in ("", [""]) for stop in stops)
    if owner.place is Place.TOKENS and part is Part.OFFSETS:
        return all(map(_begins_with_tokens, evidence.judged_by(finding)))
    is_missing = owner.place not in {None, Place.TOKENS}
    return owned is Part.SCORES and is_missing and finding.place is None


def _lacks_its_end(evidence: Evidence, finding: Finding, part: Part) -> bool:
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


def _begins_with_tokens(exchange: RecordedExchange) -> bool:
    """Return whether the text of each choice begins with its tokens."""
    try:
        choices = exchange.completion.choices
        joined = [(choice.text, join_tokens(choice.logprobs.tokens)) for choice in choices]
    except (Judgement, TypeError):
        return False
    return all(known and text.startswith(start) for text, (start, known) in joined)
