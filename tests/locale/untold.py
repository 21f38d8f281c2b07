"""What of the messages of a run a reader of Chinese would read in English."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from conformance.locale import in_chinese
from conformance.message import Message
from conformance.model import Finding


def untold(found: Iterable[Finding]) -> list[str]:
    """Return the messages without a Chinese sentence, and phrases in them that stay English."""
    said = [m for f in found for m in (f.message, f.expected, f.seen) if m]
    assert all(isinstance(message, Message) for message in said)
    result = {message for message in said if in_chinese(message) is None}
    result |= {left for message in said for left in phrases_left_in(message)}
    return sorted(result)


def phrases_left_in(message: Message) -> Iterator[str]:
    """Yield values that have a translation or look like words, and are no messages."""
    for name, value in message.arguments.items():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Message):
                yield from phrases_left_in(one)
            elif isinstance(one, str) and name not in QUOTED and _is_phrase(one):
                yield f"{message.template}: {name} = {one}"


def _is_phrase(text: str) -> bool:
    # A single word can be the name of a parameter.
    known = " " in text and in_chinese(text) is not None
    return known or re.match("[a-z]{2,} [a-z]+", text) is not None


QUOTED = {"body", "message", "error", "text"}
"""Arguments with words of the endpoint, which may be anything."""
