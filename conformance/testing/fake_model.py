"""A toy language model: a tokenizer of words and bytes, and a pure prediction function.

The model continues a count, repeats a repetition, and otherwise picks words by a checksum of the
context. The best token leads by at least 1.5 nats: enough for greedy responses to be deterministic,
and little enough for penalties to change them.
"""

from __future__ import annotations

import math
import random
import re
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

WORDS = tuple(
    re.findall(
        r"\w+",
        """
        red green blue white black old new small great first last long short good early late water
        stone river house tree field road light night morning sun moon wind rain snow bird fish
        horse dog cat king queen child friend book word song story name hand eye heart voice door
        window table bread apple salt gold iron wood fire earth sea ship bridge garden wall and
        of to in is was with for on at by from as but or that this then there when where while
        """,
    )
)

NUMBERS = 1000
FIRST_NUMBER = 256  # below are the bytes
FIRST_WORD = FIRST_NUMBER + NUMBERS
FIRST_FILLER = FIRST_WORD + len(WORDS)
PREFIX, SUFFIX, MIDDLE, END_OF_TEXT = range(50_253, 50_257)
SIZE = END_OF_TEXT + 1
COMMA = ord(",")

FLOOR = -30.0
"""The logit of all other tokens."""
HEIGHT = 3.0
"""How much higher the logits are than the scores, which only penalties that scale them see."""
BANNED = -1e9
"""The logit of tokens that must not be sampled."""
LEAD = 1.5
"""Minimum logit difference between the best token and the next; it depends on the context."""
ALTERNATIVES = 24
"""Number of tokens with a logit above the floor."""
REPETITION_TOKENS = 256
"""Number of previous tokens in which the model looks for a repetition."""
TEXT_END_TOKENS = 401
"""The model ends a text if its length in tokens is one less than a multiple of this."""
CLOSING = "The end."
"""The model ends a text behind these words, too."""

_WORD_IDS = {f" {word}".encode(): FIRST_WORD + i for i, word in enumerate(WORDS)}
_NUMBER_IDS = {f" {number}".encode(): FIRST_NUMBER + number for number in range(NUMBERS)}
_PIECES = re.compile(rb" w[0-9]+| [0-9]+| [a-z]+|.", re.DOTALL)
_SECOND_BYTES = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}


def encode(text: str) -> list[int]:
    """Tokenize a text; lone surrogates are kept as their bytes."""
    ids: list[int] = []
    for match in _PIECES.finditer(text.encode("utf-8", errors="surrogatepass")):
        fragment = match.group()
        known = _WORD_IDS.get(fragment) or _NUMBER_IDS.get(fragment) or _filler(fragment)
        ids.extend(fragment if known is None else (known,))
    return ids


def _filler(fragment: bytes) -> int | None:
    """Return the id of a filler token, whose text is `` w`` and its id; None for other text."""
    if not fragment.startswith(b" w") or not fragment[2:].isdigit():
        return None
    number = int(fragment[2:])
    fills = FIRST_FILLER <= number < PREFIX and fragment == f" w{number}".encode()
    return number if fills else None


_CLOSING_IDS = tuple(encode(CLOSING))


def token_text(token: int) -> bytes:
    """Return the bytes of a token; empty for control tokens."""
    if token < FIRST_NUMBER:
        return bytes([token])
    if token < FIRST_WORD:
        return f" {token - FIRST_NUMBER}".encode()
    if token < FIRST_FILLER:
        return f" {WORDS[token - FIRST_WORD]}".encode()
    return f" w{token}".encode() if token < PREFIX else b""


def decode(tokens: Iterable[int]) -> bytes:
    """Return the bytes of a sequence of tokens."""
    return b"".join(map(token_text, tokens))


