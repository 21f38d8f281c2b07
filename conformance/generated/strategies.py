"""What is drawn: two prompts, and what is asked beside them, weighted to where endpoints err.

Every draw is made of booleans. Hypothesis mixes into its numbers and texts what it reads in the
modules that happen to be loaded, so that one seed would draw this in a run and that in a plan.

The prompts are drawn first in every case. So all properties of a run draw the same two, and their
answers are asked for once. Each repeats a piece: any language model copies that, with a wide lead
of the best token over the next, and greedy answers to it are steady.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

TIMES = 3
"""How often a prompt repeats its piece."""

# fmt: off
NARROW = (
    "A", "No", "B2", "Red", "X7,", "The", "X=1;", "<B>",
    '"Q"', "\\N", "{A}", "It's", "%2F", "A.", "#5F", "0X",
)
"""Pieces in ASCII: a capital in each, numbers, and what escaping gets wrong."""

WIDE = (
    "好", "一二", "é", "中文", "🍎", "日本", "e\u0301", "Ж",
    "🌸🌙", "ñ1", "م", "👩\u200d🚀", "한국", "ก็", "𝒳", "🇨🇳",
)
"""Pieces of two, three and four bytes a character: several scripts, combining marks, emoji that are
joined from several, letters that run from right to left or lie beyond the first plane."""
# fmt: on

BLANKS = (" ", "\n", "\t", "  ", "\r\n", ", ", " - ", ".\n")
"""What stands around a piece in ASCII: white space, at both ends of the prompt too."""

MARKS = ("", "\u3000", "，", "\n", " ", "、", "\r\n", "。")
"""What follows a wider piece, with the blank and the points of Chinese."""

HIDDEN = ("", "\u200b", "\x01", "\x7f")
"""What stands before the first wider piece: what has no width, and control characters."""

LIMITS = (5, 4, 6, 5)
"""Tokens of an answer: a character takes up to four, and shows only when it is whole."""

USERS = ("u", "用户 🍎", "a\u0301", " ", "\x01", '"; --', "0", "x" * 64)
"""Names of users, such as careless code would stumble over."""

SEEDS = (1, 0, -1, 2**31, 2**32 + 1, 2**63 - 1, -(2**31), 20_240_229)
"""Seeds at the ends of the usual integers, and those that can be taken for none."""

IDS = (500, 300, 400, 600, 700, 800, 900, 1000)
"""Ids of ordinary pieces of text in every usual vocabulary."""

EIGHTHS = tuple(range(8))
"""Places in a text whose length is not known yet, in eighths of it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a property asks about: a prompt in ASCII, one in wider characters, tokens to answer."""

    narrow: str
    wide: str
    limit: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A scene, and which stop sequence is cut from its answers.

    Attributes:
        scene: what is answered.
        place: where the sequence begins, in eighths of the answer.
        length: of the sequence, in characters, where the answer is as long.
        decoys: how many sequences that never occur are sent before it.
    """

    scene: Scene
    place: int
    length: int
    decoys: int


def one_of(options: Sequence[T]) -> SearchStrategy[T]:
    """Draw one of some options, the first being the simplest."""
    from hypothesis import strategies as st

    bits = max(1, (len(options) - 1).bit_length())

    def chosen(drawn: tuple[bool, ...]) -> T:
        return options[sum(bit << place for place, bit in enumerate(drawn)) % len(options)]

    return st.tuples(*[st.booleans()] * bits).map(chosen)


def prompts(
    pieces: Sequence[str], behind: Sequence[str], before: Sequence[str]
) -> SearchStrategy[str]:
    """Draw a prompt that repeats a piece, with something behind each and before the first."""
    from hypothesis import strategies as st

    drawn = st.tuples(one_of(pieces), one_of(behind), one_of(before))
    return drawn.map(lambda it: it[2] + (it[0] + it[1]) * TIMES)


def scenes() -> SearchStrategy[Scene]:
    """Draw what all properties of a run ask about."""
    from hypothesis import strategies as st

    narrow = prompts(NARROW, BLANKS, BLANKS)
    return st.builds(Scene, narrow, prompts(WIDE, MARKS, HIDDEN), one_of(LIMITS))


def scenes_with(values: Sequence[T]) -> SearchStrategy[tuple[Scene, T]]:
    """Draw a scene, and the value of a parameter."""
    from hypothesis import strategies as st

    return st.tuples(scenes(), one_of(values))


def cuts() -> SearchStrategy[Cut]:
    """Draw a scene, and which stop sequence is cut from its answers."""
    from hypothesis import strategies as st

    return st.builds(Cut, scenes(), one_of(EIGHTHS), one_of((1, 2, 3, 4)), one_of((0, 1, 2, 3)))
