"""Response fields by path, as pages and code write it: ``choices[].text``; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.judgement import Failure, shown
from conformance.message import say, verbatim

MAPS = ("top_logprobs", "logit_bias")

_STEP = re.compile(r"\[(\d*)\]|([^.\[\]]+)")


def values_at(document: Any, path: str) -> Iterator[Any]:
    """Yield all values at a path; ``[]`` is every element, ``[0]`` the first.

    Raises:
        Failure: the path does not exist.
    """
    yield from _follow(document, path, _STEP.findall(path), "")


def _follow(value: Any, path: str, steps: list[tuple[str, str]], place: str) -> Iterator[Any]:
    if not steps:
        yield value
        return
    (position, name), *rest = steps
    if name:
        if not isinstance(value, Mapping) or name not in value:
            raise Failure(
                verbatim(path),
                say(
                    "no {name} in {place} = {value}",
                    name=name,
                    place=place or say("the response"),
                    value=shown(value),
                ),
            )
        yield from _follow(value[name], path, rest, f"{place}.{name}" if place else name)
        return
    if not isinstance(value, list) or (position and int(position) >= len(value)):
        raise Failure(
            verbatim(path),
            say("{name} = {value}", name=place or say("the response"), value=shown(value)),
        )
    for i in [int(position)] if position else range(len(value)):
        yield from _follow(value[i], path, rest, f"{place}[{i}]")


def paths_in(document: Any, place: str = "") -> Iterator[str]:
    """Yield the paths of all fields that are not null, with ``[]`` for array elements.

    A map whose keys are tokens is one field.
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