@dataclass(frozen=True)
class Distribution:
    """A distribution of the next token; tokens without an entry have the logit :data:`FLOOR`."""

    scores: Mapping[int, float]

    @cached_property
    def _normalizer(self) -> float:
        rest = (SIZE - len(self.scores)) * math.exp(FLOOR)
        return math.log(sum(map(math.exp, self.scores.values())) + rest)

    def logprob(self, token: int) -> float:
        """Return a token's log probability in nats."""
        return min(0.0, self.scores.get(token, FLOOR) - self._normalizer)

    def top(self, count: int) -> list[int]:
        """Return the ``count`` most probable tokens, the best first."""
        return sorted(self.scores, key=lambda token: (-self.scores[token], token))[:count]

    def shifted(self, shifts: Mapping[int, float]) -> Distribution:
        """Return the distribution with ``shifts`` added to the logits of some tokens."""
        moved = dict(self.scores)
        for token, shift in shifts.items():
            moved[token] = moved.get(token, FLOOR) + shift
        return Distribution(moved)

    def penalised(self, tokens: Iterable[int], penalty: float) -> Distribution:
        """Return the distribution with a repetition penalty on the logits of some tokens."""
        moved = dict(self.scores)
        for token in set(tokens):
            logit = moved.get(token, FLOOR) + HEIGHT
            moved[token] = (logit / penalty if logit > 0 else logit * penalty) - HEIGHT
        return Distribution(moved)

    def without(self, tokens: Iterable[int]) -> Distribution:
        """Return the distribution in which some tokens have no probability."""
        return Distribution({**self.scores, **dict.fromkeys(tokens, BANNED)})

    def sample(
        self,
        temperature: float,
        top_p: float,
        rng: random.Random,
        *,
        top_k: int = 0,
        min_p: float = 0.0,
    ) -> int:
        """Sample a token; at temperature 0 return the best one.

        ``top_k`` below 1 keeps all tokens, and so do ``min_p`` 0 and ``top_p`` 1.
        """
        ranked = self.top(len(self.scores))
        best = self.scores[ranked[0]]
        if temperature == 0:
            return ranked[0]
        weights = [math.exp((self.scores[token] - best) / temperature) for token in ranked]
        rest = (SIZE - len(ranked)) * math.exp((FLOOR - best) / temperature)
        mass = sum(weights) + rest
        kept, covered = 0, 0.0
        most = sum(weight >= min_p for weight in weights)
        most = min(most, top_k) if top_k > 0 else most
        while kept < most and (kept == 0 or covered < top_p * mass):
            covered += weights[kept]
            kept += 1
        narrows = top_p < 1 or top_k > 0 or min_p > 0
        drawn = rng.random() * (covered if narrows else mass)
        for token, weight in zip(ranked[:kept], weights, strict=False):
            drawn -= weight
            if drawn < 0:
                return token
        # The sample is in the tail, or beyond the sum because of rounding.
        return ranked[kept - 1] if narrows else rng.randrange(FIRST_FILLER, PREFIX)


def predict(context: Sequence[int]) -> Distribution:
    """Return the distribution of the next token."""
    checksum = zlib.crc32(array("l", context).tobytes())
    open_bytes = _continuation(context)
    if open_bytes is not None:
        low, high = open_bytes
        size = high - low + 1
        likely = [low + (checksum + i) % size for i in range(min(ALTERNATIVES, size))]
    else:
        likely = [FIRST_WORD + (checksum + 7 * i) % len(WORDS) for i in range(ALTERNATIVES)]
    lead = LEAD + checksum % 100 / 500
    scores = {token: -lead - 0.2 * i for i, token in enumerate(likely)}
    if open_bytes is None:
        closes = len(context) % TEXT_END_TOKENS == TEXT_END_TOKENS - 1 or _is_closed(context)
        scores[END_OF_TEXT] = LEAD if closes else -6.0
    follower = _follower(context)
    scores[likely[0] if follower is None else follower] = 0.0
    return Distribution(scores)


def _is_closed(context: Sequence[int]) -> bool:
    return tuple(context[-len(_CLOSING_IDS) :]) == _CLOSING_IDS


def _follower(context: Sequence[int]) -> int | None:
    """Return the token that continues a count or a repetition, or None.

    A fill-in-the-middle prompt continues neither.
    """
    if MIDDLE in context:
        return None
    if len(context) >= 2:
        before, last = context[-2:]
        if last == COMMA and FIRST_NUMBER <= before < FIRST_WORD - 1:
            return before + 1
        if before == COMMA and FIRST_NUMBER <= last < FIRST_WORD:
            return COMMA
    return _repeated(context)


def _repeated(context: Sequence[int]) -> int | None:
    """Return the token after the longest earlier occurrence of the last two or more tokens."""
    best, follower = 1, None
    for end in range(len(context) - 1, max(1, len(context) - REPETITION_TOKENS), -1):
        length = 0
        while length < min(8, end) and context[end - 1 - length] == context[-1 - length]:
            length += 1
        if length > best and context[end] < PREFIX:
            best, follower = length, context[end]
    return follower


def _continuation(context: Sequence[int]) -> tuple[int, int] | None:
    """Return the range of valid next bytes inside a UTF-8 sequence, or None between characters."""
    for back, token in enumerate(reversed(context[-3:])):
        if token >= 0xC0:
            width = 4 if token >= 0xF0 else 3 if token >= 0xE0 else 2
            if token > 0xF4 or back + 1 >= width:
                return None
            return _SECOND_BYTES.get(token, (0x80, 0xBF)) if back == 0 else (0x80, 0xBF)
        if token < 0x80:
            return None
    return None
