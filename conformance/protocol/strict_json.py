"""Strict JSON from an endpoint: without NaN and Infinity, and bounded before it is parsed.

JSON amplifies: ``{},`` has 3 bytes and becomes 70 in memory, and nested arrays exhaust the stack.
Completions have at most one value in 9 bytes, so text with far more is no completion and is not
parsed. Counting bytes takes a tenth of the time of parsing.

Numbers beyond a 64-bit float are rejected as well (RFC 8259, section 6: senders should expect no
more range or precision), because arithmetic with them raises OverflowError or ValueError.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from itertools import accumulate

from conformance.judgement import Failure
from conformance.locale.foreign import known
from conformance.message import Message, say, verbatim

FREE_VALUES = 4_096
"""Values that any text may have."""

BYTES_PER_VALUE = 6
"""A text may have one more value for each so many characters."""

MAX_VALUES = 100_000
"""Values that no text may exceed; the most of a deep run at a real server were 23,000."""

MAX_DEPTH = 100
"""Maximum depth of nested arrays and objects; completions have at most 6."""

MAX_DIGITS = 308
"""Maximum digits of an integer, as many as the largest 64-bit float has."""

_STRING = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"')
_NO_BRACKETS = re.compile(r"[^][{}]+")
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}


@dataclass(frozen=True, slots=True)
class Excess:
    """A text of ``size`` characters that has ``count`` values, and may have ``most``."""

    count: int
    most: int
    size: int

    @property
    def seen(self) -> Message:
        """The number of values in words."""
        return say("{count} values", count=f"{self.count:,}")


def excess_of(text: str) -> Excess | None:
    """Return by how much a text exceeds its limit of values; None if it does not.

    Values are counted by commas, brackets and line ends, also in a stream of events.
    """
    most = min(FREE_VALUES + len(text) // BYTES_PER_VALUE, MAX_VALUES)
    if _values(text) <= most:
        return None
    # Only now the text within strings is removed, which takes as long as parsing.
    count = _values(_STRING.sub("", text))
    return None if count <= most else Excess(count, most, len(text))


def parsed_size(body: bytes) -> int:
    """Estimate the memory of a parsed body, rather too high.

    A text is kept three times: as the data of an event, as a value in it, and joined.
    """
    objects, names, others = body.count(b"{"), body.count(b":"), sum(map(body.count, _SEPARATORS))
    return 1_000 + 3 * _width(body) * len(body) + 180 * objects + 80 * names + 40 * others


_SEPARATORS = (b",", b"[", b"\n")
_WIDE_BYTES = tuple(bytes([first]) for first in range(0xF0, 0xF5))
_WIDE_ESCAPE = re.compile(rb"\\u[dD][89a-bA-B]")


def _width(body: bytes) -> int:
    """Return the bytes that each character of a text in the body may take.

    One character beyond the basic plane makes all others of its text take four as well.
    """
    escaped = b"\\u" in body
    if any(byte in body for byte in _WIDE_BYTES) or (escaped and _WIDE_ESCAPE.search(body)):
        return 4
    return 2 if escaped or not body.isascii() else 1


def _values(text: str) -> int:
    return sum(map(text.count, ",[{\n\r"))


def strict_json(text: str, what: Message) -> object:
    """Parse strict JSON, without NaN and Infinity.

    Args:
        text: the text.
        what: names the text in messages.

    Raises:
        Failure: it is not JSON, or exceeds a limit of this module.
    """
    excess = excess_of(text)
    if excess is not None:
        raise Failure(
            say(
                "{what} in JSON, with at most {most} values in {size} characters",
                what=what,
                most=f"{excess.most:,}",
                size=f"{excess.size:,}",
            ),
            excess.seen,
        )
    try:
        if text.startswith("\ufeff"):
            raise json.JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
        _refuse_depth(text)
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        why = _why(error)
    # Raised here, because in the block above the error, its traceback and all their frames would
    # be kept as the context of the failure: a stream can have thousands of unreadable events.
    brief = text[:1_000].strip()[:120]
    raise Failure(say("{what} in JSON", what=what), say("{why}: {body}", why=why, body=repr(brief)))


class _NotReadError(ValueError):
    """What this module does not read although Python would."""

    def __init__(self, said: Message) -> None:
        super().__init__(said)
        self.said = said


def _why(error: Exception) -> Message:
    match error:
        case _NotReadError():
            return error.said
        case json.JSONDecodeError():
            return say(
                "{error}: line {line} column {column} (char {place})",
                error=known(error.msg),
                line=error.lineno,
                column=error.colno,
                place=error.pos,
            )
        case _:
            return verbatim(str(error))


def _refuse_depth(text: str) -> None:
    # Without that many brackets there is no such depth; most responses end here.
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise _NotReadError(say("more than {most} levels of arrays and objects", most=MAX_DEPTH))


def _depth(text: str) -> int:
    """Return the depth of the deepest value, or of more brackets if that is within the limit."""
    deepest = _deepest(text)
    return deepest if deepest <= MAX_DEPTH else _deepest(_STRING.sub("", text))


def _deepest(text: str) -> int:
    brackets = _NO_BRACKETS.sub("", text)
    return max(accumulate(_STEPS[bracket] for bracket in brackets), default=0)


def _no_constant(name: str) -> object:
    raise _NotReadError(say("{constant} is not JSON", constant=name))


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise _NotReadError(say("an integer of {count} digits", count=f"{len(digits):,}"))
    return int(digits)


def _float(written: str) -> float:
    value = float(written)
    if math.isinf(value):
        raise _NotReadError(say("a number beyond the range of a 64-bit float"))
    return value


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_int=_integer, parse_float=_float)
