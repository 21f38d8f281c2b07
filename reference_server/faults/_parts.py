"""What several areas rewrite: the parts of streams, and the arrays of log probabilities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from reference_server.behaviour.builders import chunks
from reference_server.behaviour.messages import Body
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import EVERYWHERE, Modifier

IN_STREAMS = EVERYWHERE - {Modifier.STREAM, Modifier.NON_STREAMING}
"""The modifiers of what shows in streams alone."""

IN_EVENTS = IN_STREAMS - {Modifier.SECOND_CHOICE}
"""The modifiers of what shows in a stream's bytes, which belong to no choice."""


def parts(change: Callable[[Body], Body]) -> Rewrite:
    """What chunks add to their choices is other: one part at a time."""
    return chunks(
        lambda _, sent: [{**c, "choices": [change(part) for part in c["choices"]]} for c in sent]
    )


def of_each_choice(change: Callable[[Body, list[Body]], list[Body]]) -> Rewrite:
    """What chunks add to one choice is other: ``(asked, parts)``.

    Each part takes the place of an old one; what is left over follows the last of them.
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
    """Sort a stream's parts by the choice they belong to."""
    own: dict[int, list[Body]] = {}
    for part in (part for chunk in sent for part in chunk["choices"]):
        own.setdefault(part["index"], []).append(part)
    return own


def maps(change: Callable[[Body], Body]) -> Callable[[Body], Body]:
    """The alternatives at every position are others; for the arrays of one choice."""
    return lambda scores: {"top_logprobs": [top and change(top) for top in scores["top_logprobs"]]}


def values(change: Callable[[float], float]) -> Callable[[Body], Body]:
    """Every log probability is another, of tokens and of alternatives."""

    def of(scores: Body) -> Body:
        return {
            "token_logprobs": [v if v is None else change(v) for v in scores["token_logprobs"]],
            **maps(lambda top: {k: change(v) for k, v in top.items()})(scores),
        }

    return of


def _next(left: Iterator[Body], every: bool) -> list[Body]:
    return list(left) if every else [part for part in [next(left, None)] if part is not None]
