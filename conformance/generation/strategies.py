"""Hypothesis strategies: two prompts, and further values, weighted to where endpoints fail.

Every value is built from booleans. Hypothesis mixes constants from the loaded modules into its own
numbers and texts, so one seed would give other values in a run than in a plan.

The prompts come first in every strategy. All properties of a run therefore get the same two, and
their responses are requested once. Each prompt repeats a piece of text: any language model copies
it, the best token leads by far, and greedy responses are steady.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

REPETITIONS = 3
"""How often a prompt repeats its piece."""

# fmt: off
NARROW = (
    "A", "No", "B2", "Red", "X7,", "The", "X=1;", "<B>",
    '"Q"', "\\N", "{A}", "It's", "%2F", "A.", "#5F", "0X",
)
"""Pieces in ASCII: capitals, numbers, and characters that need escaping."""

WIDE = (
    "好", "一二", "é", "中文", "🍎", "日本", "e\u0301", "Ж",
    "🌸🌙", "ñ1", "م", "👩\u200d🚀", "한국", "ก็", "𝒳", "🇨🇳",
)
"""Pieces with characters of two, three and four UTF-8 bytes: several scripts, combining marks,
joined emoji, right-to-left letters, and letters outside the Basic Multilingual Plane."""
# fmt: on

BLANKS = (" ", "\n", "\t", "  ", "\r\n", ", ", " - ", ".\n")
"""Separators around an ASCII piece: white space, also at both ends of the prompt."""

MARKS = ("", "\u3000", "，", "\n", " ", "、", "\r\n", "。")
"""Separators after a wide piece, including Chinese spaces and punctuation."""

HIDDEN = ("", "\u200b", "\x01", "\x7f")
"""Characters before the first wide piece: zero-width and control characters."""

TOKEN_LIMITS = (5, 4, 6, 5)
"""Values of ``max_tokens``: a character takes up to four tokens, and partial ones do not show."""

USERS = ("u", "用户 🍎", "a\u0301", " ", "\x01", '"; --', "0", "x" * 64)
"""Values of ``user`` that are likely to break careless code."""

SEEDS = (1, 0, -1, 2**31, 2**32 + 1, 2**63 - 1, -(2**31), 20_240_229)
"""Values of ``seed`` at the limits of integer types, and values that look like no seed."""

IDS = (500, 300, 400, 600, 700, 800, 900, 1000)
"""Token ids that are ordinary text in every common vocabulary."""

EIGHTHS = tuple(range(8))
"""Positions in a text of unknown length, in eighths of it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The base of a property's requests.

    Attributes:
        narrow: a prompt in ASCII.
        wide: a prompt with characters beyond ASCII.
        limit: ``max_tokens``.
    """

    narrow: str
    wide: str
    limit: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A scene, and the stop sequence to cut from its responses.

    Attributes:
        scene: the prompts.
        place: where the sequence begins, in eighths of the response text.
        length: characters of the sequence, fewer at the end of the text.
        decoys: how many sequences that never occur are sent before it.
    """

    scene: Scene
    place: int
    length: int
    decoys: int


def one_of(options: Sequence[T]) -> SearchStrategy[T]:
    """Return a strategy for one of some options; it shrinks to the first."""
    from hypothesis import strategies as st

    bits = max(1, (len(options) - 1).bit_length())

    def chosen(drawn: tuple[bool, ...]) -> T:
        return options[sum(bit << place for place, bit in enumerate(drawn)) % len(options)]

    return st.tuples(*[st.booleans()] * bits).map(chosen)


def prompts(
    fragments: Sequence[str], behind: Sequence[str], before: Sequence[str]
) -> SearchStrategy[str]:
    """Return a strategy for prompts: ``before``, then a piece and ``behind``, repeated."""
    from hypothesis import strategies as st

    drawn = st.tuples(one_of(fragments), one_of(behind), one_of(before))
    return drawn.map(lambda it: it[2] + (it[0] + it[1]) * REPETITIONS)


def scenes() -> SearchStrategy[Scene]:
    """Return the strategy that all properties of a run share."""
    from hypothesis import strategies as st

    narrow = prompts(NARROW, BLANKS, BLANKS)
    return st.builds(Scene, narrow, prompts(WIDE, MARKS, HIDDEN), one_of(TOKEN_LIMITS))


def scenes_with(values: Sequence[T]) -> SearchStrategy[tuple[Scene, T]]:
    """Return a strategy for a scene and one of some values."""
    from hypothesis import strategies as st

    return st.tuples(scenes(), one_of(values))


def cuts() -> SearchStrategy[Cut]:
    """Return a strategy for a scene and the stop sequence to cut from its responses."""
    from hypothesis import strategies as st

    return st.builds(Cut, scenes(), one_of(EIGHTHS), one_of((1, 2, 3, 4)), one_of((0, 1, 2, 3)))
