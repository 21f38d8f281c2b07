"""Invalid requests, chosen from generated ones; each certainly has exactly one defect.

Servers rightly accept much that violates the schema: a null, a number in quotation marks, a value
above a limit that no document states. Only values that no document and no lenient decoder accepts
are kept here.
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
BOOLEAN_WORDS = frozenset({"t", "f", "y", "n", "true", "false", "yes", "no", "on", "off"})
"""Words that some decoders read as booleans."""

MAX_VALUE_BYTES = 60
"""Bytes of an invalid parameter in JSON. Short values are easy to read in a report."""

LIMIT_MARGIN = 0.1
"""How far beyond a limit a number has to be, so that rounding cannot bring it back."""

COSTLY = frozenset({"n", "best_of", "max_tokens"})
"""Large values of these cost much if they are served; directed checks test their limits."""

UNREAD = frozenset({"user"})
"""Parameters that a relay may drop without validation, since they do not reach the model."""


class Defect(StrEnum):
    """The kinds of defect of a request."""

    TYPE = "a value of a wrong type"
    RANGE = "a value out of range"
    MODEL = "no model"
    JSON = "a body that is no JSON"


@dataclass(frozen=True, slots=True)
class InvalidRequest:
    """A request body with one defect.

    Attributes:
        defect: the kind of defect.
        raw: the body as it is sent.
        parameter: the parameter with the defect, or empty.
    """

    defect: Defect
    raw: bytes
    parameter: str = ""

    @property
    def streams(self) -> bool:
        """Whether a stream is requested."""
        return self.defect is not Defect.JSON and json.loads(self.raw).get("stream") is True


def invalid_requests(
    generated: Iterable[Any],
    valid: Mapping[str, Any],
    contract: Contract,
    wanted: Mapping[Defect, int],
) -> list[InvalidRequest]:
    """Choose invalid requests, each with a defect in another parameter.

    Every third request with an invalid value requests a stream, which has to be rejected, too.

    Args:
        generated: bodies that violate the schema in one place or in several.
        valid: a cheap body that is served; each defect is put into a copy of it.
        contract: states the types and limits.
        wanted: how many requests with each kind of defect.
    """
    chosen: dict[tuple[Defect, str], InvalidRequest] = {}
    for name, value, defect in _defects(generated, contract):
        key = (defect, name)
        if key in chosen or sum(kind is defect for kind, _ in chosen) >= wanted.get(defect, 0):
            continue
        if defect is Defect.JSON:
            chosen[key] = InvalidRequest(defect, value)
        elif defect is Defect.MODEL:
            rest = {key: value for key, value in valid.items() if key != "model"}
            chosen[key] = InvalidRequest(defect, encode(rest), name)
        else:
            earlier = sum(kind in (Defect.TYPE, Defect.RANGE) for kind, _ in chosen)
            streams = earlier % 3 == 2 and contract.parameter("stream").documented
            base = {**valid, "stream": True} if streams else valid
            chosen[key] = InvalidRequest(defect, encode({**base, name: value}), name)
    return sorted(chosen.values(), key=lambda request: list(Defect).index(request.defect))


def _defects(generated: Iterable[Any], contract: Contract) -> Iterator[tuple[str, Any, Defect]]:
    """Yield each certain defect: the parameter, its value, and the kind."""
    for body in generated:
        if isinstance(body, bytes) and not _is_json(body):
            yield "", body, Defect.JSON
        if not isinstance(body, Mapping):
            continue
        for name, value in body.items():
            parameter = contract.parameter(name)
            defect = defect_of(parameter, value) if parameter.documented else None
            if defect and len(encode({name: value})) <= MAX_VALUE_BYTES:
                yield name, value, defect
    # Generated bodies rarely lack a required parameter.
    if contract.parameter("model").required:
        yield "model", None, Defect.MODEL


def defect_of(parameter: Parameter, value: Any) -> Defect | None:
    """Return the certain defect of a documented parameter's value, or None."""
    if parameter.name in UNREAD or value is None:
        return None
    if _has_wrong_type(parameter, value):
        return Defect.TYPE
    return Defect.RANGE if _is_out_of_range(parameter, value) else None


def _has_wrong_type(parameter: Parameter, value: Any) -> bool:
    """Return whether no decoder can read a value as one of the documented types."""
    match parameter.name:
        case "prompt":
            return _holds_object(value)
        case "stop":
            return _holds_object(value) or _is_number(value)
        case "model":
            return not isinstance(value, str)
    types = set(parameter.types)
    if "object" in types:
        is_list = isinstance(value, list) and value != [] and "array" not in types
        return _is_number(value) or _is_word(value) or is_list
    if isinstance(value, str):
        return not types & {"string"} and bool(types) and _is_word(value)
    return isinstance(value, Mapping | list) and bool(types)


def _is_out_of_range(parameter: Parameter, value: Any) -> bool:
    if parameter.name == "stop":
        most = parameter.max_items
        return most is not None and isinstance(value, list) and len(value) > most
    if not set(parameter.types) & NUMERIC or not _is_number(value):
        return False
    # Above the limit of `logprobs` an endpoint may return as many as it has.
    has_maximum = parameter.name not in {"logprobs", *COSTLY}
    below = parameter.minimum is not None and value < parameter.minimum - LIMIT_MARGIN
    above = parameter.maximum is not None and value > parameter.maximum + LIMIT_MARGIN
    return (below and parameter.name != "max_tokens") or (above and has_maximum)


def _holds_object(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_holds_object, value))
    return isinstance(value, Mapping)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_word(value: Any) -> bool:
    """Return whether a text is neither a number nor a word for a boolean."""
    if not isinstance(value, str) or not any(map(str.isalpha, value)):
        return False
    try:
        float(value)
    except ValueError:
        return value.strip().lower() not in BOOLEAN_WORDS
    return False


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True
