"""Gaps in held-out texts, and how likely the model fills them correctly."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.reference_server.api import Api

FOLDER = Path(__file__).parent / "held_out"
HOLES = 3
"""In every text."""


@dataclass(frozen=True)
class Hole:
    """A text cut in three."""

    before: str
    middle: str
    after: str


@dataclass(frozen=True)
class Likelihood:
    """Log-probability of a middle in nats, and over how many tokens."""

    nats: float
    tokens: int


def holes(language: str, seed: int = 0) -> list[tuple[Hole, ...]]:
    """For each text of a language the same few holes of 4 to 16 characters, placed by chance."""
    texts = (FOLDER / f"{language}.txt").read_text("utf-8").rstrip("\n").split("\n%\n")
    rng = random.Random(seed)
    return [tuple(_cut(text, rng)) for text in texts]


def _cut(text: str, rng: random.Random) -> Iterator[Hole]:
    for _ in range(HOLES):
        start = rng.randint(20, len(text) - 30)
        end = start + rng.randint(4, 16)
        yield Hole(text[:start], text[start:end], text[end:])


def with_foreign_endings(texts: Sequence[tuple[Hole, ...]]) -> list[tuple[Hole, ...]]:
    """Every hole with what comes after a hole of the next text."""
    return [
        tuple(replace(hole, after=other.after) for hole, other in zip(own, foreign, strict=True))
        for own, foreign in zip(texts, [*texts[1:], texts[0]], strict=True)
    ]


def spelled_out(hole: Hole) -> str:
    """What the model reads for ``prompt`` and ``suffix``, and the middle after it."""
    head = f"<|fim_prefix|>{hole.before}<|fim_suffix|>{hole.after}<|fim_middle|>"
    return head + hole.middle


def likelihoods(api: Api, found: Sequence[Hole]) -> list[Likelihood]:
    """Of every gap's middle, from `echo` with `logprobs` for prompts with infilling tokens."""
    prompts = [spelled_out(hole) for hole in found]
    response = api.complete(prompt=prompts, max_tokens=0, echo=True, logprobs=0)
    scored = []
    for hole, prompt, choice in zip(found, prompts, response["choices"], strict=True):
        scores, start = choice["logprobs"], len(prompt) - len(hole.middle)
        pairs = zip(scores["text_offset"], scores["token_logprobs"], strict=True)
        middle = [logprob for offset, logprob in pairs if offset >= start]
        scored.append(Likelihood(sum(middle), len(middle)))
    return scored


def mean(scored: Sequence[Likelihood]) -> float:
    """Nats per token."""
    return sum(one.nats for one in scored) / sum(one.tokens for one in scored)


def sign_test(differences: Sequence[float]) -> float:
    """How likely as many are above zero if each were as likely below (one-sided, exact)."""
    count, above = len(differences), sum(difference > 0 for difference in differences)
    return sum(math.comb(count, k) for k in range(above, count + 1)) / 2**count
