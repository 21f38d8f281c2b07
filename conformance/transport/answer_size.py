"""How large the answer to a request may be, and what an answer costs to keep; pure.

One limit for all answers lets an endpoint send megabytes for one token, hundreds of times. The
limit of an answer follows from its request: what a conforming server can say about so many tokens,
with a wide margin, and never more than :data:`MAX_BYTES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.model import Exchange, Request
from conformance.transport.token_bound import (
    FALLBACK_TOKENS,
    choices_of_a_prompt,
    json_object,
    prompt_sizes,
    written_tokens,
)

MAX_BYTES = 8 * 2**20
"""Maximum bytes of any body, also of a request for ten million tokens."""

BASE_BYTES = 256 * 2**10
"""Bytes that any answer may have: the envelope, an error page, and a server that overlooks
``max_tokens`` and streams a thousand tokens, which a check has to see in order to judge it."""

BYTES_PER_REQUEST_BYTE = 4
"""For answers that repeat the request, as validation errors do: a character of two bytes becomes
``\\\\u00e9`` in JSON."""

BYTES_PER_TOKEN = 4 * 2**10
"""For one token of an answer. In a stream each has a chunk with the id and the model's name; with
``logprobs`` each has up to 20 alternatives of some 80 bytes. Measured at real servers, the most was
330 bytes (vLLM, ``echo`` with ``logprobs`` 1) and 460 bytes (llama.cpp, a stream with ``logprobs``
5)."""

UNTOLD_BYTES = 2 * 2**20
"""For requests that do not say how much they ask for: ``GET /models``, bodies that are not JSON
objects. The longest list of models known has half a megabyte."""

EXACT_READS = 1_024
"""Reads of a body whose arrival is always kept exactly."""

EXACT_READS_PER_TOKEN = 4
"""Further reads that are kept exactly; an event of one token is one read, or two if it is cut."""

MAX_EXACT_READS = 16_384

BYTES_PER_ARRIVAL = 100
"""What one arrival costs in memory; in the record it has 25 bytes."""

BYTES_PER_HEADER = 200
"""What one header costs in memory, besides its characters."""

BYTES_PER_CHARACTER = 6
"""What a character of a header costs in the record: a control character is ``\\u0001`` there."""

BYTES_PER_ATTEMPT = 500
"""What one attempt costs in memory, besides its texts."""


def answer_limit(request: Request, default_tokens: int | None = FALLBACK_TOKENS) -> int:
    """Return the maximum bytes of the body of an answer to a request.

    A conforming answer cannot reach it: it has at most the tokens of :func:`answered_tokens`, and
    :data:`BYTES_PER_TOKEN` is eight times what was measured.

    Args:
        request: the request.
        default_tokens: the contract's default of ``max_tokens``; None if it has none.
    """
    body = json_object(request)
    if body is None:
        return UNTOLD_BYTES
    tokens = answered_tokens(body, request.read_events, default_tokens)
    if tokens is None:
        return MAX_BYTES
    asked = BYTES_PER_REQUEST_BYTE * len(request.body) + BYTES_PER_TOKEN * tokens
    return min(BASE_BYTES + asked, MAX_BYTES)


def exact_reads(request: Request, default_tokens: int | None = FALLBACK_TOKENS) -> int:
    """Return how many reads of an answer are kept exactly; later ones are merged."""
    body = json_object(request)
    tokens = 0 if body is None else answered_tokens(body, request.read_events, default_tokens)
    if tokens is None:
        return MAX_EXACT_READS
    return min(EXACT_READS + EXACT_READS_PER_TOKEN * tokens, MAX_EXACT_READS)


def answered_tokens(
    body: Mapping[str, Any], read_events: int | None, default_tokens: int | None
) -> int | None:
    """Return the maximum tokens in the choices of an answer; None if the request sets no limit.

    Each choice has up to ``max_tokens``, and with ``echo`` its prompt as well.
    """
    if body.get("max_tokens") is None and default_tokens is None and read_events is None:
        return None
    written = written_tokens(body, read_events, default_tokens)
    echoed = sum(prompt_sizes(body)) * choices_of_a_prompt(body) if body.get("echo") else 0
    return written + echoed


def kept_bytes(exchange: Exchange) -> int:
    """Return what an exchange costs to keep, in bytes: in memory or in the record, if that is more.

    The record has bodies as text or base64, whichever is shorter, which is at most 4/3 of this.
    """
    texts = [text for header in exchange.headers for text in header]
    attempts = exchange.attempts
    texts += [text or "" for attempt in attempts for text in (attempt.fault, attempt.retry_after)]
    return (
        len(exchange.body)
        + sum(len(attempt.body) for attempt in attempts)
        + BYTES_PER_CHARACTER * sum(map(len, texts))
        + BYTES_PER_HEADER * len(exchange.headers)
        + BYTES_PER_ATTEMPT * len(attempts)
        + BYTES_PER_ARRIVAL * len(exchange.arrivals)
    )
