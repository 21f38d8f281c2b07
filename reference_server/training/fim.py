"""Fill in the middle: a document with a gap, encoded as prefix, suffix, middle."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tokenizers import Tokenizer

from reference_server.training.tokenizer import (
    END_OF_TEXT,
    FIM_MIDDLE,
    FIM_PREFIX,
    FIM_SUFFIX,
    non_streaming,
    special,
)

SHORT_MIDDLE = 24
"""Characters: half of the gaps are at most this long, so that the suffix nearly determines them."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A text in three parts; `prefix + middle + suffix` is the text."""

    prefix: str
    middle: str
    suffix: str


def cut(text: str, rng: Random) -> Hole:
    """Cut `text` at two random characters; any part may be empty."""
    if rng.random() < 0.5:
        first = rng.randint(0, len(text))
        last = min(len(text), first + rng.randint(1, SHORT_MIDDLE))
    else:
        first, last = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
    return Hole(text[:first], text[first:last], text[last:])


def prompt(hole: Hole, tokenizer: Tokenizer) -> list[int]:
    """The model's input, as token ids: everything but the middle."""
    return [
        special(tokenizer, FIM_PREFIX),
        *non_streaming(tokenizer, hole.prefix),
        special(tokenizer, FIM_SUFFIX),
        *non_streaming(tokenizer, hole.suffix),
        special(tokenizer, FIM_MIDDLE),
    ]


def encode(hole: Hole, tokenizer: Tokenizer) -> list[int]:
    """The whole example, without the end-of-text that follows every document."""
    return prompt(hole, tokenizer) + non_streaming(tokenizer, hole.middle)


def join(ids: list[int], tokenizer: Tokenizer) -> Hole:
    """Undo `encode`; raises `ValueError` if a marker is missing."""
    if ids and ids[-1] == special(tokenizer, END_OF_TEXT):
        ids = ids[:-1]
    suffix = ids.index(special(tokenizer, FIM_SUFFIX))
    middle = ids.index(special(tokenizer, FIM_MIDDLE))
    parts = ids[1:suffix], ids[middle + 1 :], ids[suffix + 1 : middle]
    return Hole(*(tokenizer.decode(part) for part in parts))
