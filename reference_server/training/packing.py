"""An endless, repeatable stream of training tokens, made shard by shard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from reference_server.training import fim, lessons
from reference_server.training.corpus import Document
from reference_server.training.tokenizer import END_OF_TEXT, plain, special

SHARES = {"lessons": 0.40, "en": 0.36, "zh": 0.24}
"""Parts of the tokens."""

FIM_SHARE = 0.45
"""Part of the documents that are told with a hole."""

PASSAGE = {"en": 1400, "zh": 500}
"""Most characters in a passage with a hole: its three parts should meet within one window."""


def shard(
    documents: Sequence[Document], tokenizer: Tokenizer, seed: int, tokens: int
) -> NDArray[np.uint16]:
    """`tokens` token ids: whole documents in random order, each closed by end-of-text.

    The last one may be cut. The same arguments give the same shard.
    """
    rng = Random(seed)
    streams = {
        "lessons": lessons.stream(rng.randrange(2**32)),
        "en": _texts([d.text for d in documents if d.language == "en"], rng),
        "zh": _texts([d.text for d in documents if d.language == "zh"], rng),
    }
    written = dict.fromkeys(SHARES, 0)
    end = special(tokenizer, END_OF_TEXT)
    packed: list[int] = []
    while len(packed) < tokens:
        kind = min(SHARES, key=lambda name: written[name] / SHARES[name])
        # Lessons are short: a handful at a time keeps them together without crowding out prose.
        for text in islice(streams[kind], 6 if kind == "lessons" else 1):
            ids = _encode(text, kind, tokenizer, rng)
            packed += [*ids, end]
            written[kind] += len(ids) + 1
    return np.asarray(packed[:tokens], dtype=np.uint16)


def _encode(text: str, kind: str, tokenizer: Tokenizer, rng: Random) -> list[int]:
    if rng.random() >= FIM_SHARE:
        return plain(tokenizer, text)
    if kind in PASSAGE and len(text) > PASSAGE[kind]:
        start = rng.randrange(len(text) - PASSAGE[kind])
        text = text[start : start + PASSAGE[kind]]
    return fim.encode(fim.cut(text, rng), tokenizer)


def _texts(texts: list[str], rng: Random) -> Iterator[str]:
    """Every text once in a random order, then again in another."""
    while True:
        rng.shuffle(texts)
        yield from texts
