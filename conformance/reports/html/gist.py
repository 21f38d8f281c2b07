"""What a request asks and what an exchange came to, in a line each."""

from __future__ import annotations

import json
from collections.abc import Iterator

from conformance.language import Text
from conformance.model import Attempt, Exchange
from conformance.reports.visible import cut, line
from conformance.reports.words import duration

WIDEST = 300
"""Characters of a header, or of what an attempt came to."""

_READS = 20_000
"""Bytes of a request that its line is made from; a body that is longer is shown as it starts."""

_ATTEMPT = Text(
    "{started} into the run, after {elapsed}: {what}",
    "运行开始后 {started}，历时 {elapsed}：{what}",
)


def gist(body: bytes) -> str:
    """Say in a line what a request asks; what tells requests apart comes before the prompt."""
    text = body[:_READS].decode("utf-8", errors="replace")
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(asked, dict):
        return text
    rest = {key: value for key, value in asked.items() if key not in {"model", "prompt"}}
    if "prompt" in asked:
        rest["prompt"] = asked["prompt"]
    return ", ".join(f"{key}: {_short(value)}" for key, value in rest.items())


def _short(value: object) -> str:
    """Write a value as JSON, short enough to leave room for the next."""
    return cut(json.dumps(value, ensure_ascii=False), 60)


def attempts(exchange: Exchange) -> tuple[Text, ...]:
    """Tell each try in a line: when it was sent, how long it took, what came of it."""
    return tuple(
        _ATTEMPT.format(
            started=duration(attempt.started),
            elapsed=duration(attempt.elapsed),
            what=cut(line(", ".join(_came_of(attempt))), 2 * WIDEST),
        )
        for attempt in exchange.attempts
    )


def _came_of(attempt: Attempt) -> Iterator[str]:
    """Tell a fault or a status, and of an answer that was not taken for one what it said."""
    yield str(attempt.fault or attempt.status)
    if attempt.retry_after is not None:
        yield f"Retry-After: {cut(attempt.retry_after, WIDEST)}"
    if attempt.body:
        yield cut(attempt.body.decode("utf-8", errors="replace"), WIDEST)
