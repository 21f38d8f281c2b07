"""Indent JSON without changing its literals.

Parsing and dumping would rewrite numbers and merge duplicate keys, so only the white space between
tokens changes. Flat arrays and objects that fit a line stay on one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

WIDTH = 96
DEEPEST = 64
"""Maximum nesting depth that is indented, so that the output stays small."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+')
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")


def lay_out(text: str) -> str:
    """Indent a JSON document by two spaces a level; return anything else as it is."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    parts = _TOKEN.findall(text)
    written: list[str] = []
    depth = place = 0
    while place < len(parts):
        part = parts[place]
        if part in _OPENING:
            short = _on_one_line(parts, place)
            if short is not None:
                inline, place = short
                written.append(inline)
                continue
            depth += 1
            written.append(part + _break(depth))
        elif part in _CLOSING:
            depth -= 1
            written.append(_break(depth) + part)
        elif part == ",":
            written.append("," + _break(depth))
        else:
            written.append(": " if part == ":" else part)
        if depth > DEEPEST:
            return text
        place += 1
    return "".join(written)


def _break(depth: int) -> str:
    return "\n" + "  " * depth


def _on_one_line(parts: Sequence[str], start: int) -> tuple[str, int] | None:
    """Write the array or object that opens at ``start`` in one line, if it is flat and short.

    Returns the line and the place after it, or None.
    """
    line = parts[start]
    for place in range(start + 1, len(parts)):
        part = parts[place]
        if part in _OPENING or len(line) > WIDTH:
            return None
        if part in _CLOSING:
            return line + part, place + 1
        line += {",": ", ", ":": ": "}.get(part, part)
    return None
