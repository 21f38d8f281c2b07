"""Wrong requests, made of what was drawn: one thing is wrong in each, and surely so.

A schema is broken by much that servers rightly let pass: a null, a figure in quotation marks, a
limit that no document states. What is left here no document and no lenient decoder can mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from conformance.api import encode
from conformance.contract import Contract, Parameter

NUMERIC = frozenset({"integer", "number"})
TRUTHS = frozenset({"t", "f", "y", "n", "true", "false", "yes", "no", "on", "off"})
"""Words that some decoders read as a truth value."""

LONGEST = 60
"""Bytes of a wrong value: a reader has to see at a glance what is wrong."""

CLEARLY = 0.1
"""How far beyond a limit a number has to be, so that no rounding brings it back."""

COSTLY = frozenset({"n", "best_of", "max_tokens"})
"""Too much of these is paid for if it is served; directed checks look there with more care."""

UNREAD = frozenset({"user"})
"""Values that a relay may drop unseen, since no model is told of them."""


class Wrong(StrEnum):
    """What is wrong with a request."""

    TYPE = "a value of a wrong type"
    RANGE = "a value out of range"
    MODEL = "no model"
    JSON = "a body that is no JSON"


@dataclass(frozen=True, slots=True)
class WrongRequest:
    """A body with one thing wrong in it; ``parameter`` is at fault, or empty where none is."""

    wrong: Wrong
    raw: bytes
    parameter: str = ""

    @property
    def streams(self) -> bool:
        """Whether it asks for a stream."""
        return self.wrong is not Wrong.JSON and json.loads(self.raw).get("stream") is True


def wrong_requests(
    drawn: Iterable[Any], right: Mapping[str, Any], contract: Contract, wanted: Mapping[Wrong, int]
) -> list[WrongRequest]:
    """Choose wrong requests, each about another parameter.

    Every third of those that a value is wrong in asks for a stream, which has to be refused alike.

    Args:
        drawn: bodies that break the schema, in one place or in several.
        right: a cheap body that is served; one thing of each is put into a copy of it.
        contract: says what is surely wrong.
        wanted: how many of each kind.
    """
    chosen: dict[tuple[Wrong, str], WrongRequest] = {}
    for name, value, wrong in _faults(drawn, contract):
        key = (wrong, name)
        if key in chosen or sum(kind is wrong for kind, _ in chosen) >= wanted.get(wrong, 0):
            continue
        if wrong is Wrong.JSON:
            chosen[key] = WrongRequest(wrong, value)
        elif wrong is Wrong.MODEL:
            rest = {key: value for key, value in right.items() if key != "model"}
            chosen[key] = WrongRequest(wrong, encode(rest), name)
        else:
            told = sum(kind in (Wrong.TYPE, Wrong.RANGE) for kind, _ in chosen)
            streams = told % 3 == 2 and contract.parameter("stream").documented
            asked = {**right, "stream": True} if streams else right
            chosen[key] = WrongRequest(wrong, encode({**asked, name: value}), name)
    return sorted(chosen.values(), key=lambda request: list(Wrong).index(request.wrong))


def _faults(drawn: Iterable[Any], contract: Contract) -> Iterator[tuple[str, Any, Wrong]]:
    """Yield each thing that is surely wrong: the parameter, its value, and in which way."""
    for body in drawn:
        if isinstance(body, bytes) and not _is_json(body):
            yield "", body, Wrong.JSON
        if not isinstance(body, Mapping):
            continue
        for name, value in body.items():
            parameter = contract.parameter(name)
            wrong = what_is_wrong(parameter, value) if parameter.documented else None
            if wrong and len(encode({name: value})) <= LONGEST:
                yield name, value, wrong
    # A body that lacks what is required is drawn now and then, and the model is what all require.
    yield "model", None, Wrong.MODEL


def what_is_wrong(parameter: Parameter, value: Any) -> Wrong | None:
    """Say how a value is surely wrong for a parameter that the contract documents, or None."""
    if parameter.name in UNREAD or value is None:
        return None
    if _is_of_no_meaning(parameter, value):
        return Wrong.TYPE
    return Wrong.RANGE if _is_out_of_range(parameter, value) else None


def _is_of_no_meaning(parameter: Parameter, value: Any) -> bool:
    """Tell whether a value is of a type that nobody can read as one of the documented ones."""
    match parameter.name:
        case "prompt":
            return _holds_object(value)
        case "stop":
            return _holds_object(value) or _is_number(value)
        case "model":
            return not isinstance(value, str)
    types = set(parameter.types)
    if "object" in types:
        return _is_number(value) or _is_word(value) or (isinstance(value, list) and value != [])
    if isinstance(value, str):
        return not types & {"string"} and bool(types) and _is_word(value)
    return isinstance(value, Mapping | list) and bool(types)


def _is_out_of_range(parameter: Parameter, value: Any) -> bool:
    if parameter.name == "stop":
        most = parameter.max_items
        return most is not None and isinstance(value, list) and len(value) > most
    if not set(parameter.types) & NUMERIC or not _is_number(value):
        return False
    # Above the limit of `logprobs` an endpoint may give as many as it has.
    has_top = parameter.name not in {"logprobs", *COSTLY}
    below = parameter.minimum is not None and value < parameter.minimum - CLEARLY
    above = parameter.maximum is not None and value > parameter.maximum + CLEARLY
    return (below and parameter.name != "max_tokens") or (above and has_top)


def _holds_object(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_holds_object, value))
    return isinstance(value, Mapping)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_word(value: Any) -> bool:
    """Tell whether a text is neither a figure nor a truth value in words."""
    if not isinstance(value, str) or not any(map(str.isalpha, value)):
        return False
    try:
        float(value)
    except ValueError:
        return value.strip().lower() not in TRUTHS
    return False


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True
