"""The context length that an endpoint states: in an error, or in its list of models.

A limit of the response alone is none, so that only a number beside a word for the context counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from conformance.api import Api
from conformance.checks._shared.error_bodies import numbers_in
from conformance.checks._shared.refusals import REJECTED_STATUSES, minimal_request
from conformance.judgement import NotApplicable
from conformance.message import say
from conformance.model import Request
from conformance.protocol.response import Response

BEYOND_ANY_CONTEXT = 10_000_000
"""A ``max_tokens`` that no endpoint can serve."""

MIN_CONTEXT_TOKENS = 128
"""Smaller numbers in an error are taken for counts of the request."""

MAX_MESSAGE_CHARS = 4_096
"""The beginning of an error that is searched."""

_WORDS = r"context|max_model_len|n_ctx|sequence length|上下文"
_COUNT = r"(?<![-.0-9])(\d{3,7})(?!\d|\.\d)"
_AFTER = re.compile(rf"(?:{_WORDS})[^0-9]{{0,60}}?{_COUNT}", re.IGNORECASE)
_BEFORE = re.compile(rf"{_COUNT}[^0-9.;]{{0,24}}?(?:{_WORDS})", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")

MODEL_MEMBERS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""Members of an entry of ``GET /models`` that are its context length."""


def context_in(message: str) -> int | None:
    """Return the context length that an error states, in tokens; None if that is not clear."""
    message = _THOUSANDS.sub("", message[:MAX_MESSAGE_CHARS])
    found = _AFTER.search(message) or _BEFORE.search(message)
    if found is None:
        return None
    counts = [n for n in numbers_in(message) if MIN_CONTEXT_TOKENS <= n < BEYOND_ANY_CONTEXT]
    # Whatever else is counted fits into the context.
    return int(found[1]) if counts and int(found[1]) == max(counts) else None


def context_in_list(models: object, model: str) -> int | None:
    """Return the context length of a model in the response to ``GET /models``, or None."""
    entries = models.get("data") if isinstance(models, Mapping) else None
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping) and entry.get("id") == model:
            sizes = [entry.get(name) for name in MODEL_MEMBERS]
            return next((s for s in sizes if type(s) is int and s >= MIN_CONTEXT_TOKENS), None)
    return None


async def far_over_context(api: Api) -> Response:
    """Request a stream of ten million tokens, which several checks share."""
    return await api.stream(read_events=3, **minimal_request(max_tokens=BEYOND_ANY_CONTEXT))


async def stated_context(api: Api) -> int:
    """Return the context length that the endpoint states.

    Raises:
        NotApplicable: it states none, or does not reject ten million tokens.
    """
    response = await far_over_context(api)
    if response.status not in REJECTED_STATUSES:
        raise NotApplicable(
            say("the endpoint states no context length: it does not reject ten million tokens")
        )
    context = context_in(response.expect_error(*REJECTED_STATUSES).words)
    if context is None:
        context = await _listed_context(api)
    if context is None:
        raise NotApplicable(
            say("the endpoint's error for too many tokens does not state the context length")
        )
    return context


async def _listed_context(api: Api) -> int | None:
    try:
        listed = await api.send(Request("GET", "/models"))
    except NotApplicable:  # no budget, or a record without this request
        return None
    return context_in_list(listed.readable, api.model) if listed.exchange.status == 200 else None
