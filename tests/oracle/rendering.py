"""From sampled tokens to the expected text, logprobs, finish reason and token count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.oracle.model import Row
from tests.oracle.request import CompletionRequest, Prompt
from tests.oracle.vocabulary import Vocabulary, decode, offsets


@dataclass(frozen=True)
class Candidate:
    """The tokens that were sampled after a prompt, and what the model thought of each."""

    prompt: Prompt
    sampled: tuple[int, ...]
    rows: Sequence[Row]
    """One for each token that was read, then one for each that was sampled."""


@dataclass(frozen=True)
class Entry:
    """A token's place in the four parallel arrays."""

    token: int
    offset: int
    row: Row | None
    """What could stand here; None where nothing comes before that could foretell it."""


@dataclass(frozen=True)
class Choice:
    """A candidate, written out."""

    text: str
    finish: str
    tokens: int
    """How many were sampled: the completion tokens of the usage."""
    echoed: tuple[Entry, ...]
    sampled: tuple[Entry, ...]

    @property
    def rank(self) -> float:
        """The mean log-probability of the sampled tokens, by which `best_of` chooses."""
        scores = [entry.row.scores[entry.token] for entry in self.sampled if entry.row]
        return float(np.mean(scores)) if scores else -np.inf

    @property
    def tolerance(self) -> float:
        """How far a server's mean may be from this one."""
        return max((entry.row.tolerance for entry in self.sampled if entry.row), default=0.0)


def write(request: CompletionRequest, candidate: Candidate, vocabulary: Vocabulary) -> Choice:
    """What the tokens make; those after a stop sequence are as if never sampled."""
    prompt, sampled = candidate.prompt, candidate.sampled
    before = [vocabulary.spellings[token] for token in prompt.ids]
    after = [b"" if t == vocabulary.end else vocabulary.spellings[t] for t in sampled]
    head = b"".join(before) if request.echo else b""
    # Only what is generated is searched for stop sequences, a character begun before included.
    known = len(decode(head, final=False))
    text, cut, count = decode(head), None, 0
    for count in range(1, len(sampled) + 1):
        text = decode(head + b"".join(after[:count]), final=count == len(sampled))
        cut = first_stop(text, request.stop, known)
        if cut is not None:
            break
    ended = cut is not None or vocabulary.end in sampled[:count]
    origin = 0 if request.echo else len(decode(b"".join(before)))
    places = offsets((before if request.echo else []) + after[:count])
    entries = [
        Entry(token, origin + place, row)
        for (token, row), place in zip(_tokens(candidate, count, request), places, strict=True)
    ]
    echoed = len(prompt.ids) if request.echo else 0
    return Choice(
        text=text[:cut],
        finish="stop" if ended else "length",
        tokens=count,
        echoed=tuple(entries[:echoed]),
        sampled=tuple(e for e in entries[echoed:] if cut is None or e.offset < origin + cut),
    )


def first_stop(text: str, sequences: Sequence[str], start: int) -> int | None:
    """Where the text ends: before the sequence that is complete first, the longest if several."""
    found = [(text.find(s, start) + len(s), -len(s)) for s in sequences if s in text[start:]]
    return sum(min(found)) if found else None


def _tokens(
    candidate: Candidate, count: int, request: CompletionRequest
) -> Iterator[tuple[int, Row | None]]:
    """Each token, echoed and sampled, with the row that it was chosen by or could have been."""
    prompt, rows = candidate.prompt, candidate.rows
    if request.echo and prompt.ids:
        before = rows[prompt.start : prompt.start + len(prompt.ids) - 1]
        yield from zip(prompt.ids, [None, *before], strict=True)
    yield from zip(candidate.sampled[:count], rows[len(prompt.read) - 1 :], strict=False)
