"""Whether a text has the characters of its tokens, where some of those are unknown.

A server that cannot write a part of a character leaves its token empty or puts U+FFFD there. Token
ids in a prompt, and sampling, can produce such parts without a whole character around them, so a
broken character in a text is a fault only where the tokens show a whole one in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from conformance.checks._shared.characters import (
    CONTROL_TOKEN,
    REPLACEMENT,
    has_broken_character,
    join_tokens,
    solid,
    token_bytes,
)

_BROKEN = re.compile(f"[{REPLACEMENT}\ud800-\udfff]+")


def spell(tokens: Sequence[str], text: str, *, to_the_end: bool) -> bool:
    """Return whether tokens spell a text, as far as both are whole characters.

    An empty token may stand for a character or for nothing.

    Args:
        tokens: as ``logprobs.tokens`` lists them.
        text: the text of the same choice.
        to_the_end: whether neither may go on where the other ends.
    """
    known = all(REPLACEMENT not in token for token in tokens)
    lost = not all(tokens) and text != solid(text)  # where an empty token is broken in the text
    to_the_end = to_the_end and known and not lost
    text, ends = solid(text), {0}
    for blanks, part in _parts(tokens):
        starts = {end + more for end in ends for more in range(blanks + 1)}
        if not to_the_end and any(part.startswith(text[start:]) for start in starts):
            return True
        ends = {start + len(part) for start in starts if text.startswith(part, start)}
        if not ends:
            return False
    return not to_the_end or len(text) in ends


def _parts(tokens: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the text of tokens in a row, and how many empty tokens are before it.

    It ends before the first incomplete character.
    """
    blanks, row = 0, list[str]()
    for token in (*tokens, ""):
        if token:
            row.append(token)
            continue
        joined, known = join_tokens(row)
        if row:
            yield blanks, solid(joined)
            blanks, row = 0, []
            if not known or REPLACEMENT in joined:
                return
        blanks += 1
    if blanks > 1:
        yield blanks - 1, ""


def is_broken_in(text: str, tokens: Sequence[str]) -> bool:
    """Return whether a text has a broken character where its tokens have a whole one.

    Whole is what they show: a character beyond ASCII. Nothing is known of a character whose tokens
    are empty or have U+FFFD, and of control tokens, which texts do not show.
    """
    text = CONTROL_TOKEN.sub("", text)
    if not has_broken_character(text):
        return False
    parts = [CONTROL_TOKEN.sub("", part) for part in _known(tokens)]
    if _in_order(parts, text):
        return False
    joined, end = REPLACEMENT.join(parts), 0
    fragments = _BROKEN.split(text)
    if not joined.startswith(fragments[0]):
        return False
    end = len(fragments[0])
    for fragment in filter(None, fragments[1:]):
        start = joined.find(fragment, end)
        if start < 0:
            return False
        if _has_character(joined[end:start]):
            return True
        end = start + len(fragment)
    # The limit may have cut the last character, unless more is broken than one.
    return not fragments[-1] and has_broken_character(text[end:]) and _has_character(joined[end:])


def _known(tokens: Sequence[str]) -> list[str]:
    """Return the whole characters of tokens in a row, split where some are unknown."""
    raw = b"".join(b"\xff" if (known := token_bytes(t)) is None else known for t in tokens)
    written = raw.decode("utf-8", errors="replace")
    return [part for part in written.split(REPLACEMENT) if part]


def _in_order(parts: Sequence[str], text: str) -> bool:
    end = 0
    for part in parts:
        start = text.find(part, end)
        if start < 0:
            return False
        end = start + len(part)
    return True


def _has_character(gap: str) -> bool:
    return any(not c.isascii() for c in gap.replace(REPLACEMENT, ""))
