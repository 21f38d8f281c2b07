"""In which line of ``conformance.toml`` a target is."""

from __future__ import annotations

import re


def line_of_target(text: str, name: str) -> int:
    """Return the line of ``[targets.NAME]``, counted from 1; 1 if it is written in another way.

    Args:
        text: the file.
        name: the name of the target.
    """
    key = re.escape(name)
    head = re.compile(rf"""[ \t]*\[[ \t]*targets[ \t]*\.[ \t]*(?:{key}|"{key}"|'{key}')[ \t]*\]""")
    for number, line in enumerate(text.splitlines(), 1):
        if head.match(line):
            return number
    return 1
