"""Compare a response with the expected one, within the tolerance of 32-bit arithmetic."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tests.oracle.model import Row
from tests.oracle.rendering import Candidate, Choice, write
from tests.oracle.request import CompletionRequest
from tests.oracle.vocabulary import Vocabulary, render

Json = Mapping[str, Any]

ENVELOPE = {"id", "object", "created", "model", "system_fingerprint", "choices", "usage"}
CHOICE = {"text", "index", "logprobs", "finish_reason"}
ARRAYS = {"tokens", "token_logprobs", "top_logprobs", "text_offset"}


def check_answer(
    request: CompletionRequest,
    body: Json,
    response: Json,
    candidates: Sequence[Sequence[Candidate]],
    vocabulary: Vocabulary,
) -> None:
    """Check a response; `candidates` are those of each prompt in the order of their generation."""
    counted = not request.stream or request.include_usage
    assert set(response) == (ENVELOPE if counted else ENVELOPE - {"usage"})
    assert response["id"].startswith("cmpl-")
    assert response["object"] == "text_completion"
    assert response["model"] == body["model"]
    assert type(response["created"]) is int
    assert isinstance(response["system_fingerprint"], str)
    given = response["choices"]
    assert [choice["index"] for choice in given] == list(range(len(candidates) * request.n))
    stated = 0
    for place, of_prompt in enumerate(candidates):
        written = [write(request, candidate, vocabulary) for candidate in of_prompt]
        chosen = choose(request, written, given[place * request.n :][: request.n], vocabulary)
        stated += sum(choice.tokens for choice in chosen)
    read = sum(len(prompt.read) for prompt in request.prompts)
    if counted:
        assert response["usage"] == {
            "prompt_tokens": read,
            "completion_tokens": stated,
            "total_tokens": read + stated,
        }


def choose(
    request: CompletionRequest,
    written: Sequence[Choice],
    given: Sequence[Json],
    vocabulary: Vocabulary,
) -> list[Choice]:
    """Which candidates the given choices are: all in order, or the best ones, best first."""
    ranks = [choice.rank for choice in written]
    if request.best_of > request.n:
        ranks.sort(reverse=True)
    left, chosen = list(written), []
    for rank, choice in zip(ranks, given, strict=False):
        equals = [c for c in left if c.rank == rank or abs(c.rank - rank) < c.tolerance]
        if request.best_of == request.n:
            equals = left[:1]
        wrong = [list(differences(request, equal, choice, vocabulary)) for equal in equals]
        assert [] in wrong, f"choice {choice['index']}: {wrong[:1]}"
        chosen.append(equals[wrong.index([])])
        left.remove(chosen[-1])
    return chosen


def differences(
    request: CompletionRequest, expected: Choice, given: Json, vocabulary: Vocabulary
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
    if request.logprobs is None or arrays is None:
        if arrays is not request.logprobs:
            yield f"logprobs is {arrays!r} where {request.logprobs!r} were asked for"
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
            right = scores_agree(entry.row, entry.token, logprob, named, count=request.logprobs)
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
