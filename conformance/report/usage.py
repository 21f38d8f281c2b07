"""Compare reported usage with tokens that can be counted exactly, without estimates.

A prompt of token ids has as many tokens as ids; a choice with finish_reason ``length`` has
``max_tokens``. Only such exchanges are used, and only if a check found incorrect usage.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.model import Exchange, Finding, Run, Verdict

LARGEST = 1_000_000
"""Maximum bytes of a body that is parsed; larger ones are ignored."""


@dataclass(frozen=True, slots=True)
class UsageMismatch:
    """Reported and counted tokens, summed over all countable exchanges.

    ``kind`` is ``prompt`` or ``completion``.
    """

    kind: str
    stated: int
    counted: int


_Json = Mapping[str, Any]


def usage_mismatches(run: Run) -> Iterator[UsageMismatch]:
    """Sum reported and counted tokens for each kind that a failed check covers."""
    broken = {finding.requirement for finding in run.findings if _reports_usage(finding)}
    for kind, requirements, count in _KINDS:
        if broken & requirements:
            pairs = list(_pairs(run.exchanges, f"{kind}_tokens", count))
            mismatch = UsageMismatch(
                kind, sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
            )
            if mismatch.counted and mismatch.stated != mismatch.counted:
                yield mismatch


def _reports_usage(finding: Finding) -> bool:
    return finding.verdict is Verdict.FAIL


def _pairs(
    exchanges: Iterable[Exchange], name: str, count: Callable[[_Json, _Json], int | None]
) -> Iterator[tuple[int, int]]:
    """Yield (reported, counted) for each exchange that has both."""
    for exchange in exchanges:
        if exchange.status != 200:
            continue
        request, answered = _object(exchange.request.body), _object(exchange.body)
        usage = answered.get("usage")
        stated = usage.get(name) if isinstance(usage, dict) else None
        counted = count(request, answered)
        if isinstance(stated, int) and _whole(stated) and counted:
            yield stated, counted


def _object(body: bytes) -> _Json:
    if len(body) > LARGEST:
        return {}
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _sent(request: _Json, _: _Json) -> int | None:
    """Count the tokens of a prompt of token ids."""
    prompt = request.get("prompt")
    if not isinstance(prompt, list) or not prompt or "suffix" in request:
        return None
    if all(_whole(token) for token in prompt):
        return len(prompt)
    if all(isinstance(ids, list) and ids and all(map(_whole, ids)) for ids in prompt):
        return sum(len(ids) for ids in prompt)
    return None


def _generated(request: _Json, answered: _Json) -> int | None:
    """Count the tokens of a response whose choices all ended with ``length``."""
    limit, choices = request.get("max_tokens"), answered.get("choices")
    if not _whole(limit) or not isinstance(choices, list) or not choices:
        return None
    best_of = request.get("best_of")
    if (best_of is not None and best_of != request.get("n", 1)) or request.get("echo"):
        return None
    cut = all(isinstance(c, dict) and c.get("finish_reason") == "length" for c in choices)
    return int(limit or 0) * len(choices) if cut else None


_KINDS: tuple[tuple[str, frozenset[str], Callable[[_Json, _Json], int | None]], ...] = (
    ("prompt", frozenset({"usage.prompt-grows-with-text"}), _sent),
    (
        "completion",
        frozenset({"usage.completion-at-limit", "usage.completion-sums-choices"}),
        _generated,
    ),
)
