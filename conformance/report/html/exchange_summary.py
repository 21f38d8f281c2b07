"""One-line summaries of requests and attempts."""

from __future__ import annotations

import json
from collections.abc import Iterator

from conformance.language import Text, join_texts, same
from conformance.model import Attempt, Exchange
from conformance.report.locale.finding_text import finding_text
from conformance.report.locale.terms import duration
from conformance.report.sanitize import cut, line

WIDEST = 300
"""Maximum characters of a header or of an attempt's result."""

_READS = 20_000
"""Bytes of a request body that are parsed; longer bodies are shown from the start."""

_ATTEMPT = Text(
    "at {started}, {elapsed}: {what}",
    "运行开始后 {started}，用时 {elapsed}：{what}",
)
_AND = Text(", ", "，")


def gist(body: bytes) -> str:
    """Summarise a request in one line, the prompt last."""
    text = body[:_READS].decode("utf-8", errors="replace")
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(request, dict):
        return text
    rest = {key: value for key, value in request.items() if key not in {"model", "prompt"}}
    if "prompt" in request:
        rest["prompt"] = request["prompt"]
    return ", ".join(f"{key}: {_short(value)}" for key, value in rest.items())


def _short(value: object) -> str:
    """Format a value as JSON of at most 60 characters."""
    return cut(json.dumps(value, ensure_ascii=False), 60)


def attempts(exchange: Exchange) -> tuple[Text, ...]:
    """Summarise each attempt in one line: start in the run, duration, result."""
    return tuple(
        _ATTEMPT.format(
            started=duration(attempt.started),
            elapsed=duration(attempt.elapsed),
            what=join_texts(_came_of(attempt), _AND).mapped(
                lambda what: cut(line(what), 2 * WIDEST)
            ),
        )
        for attempt in exchange.attempts
    )


def fault_of(exchange: Exchange | Attempt) -> Text | None:
    """Return the transport error in both languages; None if there was none."""
    if not exchange.fault:
        return None
    fault = finding_text(exchange.fault)
    return fault if fault.zh else same(fault.en)


def _came_of(attempt: Attempt) -> Iterator[Text]:
    """Yield the error or status, Retry-After, and the body of a retried response."""
    yield fault_of(attempt) or same(str(attempt.status))
    if attempt.retry_after is not None:
        yield same(f"Retry-After: {cut(attempt.retry_after, WIDEST)}")
    if attempt.body:
        yield same(cut(attempt.body.decode("utf-8", errors="replace"), WIDEST))
