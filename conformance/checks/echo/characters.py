"""The characters of an echoed prompt in its tokens, as compared with those of a completion.

How a part of a character is listed is a matter of convention: as its bytes, as nothing, as U+FFFD,
or as nothing and the whole character with the last part. Where an endpoint's completions keep such
characters, its prompts have to keep them, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from conformance.checks import invariant_across
from conformance.checks._shared.characters import (
    REPLACEMENT,
    has_broken_character,
    is_part,
    token_bytes,
)
from conformance.checks._shared.invariants import Inspection
from conformance.checks._shared.readable_tokens import readable_tokens, scored_choices
from conformance.judgement import Failure, Judgement, shown
from conformance.message import say
from conformance.protocol.trace import RecordedExchange, Violation


@invariant_across(
    "echo-logprobs.characters-kept-everywhere", requirement="echo.tokens-keep-characters"
)
def no_character_of_a_prompt_is_lost(exchanges: Sequence[RecordedExchange]) -> Iterator[Inspection]:
    """No character of an echoed prompt is missing from its tokens, if completions keep theirs.

    若补全的 token 保留由多个 token 组成的字符，则回显的 prompt 的 token 中也不缺少这样的字符。
    """
    keeping = next((exchange for exchange in exchanges if _keeps_characters(exchange)), None)
    if keeping is None:
        return
    for exchange in exchanges:
        for prompt, text, tokens in _echoes(exchange):
            lost = lost_characters(tokens, text)
            if lost is None:
                continue
            yield exchange
            within = [character for at, character in lost if at < len(prompt)]
            if within:
                failure = Failure(
                    say("tokens with all characters of the prompt {prompt}", prompt=shown(prompt)),
                    say(
                        "{lost} missing from {tokens}",
                        lost=shown("".join(within)),
                        tokens=shown(tokens),
                    ),
                )
                yield Violation(failure, (exchange,), (keeping,))


def lost_characters(tokens: Sequence[str], text: str) -> list[tuple[int, str]] | None:
    """Return the characters of a text that its tokens do not show, with their positions.

    None if the tokens that can be read are not those of the text, in its order.
    """
    first = tokens[0].strip() if tokens else ""
    is_start_token = first != "" and _is_readable(first) and not text.lstrip().startswith(first)
    for skipped in range(1 + is_start_token):
        end, lost = 0, list[tuple[int, str]]()
        for number, part in enumerate(_readable_parts(tokens[skipped:])):
            if number == 0 and not text.startswith(part):
                part = part.removeprefix(" ")  # noqa: PLW2901 - some tokenizers put a space before the text
            start = text.find(part, end)
            if start < 0:
                break
            lost += enumerate(text[end:start], start=end)
            end = start + len(part)
        else:
            lost += enumerate(text[end:], start=end)
            # White space may be stripped from a text or a token, which other checks judge.
            return [(at, character) for at, character in lost if not character.isascii()]
    return None


def _readable_parts(tokens: Sequence[str]) -> list[str]:
    """Return the whole characters of tokens in a row, split where some are unknown."""
    raw = b"".join(b"\xff" if (known := token_bytes(t)) is None else known for t in tokens)
    parts = raw.decode("utf-8", errors="replace").split(REPLACEMENT)
    return [part for part in parts if part.strip()]


def _keeps_characters(exchange: RecordedExchange) -> bool:
    """Return whether a completion has a character of several tokens, and its tokens show it."""
    try:
        if exchange.request.echo:
            return False
        choices = [(c.text, readable_tokens(c)) for c in scored_choices(exchange)]
    except Judgement:
        return False
    return any(
        _has_parts(tokens) and not has_broken_character(text) and _all_shown(tokens, text)
        for text, tokens in choices
    )


def _all_shown(tokens: Sequence[str], text: str) -> bool:
    """Return whether tokens show all of a text, other than a character that its limit cut."""
    lost = lost_characters(tokens, text)
    return lost is not None and all(character == REPLACEMENT for _, character in lost)


def _has_parts(tokens: Sequence[str]) -> bool:
    """Return whether a part of a character is followed by the rest of it, or by all of it."""
    return any(
        is_part(token) or (not _is_readable(token) and after[:1] > "\x7f" and _is_readable(after))
        for token, after in pairwise(tokens)
    )


def _is_readable(token: str) -> bool:
    return token_bytes(token) is not None


def _echoes(exchange: RecordedExchange) -> list[tuple[str, str, list[str]]]:
    """Return each echoed prompt with the text and the tokens of its choice."""
    try:
        if not exchange.request.echo:
            return []
        scored = scored_choices(exchange)
        return [
            (prompt, choice.text, readable_tokens(choice))
            for number, choice in exchange.numbered
            if choice in scored
            and isinstance(prompt := exchange.request.prompts[number], str)
            and choice.text.startswith(prompt)
            and REPLACEMENT not in prompt
        ]
    except Judgement:
        return []
