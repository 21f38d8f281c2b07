"""Texts that are changed on their way are told once: by their tokens, not by each echo as well.

The tokens of an answer say what its text was before somebody rewrote it, as a relay that drops
emoji or folds blanks. If the echo of a prompt is changed in the same kind of characters, it is the
same rewriting.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from conformance.checks._shared.characters import join_tokens
from conformance.engine.attribution.evidence import Evidence, explained, is_as_grave
from conformance.judgement import Judgement
from conformance.message import say
from conformance.model import Explanation, Finding, Place
from conformance.protocol.trace import RecordedExchange

OWNERS = ("logprobs-arrays.tokens-join-to-text", "streaming.logprobs-as-plain")

END, WHITE, WIDE, PLAIN = "end", "white space", "beyond ASCII", "other characters"

MAX_CHARS = 2_000
"""Characters of a text that are compared; the time grows with their square."""

Pair = tuple[str, str]
"""A text as it was, and as it came."""


def text_is_changed(evidence: Evidence, finding: Finding) -> Explanation | None:
    """Return the finding that texts are not those of their tokens, for echoes changed alike."""
    if finding.place is not Place.ECHO:
        return None
    ours = (pair for one in evidence.judged_by(finding) for pair in _echoes(one))
    changed = {kind for pair in ours for kind in _kinds_of(pair)}
    for owner in evidence.about(*OWNERS) if changed else ():
        if owner.place is not Place.TOKENS or not is_as_grave(owner, finding):
            continue
        theirs = (pair for one in evidence.judged_by(owner) for pair in _texts(one))
        if changed <= {kind for pair in theirs for kind in _kinds_of(pair)}:
            return explained(owner, say("the text of every answer is changed in this way"))
    return None


def _echoes(exchange: RecordedExchange) -> Iterator[Pair]:
    """Yield the prompts of an answer with echo, and the beginnings of its texts."""
    try:
        request, numbered = exchange.request, exchange.numbered
        prompts, is_empty = request.prompts, request.raw.get("max_tokens") == 0
        pairs = [(prompts[number], choice.text) for number, choice in numbered]
    except (Judgement, IndexError):
        return
    for prompt, text in pairs:
        if isinstance(prompt, str) and not text.startswith(prompt):
            yield prompt, text if is_empty else _beginning_like(text, prompt)


def _beginning_like(text: str, prompt: str) -> str:
    """Return the part of a text that ends where the last part in common with a prompt does."""
    blocks = SequenceMatcher(None, prompt[:MAX_CHARS], text[:MAX_CHARS], autojunk=False)
    end = max(
        (block.b + block.size for block in blocks.get_matching_blocks() if block.size), default=0
    )
    return text[:end]


def _texts(exchange: RecordedExchange) -> Iterator[Pair]:
    """Yield what the tokens of an answer join to, and its texts."""
    try:
        choices = exchange.completion.choices
        joined = [(join_tokens(choice.logprobs.tokens), choice.text) for choice in choices]
    except (Judgement, TypeError):
        return
    for (text, known), came in joined:
        if known and text != came:
            yield text, came


def _kinds_of(pair: Pair) -> Iterator[str]:
    """Yield the kinds of characters that were changed, or that the end is missing."""
    was, came = (text[:MAX_CHARS] for text in pair)
    if was.startswith(came):
        yield END
        return
    for tag, start, end, first, last in SequenceMatcher(
        None, was, came, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            yield from map(_kind_of, was[start:end] or came[first:last])


def _kind_of(character: str) -> str:
    if character.isspace():
        return WHITE
    return PLAIN if character.isascii() else WIDE
