"""Pieces of help texts, which import nothing."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """Write the examples at the end of a command's help, whose lines click must not join."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
