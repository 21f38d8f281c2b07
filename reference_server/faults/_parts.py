"""Rewrites that several areas share: parts of streams, and arrays of log probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from reference_server.behaviour.builders import chunks
from reference_server.behaviour.messages import Body
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger

IN_STREAMS = ALL_TRIGGERS - {Trigger.STREAM, Trigger.NON_STREAMING}
"""Triggers of faults that affect streams only."""

IN_EVENTS = IN_STREAMS - {Trigger.SECOND_CHOICE}
"""Triggers of faults of a stream's bytes, which belong to no choice."""


def parts(change: Callable[[Body], Body]) -> Rewrite:
    """Change what chunks add to their choices, one part at a time."""
    return chunks(
        lambda _, sent: [{**c, "choices": [change(part) for part in c["choices"]]} for c in sent]
    )


def of_each_choice(change: Callable[[Body, list[Body]], list[Body]]) -> Rewrite:
    """Change what chunks add to one choice: ``(request, parts)``.

    Each new part replaces an old one; additional ones follow the last of them.
    """

    def of(request: Body, sent: list[Body]) -> list[Body]:
        old = by_choice(sent)
        left = {index: iter(change(request, own)) for index, own in old.items()}
        result: list[Body] = []
        for chunk in sent:
            if not chunk["choices"]:
                result.append(chunk)
            for part in chunk["choices"]:
                index = part["index"]
                is_last = part is old[index][-1]
                result.extend({**chunk, "choices": [p]} for p in _next(left[index], is_last))
        return result

    return chunks(of)


def by_choice(sent: Iterable[Body]) -> dict[int, list[Body]]:
    """Group a stream's parts by choice."""
    own: dict[int, list[Body]] = {}
    for part in (part for chunk in sent for part in chunk["choices"]):
        own.setdefault(part["index"], []).append(part)
    return own


def maps(change: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """Change the alternatives at every position; for the arrays of one choice."""
    return lambda scores: {"top_logprobs": [top and change(top) for top in scores["top_logprobs"]]}


def values(change: Callable[[float], float]) -> Callable[[Body], Body]:
    """Change every log probability, of tokens and of alternatives."""

    def of(scores: Body) -> Body:
        return {
            "token_logprobs": [v if v is None else change(v) for v in scores["token_logprobs"]],
            **maps(lambda top: {k: change(v) for k, v in top.items()})(scores),
        }

    return of


def _next(left: Iterator[Body], every: bool) -> list[Body]:
    return list(left) if every else [part for part in [next(left, None)] if part is not None]
