"""Extend a file of expected deviations from a run, and remove what is stale; pure.

The text is changed in whole lines and nothing else of it is touched: a round trip through a YAML
library moves the comments of a removed entry to the next one. The result is parsed again, so that a
text that cannot be edited in this way is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import yaml

from conformance.contract.yaml_text import YamlError, parse_yaml
from conformance.expectations.reading import TODO, lines_of

HEAD = """\
# Deviations of this endpoint that are known and accepted for now. A run fails if it finds another
# one, and if one of these is gone. Each entry needs a reason; url, since, expires (the last day),
# intermittent, verdict and state are optional.

"""


class EditError(ValueError):
    """The text cannot be edited line by line; the message says what to do."""


def extended(text: str, checks: Iterable[str], day: str) -> str:
    """Add an entry with the reason ``TODO`` for each check.

    Args:
        text: the file; empty if there is none.
        checks: ids of the checks.
        day: the day of the run, as in ``2026-12-31``.

    Raises:
        EditError: the text is not a list with one item per line.
    """
    added = "".join(f"- check: {_scalar(c)}\n  reason: {TODO}\n  since: {day}\n" for c in checks)
    if not added:
        return text
    before = _parsed(text)
    kept = text if text.strip() else HEAD
    if not before:
        kept = "".join(line for line in kept.splitlines(keepends=True) if line.strip() != "[]")
    kept += "" if kept.endswith("\n") or not kept else "\n"
    result = kept + _indented(added, text)
    _assert_items(result, [*before, *_parsed(added)])
    return result


def pruned(text: str, lines: Collection[int]) -> str:
    """Remove the entries that begin on ``lines``, each with the comment right above it.

    Raises:
        EditError: the text is not a list with one item per line.
    """
    rows = text.splitlines(keepends=True)
    starts = lines_of(text.encode())
    items = _parsed(text)
    first_rows = [_first_row(rows, start - 1) for start in starts]
    ends = [*first_rows[1:], len(rows)]
    removed = {
        row
        for start, first, end in zip(starts, first_rows, ends, strict=True)
        if start in lines
        for row in range(first, _last_row(rows, start - 1, end))
    }
    kept = [item for start, item in zip(starts, items, strict=True) if start not in lines]
    result = "".join(row for number, row in enumerate(rows) if number not in removed)
    if not kept:
        result += "[]\n"
    _assert_items(result, kept)
    return result


def _first_row(rows: Sequence[str], row: int) -> int:
    """Return the first row of the comment right above an entry; the head of the file is none."""
    first = row
    while first > 0 and rows[first - 1].lstrip().startswith("#"):
        first -= 1
    return row if first == 0 else first


def _last_row(rows: Sequence[str], row: int, end: int) -> int:
    """Return the row behind an entry: what comes after its last line of content stays.

    That is a comment of its own, which a blank line separates.
    """
    for number in range(row + 1, end):
        rest = rows[number:end]
        if not rows[number].strip() and all(_is_comment(other) for other in rest):
            is_last = end == len(rows)
            # One blank line separates what is left; the entry's own goes with it.
            return number if is_last else number + 1
    return end


def _is_comment(row: str) -> bool:
    return not row.strip() or row.lstrip().startswith("#")


def _indented(added: str, text: str) -> str:
    """Indent new entries like those of the text."""
    dashes = (row for row in text.splitlines() if row.lstrip().startswith("- "))
    first = next(dashes, "")
    indent = first[: len(first) - len(first.lstrip())]
    return "".join(indent + row for row in added.splitlines(keepends=True))


def _scalar(value: str) -> str:
    """Write a text as YAML on one line."""
    return yaml.safe_dump(value, width=float("inf"), allow_unicode=True).split("\n")[0]


def _parsed(text: str) -> list[object]:
    items = parse_yaml(text.encode())
    if items is None:
        return []
    if not isinstance(items, list):
        raise EditError("is not a list of entries")
    return items


def _assert_items(text: str, items: list[object]) -> None:
    try:
        is_same = _parsed(text) == items
    except YamlError:
        is_same = False
    if not is_same:
        raise EditError("is not written one entry per line; edit it by hand")
