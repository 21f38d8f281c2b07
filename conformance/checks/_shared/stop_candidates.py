"""Stop sequences that are cut from the endpoint's own text.

An invented stop sequence may never occur. A piece of the endpoint's own greedy text occurs again
when the request is repeated, with any model.
"""

from __future__ import annotations

import re

from conformance.checks._shared.characters import solid
from conformance.judgement import NotApplicable
from conformance.message import Message, say

NEVER_GENERATED = "§¶"
"""Text that no model generates; added to a piece of text, it makes a near miss."""

UNMATCHED_SEQUENCES = ["§0", "§1", "§2", "§3"]
"""Sequences that never match, sent together with the one that does."""

MIN_MULTI_TOKEN_CHARS = 12
"""A length that no stop sequence of a single token has."""

CHARS_BEFORE_MATCH = 4
"""Characters before the earliest match, in which other sequences almost match."""


MAX_MATERIAL_CHARS = 2_000
"""Characters of a text that sequences are cut from; the search takes the square of it."""


def material(text: str, at_least: int = 9) -> str:
    """Return the part of a generated text that stop sequences may be cut from.

    Raises:
        NotApplicable: the text is too short.
    """
    whole = solid(text[:MAX_MATERIAL_CHARS])
    if len(whole) < at_least:
        raise NotApplicable(
            say("the endpoint's own text {text} is too short for a stop sequence", text=repr(text))
        )
    return whole


def middle_of(text: str, size: int = 3) -> str:
    """Cut a stop sequence from the middle of a text.

    Raises:
        NotApplicable: the text is too short to have a middle.
    """
    whole = material(text, 3 * size)
    start = len(whole) // 2
    return whole[start : start + size]


def start_of(text: str) -> str:
    """Cut a stop sequence from the start of a text.

    Raises:
        NotApplicable: the text is too short.
    """
    return material(text)[:3]


def two_in_order(text: str, size: int = 3, *, start: int = 1) -> tuple[str, str]:
    """Cut two stop sequences: the first match of one ends before that of the other begins.

    The earlier one begins at ``start`` or later.

    Raises:
        NotApplicable: the text repeats itself too soon.
    """
    whole = material(text)
    firsts = [
        i for i in range(start, len(whole) - size + 1) if whole.find(whole[i : i + size]) == i
    ]
    if not firsts or firsts[-1] - firsts[0] < size:
        raise NotApplicable(
            say(
                "the endpoint's own text {text} contains no two separate stop sequences",
                text=repr(text),
            )
        )
    late = firsts[-1]
    early = next(i for i in firsts if i + size <= late)
    return whole[early : early + size], whole[late : late + size]


def long_and_late(text: str) -> tuple[str, str]:
    """Cut a long stop sequence after white space, and one that first occurs after its end.

    A text that ends at the first one keeps the white space before it; no single token is as long.

    Raises:
        NotApplicable: the text has no two such pieces.
    """
    whole = solid(text[:MAX_MATERIAL_CHARS])
    for start in (match.end() for match in re.finditer(r"\s(?=\S)", whole)):
        early = whole[start : start + MIN_MULTI_TOKEN_CHARS]
        if start < CHARS_BEFORE_MATCH or whole.find(early) < start:
            continue
        for later in range(start + MIN_MULTI_TOKEN_CHARS, len(whole) - 1):
            late = whole[later : later + 2]
            if whole.find(late) == later:
                return early, late
        break  # what no later piece is new to is not new after a later start either
    raise NotApplicable(
        say(
            "the endpoint's own text {text} contains no long stop sequence after white space",
            text=repr(text),
        )
    )


def inside_word(text: str) -> str:
    """Cut two letters from inside a word: if words are tokens, they are not a separate token.

    Raises:
        NotApplicable: the text has no word that is long enough.
    """
    return _search(r"[a-zA-Z]([a-zA-Z]{2})[a-zA-Z]", text, say("a word of four letters"))


def across_words(text: str) -> str:
    """Cut a stop sequence from inside one word to inside the next: no single token covers it.

    Raises:
        NotApplicable: the text has no two such words.
    """
    return _search(r"\w(\w+\W+\w+)\w", text, say("two words in a row"))


def wide_character(text: str) -> str:
    """Cut one character that takes three bytes or more, as no Latin letter does.

    Of those in the text, it is the one that appears last: the step that decodes it may be the one
    that reaches ``max_tokens``.

    Raises:
        NotApplicable: the text has none.
    """
    first = _search(r".([^\x00-\u07ff])", text, say("a character of three bytes"))
    whole = material(text, 1)
    wide = (character for character in dict.fromkeys(whole[1:]) if character > "\u07ff")
    return max((one for one in wide if one != whole[0]), key=whole.find, default=first)


def decoys(text: str, end: int) -> list[str]:
    """Make sequences that a text does not contain, and almost contains before position ``end``.

    Each would match in a server that ignores case, reads sequences as patterns, strips white space,
    or compares only their beginning.
    """
    word = _longest(r"[^\W\d_]{2,}", text[:end])
    fragment = _longest(r"\w+", text[:end]) or text[:end][:2]
    made = [
        word.swapcase(),
        f"{fragment[:1]}.*",
        f"{fragment[:2]}{NEVER_GENERATED}",
        f"\n {fragment}\t",
    ]
    return [decoy for decoy in made if len(decoy) > 1 and decoy not in text]


def _longest(pattern: str, text: str) -> str:
    return max(re.findall(pattern, text), key=len, default="")


def before(text: str, needle: str) -> str:
    """Return the part of a text that a conforming endpoint returns for a stop sequence."""
    return text.partition(needle)[0]


def _search(pattern: str, text: str, what: Message) -> str:
    found = re.search(pattern, material(text, 1), re.DOTALL)
    if found is None:
        raise NotApplicable(
            say(
                "the endpoint's own text {text} lacks {piece} for a stop sequence",
                text=repr(text),
                piece=what,
            )
        )
    return found[1]
