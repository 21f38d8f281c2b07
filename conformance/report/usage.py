"""Compare reported usage with tokens that can be counted exactly, without estimates.

A prompt of token ids has as many tokens as ids; a choice has as many as its log probabilities
list. ``max_tokens`` counts nothing: an endpoint may ignore it, and bill what it generated. Only
such exchanges are used, and only if a check found incorrect usage.
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

    ``kind`` is ``prompt`` or ``completion``; ``finding`` is the id of a check that shows it.
    """

    kind: str
    stated: int
    counted: int
    finding: str


_Json = Mapping[str, Any]


def usage_mismatches(run: Run) -> Iterator[UsageMismatch]:
    """Sum reported and counted tokens for each kind that a failed check covers."""
    broken = {f.requirement: f.id for f in reversed(run.findings) if _reports_usage(f)}
    for kind, requirements, count in _KINDS:
        if shown := sorted(broken[key] for key in requirements & broken.keys()):
            pairs = list(_pairs(run.exchanges, f"{kind}_tokens", count))
            mismatch = UsageMismatch(
                kind, sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs), shown[0]
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
            # A start token for each prompt may be counted, too.
            may_start = 0 <= stated - counted <= _prompts_of(request) and name == "prompt_tokens"
            yield stated, stated if may_start else counted


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


def _prompts_of(request: _Json) -> int:
    prompt = request.get("prompt")
    several = isinstance(prompt, list) and any(isinstance(one, list | str) for one in prompt)
    return len(prompt) if several and isinstance(prompt, list) else 1


def _generated(request: _Json, answered: _Json) -> int | None:
    """Count the tokens that a response lists, if all of its choices ended with ``length``.

    None if their number is not that of the limit: then more were generated than are shown, or the
    limit was not kept, and nobody can say which tokens count.
    """
    limit, choices = request.get("max_tokens"), answered.get("choices")
    if not _whole(limit) or not isinstance(choices, list) or not choices:
        return None
    best_of = request.get("best_of")
    if (best_of is not None and best_of != request.get("n", 1)) or request.get("echo"):
        return None
    listed = [_listed(choice) for choice in choices]
    return sum(listed) if all(number == limit for number in listed) else None


def _listed(choice: object) -> int:
    """Return how many tokens a choice that the limit ended lists; 0 if it is unknown."""
    if not isinstance(choice, dict) or choice.get("finish_reason") != "length":
        return 0
    logprobs = choice.get("logprobs")
    tokens = logprobs.get("tokens") if isinstance(logprobs, dict) else None
    return len(tokens) if isinstance(tokens, list) else 0


_KINDS: tuple[tuple[str, frozenset[str], Callable[[_Json, _Json], int | None]], ...] = (
    ("prompt", frozenset({"usage.prompt-grows-with-text"}), _sent),
    (
        "completion",
        frozenset({"usage.completion-at-limit", "usage.completion-sums-choices"}),
        _generated,
    ),
)
