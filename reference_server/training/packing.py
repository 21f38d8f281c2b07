"""An endless, reproducible stream of training tokens, in shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from reference_server.training import fim, lessons
from reference_server.training.corpus import Document
from reference_server.training.tokenizer import END_OF_TEXT, non_streaming, special


@dataclass(frozen=True, slots=True)
class Mixture:
    """The content of a shard."""

    shares: Mapping[str, float]
    """Shares of the tokens, by kind of text."""
    holes: float
    """Share of the documents with a gap."""
    lessons: lessons.Weights


FULL = Mixture({"lessons": 0.56, "en": 0.26, "zh": 0.18}, 0.4, lessons.WEIGHTS)
FIRST = Mixture({"lessons": 0.84, "en": 0.10, "zh": 0.06}, 0.05, lessons.FIRST_WEIGHTS)
"""Mostly copying: a model that has not learned to attend to earlier text learns little else."""

PASSAGE = {"en": 1400, "zh": 500}
"""Maximum characters in a passage with a gap: its three parts should fit into one window."""


def shard(
    documents: Sequence[Document],
    tokenizer: Tokenizer,
    seed: int,
    tokens: int,
    mixture: Mixture = FULL,
) -> NDArray[np.uint16]:
    """`tokens` token ids: whole documents in random order, each closed by end-of-text.

    The last one may be cut. The same arguments give the same shard.
    """
    rng = Random(seed)
    streams = {
        "lessons": lessons.stream(rng.randrange(2**32), mixture.lessons),
        "en": _texts([d.text for d in documents if d.language == "en"], rng),
        "zh": _texts([d.text for d in documents if d.language == "zh"], rng),
    }
    shares = mixture.shares
    written = dict.fromkeys(mixture.shares, 0)
    end = special(tokenizer, END_OF_TEXT)
    packed: list[int] = []
    while len(packed) < tokens:
        kind = min(shares, key=lambda name: written[name] / shares[name])
        # Lessons are short: a handful at a time keeps them together without crowding out prose.
        for text in islice(streams[kind], 6 if kind == "lessons" else 1):
            ids = _encode(text, kind, tokenizer, rng, mixture.holes)
            packed += [*ids, end]
            written[kind] += len(ids) + 1
    return np.asarray(packed[:tokens], dtype=np.uint16)


def _encode(text: str, kind: str, tokenizer: Tokenizer, rng: Random, holes: float) -> list[int]:
    if rng.random() >= holes:
        return non_streaming(tokenizer, text)
    if kind in PASSAGE and len(text) > PASSAGE[kind]:
        start = rng.randrange(len(text) - PASSAGE[kind])
        text = text[start : start + PASSAGE[kind]]
    return fim.encode(fim.cut(text, rng), tokenizer)


def _texts(texts: list[str], rng: Random) -> Iterator[str]:
    """Every text once in a random order, then again in another."""
    while True:
        rng.shuffle(texts)
        yield from texts
