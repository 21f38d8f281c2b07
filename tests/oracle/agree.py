"""Does an answer say what it must? Every comparison, and how far 32-bit arithmetic excuses it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tests.oracle.asked import Asked
from tests.oracle.model import Row
from tests.oracle.vocabulary import Vocabulary, render
from tests.oracle.written import Candidate, Choice, write

Json = Mapping[str, Any]

ENVELOPE = {"id", "object", "created", "model", "system_fingerprint", "choices", "usage"}
CHOICE = {"text", "index", "logprobs", "finish_reason"}
ARRAYS = {"tokens", "token_logprobs", "top_logprobs", "text_offset"}


def check_answer(
    asked: Asked,
    body: Json,
    answer: Json,
    candidates: Sequence[Sequence[Candidate]],
    vocabulary: Vocabulary,
) -> None:
    """The whole answer; `candidates` are those of each prompt in the order of their generation."""
    counted = not asked.stream or asked.include_usage
    assert set(answer) == (ENVELOPE if counted else ENVELOPE - {"usage"})
    assert answer["id"].startswith("cmpl-")
    assert answer["object"] == "text_completion"
    assert answer["model"] == body["model"]
    assert type(answer["created"]) is int
    assert isinstance(answer["system_fingerprint"], str)
    given = answer["choices"]
    assert [choice["index"] for choice in given] == list(range(len(candidates) * asked.n))
    billed = 0
    for place, of_prompt in enumerate(candidates):
        written = [write(asked, candidate, vocabulary) for candidate in of_prompt]
        chosen = choose(asked, written, given[place * asked.n :][: asked.n], vocabulary)
        billed += sum(choice.tokens for choice in chosen)
    read = sum(len(prompt.read) for prompt in asked.prompts)
    if counted:
        assert answer["usage"] == {
            "prompt_tokens": read,
            "completion_tokens": billed,
            "total_tokens": read + billed,
        }


def choose(
    asked: Asked, written: Sequence[Choice], given: Sequence[Json], vocabulary: Vocabulary
) -> list[Choice]:
    """Which candidates the given choices are: all in order, or the best ones, best first."""
    ranks = [choice.rank for choice in written]
    if asked.best_of > asked.n:
        ranks.sort(reverse=True)
    left, chosen = list(written), []
    for rank, choice in zip(ranks, given, strict=False):
        equals = [c for c in left if c.rank == rank or abs(c.rank - rank) < c.tolerance]
        if asked.best_of == asked.n:
            equals = left[:1]
        wrong = [list(differences(asked, equal, choice, vocabulary)) for equal in equals]
        assert [] in wrong, f"choice {choice['index']}: {wrong[:1]}"
        chosen.append(equals[wrong.index([])])
        left.remove(chosen[-1])
    return chosen


def differences(
    asked: Asked, expected: Choice, given: Json, vocabulary: Vocabulary
) -> Iterator[str]:
    """What a choice says otherwise than it must."""
    if set(given) != CHOICE:
        yield f"there are {', '.join(given)}"
        return
    if given["text"] != expected.text:
        yield f"text is {given['text']!r}, must be {expected.text!r}"
    if given["finish_reason"] != expected.finish:
        yield f"finish_reason is {given['finish_reason']!r}, must be {expected.finish!r}"
    arrays = given["logprobs"]
    if asked.logprobs is None or arrays is None:
        if arrays is not asked.logprobs:
            yield f"logprobs is {arrays!r} where {asked.logprobs!r} were asked for"
        return
    entries = expected.echoed + expected.sampled
    names = [render(vocabulary.spellings[entry.token]) for entry in entries]
    if set(arrays) != ARRAYS or arrays["tokens"] != names:
        yield f"tokens are {arrays['tokens']!r}, must be {names!r}"
        return
    offsets = [entry.offset for entry in entries]
    if arrays["text_offset"] != offsets:
        yield f"text_offset is {arrays['text_offset']!r}, must be {offsets!r}"
    scores = zip(entries, arrays["token_logprobs"], arrays["top_logprobs"], strict=True)
    for place, (entry, logprob, top) in enumerate(scores):
        if entry.row is None:
            right = logprob is None and top is None
        else:
            named = {vocabulary.ids[name]: value for name, value in top.items()}
            right = scores_agree(entry.row, entry.token, logprob, named, count=asked.logprobs)
        if not right:
            yield f"entry {place}, {names[place]!r}, has the scores {logprob!r} and {top!r}"


def scores_agree(
    row: Row, token: int, logprob: float, top: Mapping[int, float], *, count: int
) -> bool:
    """The `count` likeliest and the token itself, each with its log-probability."""
    scores, near = row.scores, row.tolerance
    border = np.sort(scores)[-count] if count else np.inf
    # Of two that are nearly as likely as the last to be named, either may be named.
    must = set(np.flatnonzero(scores > border + near).tolist()) | {token}
    may = set(np.flatnonzero(scores > border - near).tolist()) | {token}
    most = count if scores[token] > border + near else count + 1
    return (
        must <= set(top) <= may
        and count <= len(top) <= most
        and top[token] == logprob
        and all(value <= 0 and abs(value - scores[id_]) < near for id_, value in top.items())
    )
