"""Fields of an answer by their path, as pages and code write it: ``choices[].text``. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.judgement import Failure, shown

MAPS = ("top_logprobs", "logit_bias")

_STEP = re.compile(r"\[(\d*)\]|([^.\[\]]+)")


def values_at(document: Any, path: str) -> Iterator[Any]:
    """Yield every value at a path; ``[]`` stands for each element, ``[0]`` for the first.

    Raises:
        Deviation: there is nothing at the path.
    """
    yield from _follow(document, path, _STEP.findall(path), "")


def _follow(value: Any, path: str, steps: list[tuple[str, str]], place: str) -> Iterator[Any]:
    if not steps:
        yield value
        return
    (position, name), *rest = steps
    if name:
        if not isinstance(value, Mapping) or name not in value:
            raise Failure(path, f"no {name} in {place or 'the answer'} = {shown(value)}")
        yield from _follow(value[name], path, rest, f"{place}.{name}" if place else name)
        return
    if not isinstance(value, list) or (position and int(position) >= len(value)):
        raise Failure(path, f"{place} = {shown(value)}")
    for i in [int(position)] if position else range(len(value)):
        yield from _follow(value[i], path, rest, f"{place}[{i}]")


def paths_in(document: Any, place: str = "") -> Iterator[str]:
    """Yield the path of every field of a document that is not null, ``[]`` for any element.

    A map from tokens is one field: what stands in it are values, not names.
    """
    if place.endswith(MAPS):
        return
    if isinstance(document, Mapping):
        for name, value in document.items():
            if value is not None:
                path = f"{place}.{name}" if place else str(name)
                yield path
                yield from paths_in(value, path)
    elif isinstance(document, list):
        for value in document:
            yield from paths_in(value, f"{place}[]")
