"""Servers that conform although they write or reject constrained texts in another way."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from reference_server.behaviour.builders import rejects, texts
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite

NAMES = ("structured_outputs", "response_format")


def _json(change: Callable[[Any], str]) -> Behaviour:
    """Write JSON that is complete in another way."""

    def rewritten(request: Body, _: int, text: str) -> str:
        if not any(request.get(name) for name in NAMES):
            return text
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return change(value) if isinstance(value, dict) else text

    return texts(rewritten)


@variant("json-on-many-lines", contract="vllm", dialect="vllm")
def json_on_many_lines() -> Behaviour:
    """Constrained JSON has line breaks and indentation, and a line break behind it."""
    return _json(lambda value: json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@variant("json-in-another-order", contract="vllm", dialect="vllm")
def json_in_another_order() -> Behaviour:
    """The members of constrained JSON are not in the order of the schema, and not spaced."""
    return _json(
        lambda value: json.dumps(
            dict(reversed(value.items())), separators=(",", ":"), ensure_ascii=False
        )
    )


@variant("json-with-escapes", contract="vllm", dialect="vllm")
def json_with_escapes() -> Behaviour:
    """Characters of constrained JSON other than those of ASCII are escaped."""
    return _json(json.dumps)


@variant("constraints-refused-with-422", contract="vllm", dialect="vllm")
def constraints_refused_with_422() -> Behaviour:
    """Constraints that cannot be read are rejected with 422."""
    return Rewrite(
        raw=lambda _, got: (
            got.with_status(HTTPStatus.UNPROCESSABLE_ENTITY)
            if got.status == HTTPStatus.BAD_REQUEST and b"cannot be followed" in got.raw
            else got
        )
    )


@variant("no-constraints", refuses=" ".join(NAMES), contract="vllm", dialect="vllm")
def no_constraints() -> Behaviour:
    """Constraints are rejected with 400."""
    return rejects(
        lambda request: any(request.get(name) is not None for name in NAMES),
        "Constraints are not supported.",
    )
