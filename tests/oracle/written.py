"""From sampled tokens to what a choice has to say: text, entries of `logprobs`, finish, count."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tests.oracle.asked import Asked, Prompt
from tests.oracle.chance import log_probabilities
from tests.oracle.model import Logits
from tests.oracle.vocabulary import Vocabulary, decode, offsets


@dataclass(frozen=True)
class Candidate:
    """The tokens that were sampled after a prompt, and what the model thought of each."""

    prompt: Prompt
    sampled: tuple[int, ...]
    logits: Logits
    """[tokens read and sampled but the last, vocabulary]: row i is about what follows token i."""


@dataclass(frozen=True)
class Entry:
    """A token's place in the four parallel arrays."""

    token: int
    offset: int
    scores: Logits | None
    """[vocabulary] log-probabilities of what could stand here; None where nothing comes before."""


@dataclass(frozen=True)
class Choice:
    """A candidate, written out."""

    text: str
    finish: str
    tokens: int
    """How many were sampled: what is billed."""
    echoed: tuple[Entry, ...]
    sampled: tuple[Entry, ...]

    @property
    def rank(self) -> float:
        """The mean log-probability of the sampled tokens, by which `best_of` chooses."""
        scores = [e.scores[e.token] for e in self.sampled if e.scores is not None]
        return float(np.mean(scores)) if scores else -np.inf


def write(asked: Asked, candidate: Candidate, vocabulary: Vocabulary) -> Choice:
    """What the tokens make; those after a stop sequence are as if never sampled."""
    prompt, sampled = candidate.prompt, candidate.sampled
    before = [vocabulary.spellings[token] for token in prompt.ids]
    after = [b"" if t == vocabulary.end else vocabulary.spellings[t] for t in sampled]
    head = b"".join(before) if asked.echo else b""
    # Only what is generated is searched for stop sequences, a character begun before included.
    known = len(decode(head, final=False))
    text, cut, count = decode(head), None, 0
    for count in range(1, len(sampled) + 1):
        text = decode(head + b"".join(after[:count]), final=count == len(sampled))
        cut = first_stop(text, asked.stop, known)
        if cut is not None:
            break
    ended = cut is not None or vocabulary.end in sampled[:count]
    origin = 0 if asked.echo else len(decode(b"".join(before)))
    places = offsets((before if asked.echo else []) + after[:count])
    entries = [
        Entry(token, origin + place, scores)
        for (token, scores), place in zip(
            _scored(candidate, count, echo=asked.echo), places, strict=True
        )
        if cut is None or place < cut
    ]
    echoed = len(prompt.ids) if asked.echo else 0
    return Choice(
        text=text[:cut],
        finish="stop" if ended else "length",
        tokens=count,
        echoed=tuple(entries[:echoed]),
        sampled=tuple(entries[echoed:]),
    )


def first_stop(text: str, sequences: Sequence[str], start: int) -> int | None:
    """Where the text ends: before the sequence that is complete first, the longest if several."""
    found = [(text.find(s, start) + len(s), -len(s)) for s in sequences if s in text[start:]]
    return sum(min(found)) if found else None


def _scored(candidate: Candidate, count: int, *, echo: bool) -> list[tuple[int, Logits | None]]:
    """Each token, echoed and sampled, with the log-probabilities that it was one of."""
    prompt, sampled = candidate.prompt, candidate.sampled
    scores = log_probabilities(candidate.logits)
    first, end = prompt.start, prompt.start + len(prompt.ids)
    own = list(zip(prompt.ids, [None, *scores[first : end - 1]], strict=True)) if prompt.ids else []
    made = zip(sampled[:count], scores[len(prompt.read) - 1 :][:count], strict=True)
    return (own if echo else []) + list(made)
