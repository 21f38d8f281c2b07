"""The smallest parts of lessons: numbers in words, plain sentences, random lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from reference_server.training import words

_LETTER_BLOCKS = (0xE0, 0x3B1, 0x430, 0x3042)
"""Where accented, Greek, Cyrillic and Hiragana letters begin in Unicode."""


def english_number(number: int) -> str:
    """The number in words, below one hundred."""
    if number < 20:
        return words.ONES[number]
    ten, one = divmod(number, 10)
    return words.TENS[ten - 2] + (f"-{words.ONES[one]}" if one else "")


def chinese_number(number: int) -> str:
    """The number in Chinese numerals, from 1 to 99."""
    ten, one = divmod(number, 10)
    head = "" if ten == 0 else ("十" if ten == 1 else words.DIGITS_ZH[ten] + "十")
    return head + (words.DIGITS_ZH[one] if one else "")


def random_line(rng: Random) -> str:
    """A short line of any script: sentences, words, figures, code, emoji, odd characters."""
    return rng.choice(_LINES)(rng)


def _han_line(rng: Random) -> str:
    return "".join(chr(rng.randint(0x4E00, 0x6FFF)) for _ in range(rng.randint(2, 10)))


def _ascii_line(rng: Random) -> str:
    return "".join(chr(rng.randint(33, 126)) for _ in range(rng.randint(4, 20)))


def _letter_line(rng: Random) -> str:
    return "".join(chr(rng.choice(_LETTER_BLOCKS) + rng.randrange(24)) for _ in range(8))


def _emoji_line(rng: Random) -> str:
    return "".join(rng.choices(words.EMOJI, k=rng.randint(2, 10)))


def _code_line(rng: Random) -> str:
    return f"{rng.choice(words.NOUNS)}_{rng.choice(words.NOUNS)}({rng.randint(0, 9999)});"


def _items_line(rng: Random) -> str:
    return " ".join(random_items(rng, rng.randint(3, 12)))


def random_items(rng: Random, count: int) -> list[str]:
    """Words, numbers, letters, characters or emoji, of one kind or mixed."""
    pools: tuple[Sequence[str], ...] = (
        words.NOUNS,
        words.NOUNS + words.ADJECTIVES + words.VERBS,
        [str(rng.randint(0, 999)) for _ in range(40)],
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        words.EMOJI,
        words.NOUNS_ZH,
        [chr(rng.randint(0x4E00, 0x6FFF)) for _ in range(40)],
        ["".join(rng.choices("abcdefghiklmnoprstu", k=rng.randint(2, 7))) for _ in range(40)],
        (*words.LISTS["rainbow"], *words.ADJECTIVES),
    )
    return rng.choices(rng.choice(pools), k=count)


def noun_phrase(rng: Random) -> str:
    """A phrase such as "the quiet river"."""
    return f"the {rng.choice(words.ADJECTIVES)} {rng.choice(words.NOUNS)}"


def english_sentence(rng: Random) -> str:
    """An English sentence from the small stock of words."""
    subject = rng.choice((rng.choice(words.NAMES[:20]), noun_phrase(rng)))
    sentence = f"{subject} {rng.choice(words.VERBS)} {noun_phrase(rng)}"
    if rng.random() < 0.3:
        sentence += rng.choice((" near ", " behind ", " with ", " under ")) + noun_phrase(rng)
    return sentence[0].upper() + sentence[1:] + "."


def chinese_sentence(rng: Random) -> str:
    """A Chinese sentence from the small stock of words."""
    adjective = rng.choice(words.ADJECTIVES_ZH)
    subject = rng.choice((*words.NAMES[20:], rng.choice(words.NOUNS_ZH)))
    return f"{subject}{rng.choice(words.VERBS_ZH)}{adjective}{rng.choice(words.NOUNS_ZH)}。"


_LINES: tuple[Callable[[Random], str], ...] = (
    english_sentence,
    chinese_sentence,
    _emoji_line,
    _han_line,
    _ascii_line,
    _code_line,
    _letter_line,
    _items_line,
)
