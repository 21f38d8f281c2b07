"""Format places and values in findings."""

from __future__ import annotations

import json
from collections.abc import Iterable

from conformance.docs_audit.page import Example, Parameter, Sample

MAX_VALUE_CHARS = 160
"""Maximum characters of one value."""


def parameter_place(parameter: Parameter) -> str:
    """Name the place of a parameter."""
    return f"parameters: {parameter.written}"


def example_place(example: Example) -> str:
    """Name the place of an example."""
    return f"examples: {example.name}"


def sample_place(sample: Sample) -> str:
    """Name the place of a sample."""
    return f"samples: {sample.name}"


def written(value: object) -> str:
    """Format a value as JSON, shortened."""
    return cut(json.dumps(value, ensure_ascii=False))


def cut(text: str) -> str:
    """Shorten a text to :data:`MAX_VALUE_CHARS`."""
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[: MAX_VALUE_CHARS - 1]}…"


def listed(names: Iterable[str]) -> str:
    """Join names: "a, b and c"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def verb(count: int, one: str, several: str) -> str:
    """Choose the singular or plural form of a verb."""
    return one if count == 1 else several
