"""Whether a contract promises the features of a rejected request, and which one was rejected.

Some combinations may be rejected by a conforming server that serves each parameter alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from conformance.contract import Contract
from conformance.judgement import Refusal
from conformance.model import Request

Body = Mapping[str, Any]


def is_promised(refusal: Refusal, contract: Contract) -> bool:
    """Return whether the contract promises the combination of features of a rejected request."""
    body = body_of(refusal.request)
    if any(excuse(body) for excuse in EXCUSES):
        return False
    return all(contract.promises(feature) for feature in refusal.features)


def rejected_parameter(refusal: Refusal) -> str | None:
    """Return the parameter that the error names, as in ``Field 'n': value must be …``.

    A check may need more than what it is about: a server that limits ``n`` rejects samples for a
    statistic of ``temperature``, and serves that.

    Returns:
        A parameter of the request; None if the error names none of them, or several.
    """
    names = body_of(refusal.request).keys() - _IN_EVERY_ERROR
    named = [name for name in names if _is_named(name, refusal.message)]
    return named[0] if len(named) == 1 else None


def _is_named(name: str, message: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) is not None


def body_of(request: Request | None) -> Body:
    """Parse a request's body; empty if it is not a JSON object."""
    try:
        body = json.loads(request.body) if request else None
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _is_batch(body: Body) -> bool:
    prompt = body.get("prompt")
    return isinstance(prompt, list) and any(isinstance(part, str | list) for part in prompt)


def _is_several(value: object) -> bool:
    return isinstance(value, int) and value > 1


def _is_echo_with_logprobs(body: Body) -> bool:
    """The live instruct model itself rejects echo together with logprobs."""
    return body.get("echo") is True and body.get("logprobs") is not None


def _is_several_greedy_choices(body: Body) -> bool:
    """Several choices at temperature 0 are all the same; some servers reject that."""
    several = _is_several(body.get("n")) or _is_several(body.get("best_of"))
    return body.get("temperature") == 0 and several


def _is_suffix_with_echo_or_batch(body: Body) -> bool:
    """No document says what an insertion echoes, or how a batch shares its suffix."""
    return body.get("suffix") is not None and (body.get("echo") is True or _is_batch(body))


def _is_best_of_a_stream(body: Body) -> bool:
    """The best of several is not known before all are finished."""
    return _is_several(body.get("best_of")) and body.get("stream") is True


_IN_EVERY_ERROR = frozenset({"model", "prompt", "user"})
"""Parameters of every request, and words of many errors about something else."""

EXCUSES: tuple[Callable[[Body], bool], ...] = (
    _is_echo_with_logprobs,
    _is_several_greedy_choices,
    _is_suffix_with_echo_or_batch,
    _is_best_of_a_stream,
)
"""Combinations that a conforming server may reject although it serves each parameter alone."""
