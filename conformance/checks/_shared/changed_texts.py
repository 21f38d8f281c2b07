"""Greedy texts that are another response's text with something changed: a broken character."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from conformance.checks._shared.characters import (
    CONTROL_TOKEN,
    REPLACEMENT,
    has_broken_character,
    join_tokens,
)
from conformance.checks._shared.greedy import greedy_in
from conformance.checks._shared.readable_tokens import readable_tokens
from conformance.judgement import Failure, NotApplicable, shown
from conformance.protocol.completion import Choice
from conformance.protocol.trace import RecordedExchange, Violation


def assert_as_whole_as_tokens(choice: Choice) -> None:
    """Assert that a text breaks no character that its tokens have whole.

    Where the tokens are broken themselves, the model may have wandered from the middle of one
    character into another.
    """
    generated, known = join_tokens(readable_tokens(choice))
    if not known or has_broken_character(generated):
        raise NotApplicable("the tokens contain partial characters")
    # What stands behind a character that was cut would make it stand in the middle.
    if has_broken_character(CONTROL_TOKEN.sub("", choice.text)):
        raise Failure("whole characters, as in the tokens", shown(choice.text))


def changed(
    exchanges: Sequence[RecordedExchange],
    *,
    in_stream: bool,
    is_changed: Callable[[str, str], bool],
    what: str,
) -> Iterator[Violation]:
    """Yield the greedy texts that are what their prompt's other answers say, but changed."""
    greedy = greedy_in(exchanges)
    for sight in greedy.sights:
        usual = greedy.settled.get(sight.prompt)
        if usual is None or sight.in_stream != in_stream:
            continue
        if is_changed(CONTROL_TOKEN.sub("", sight.text), usual):
            failure = Failure(f"{what}, as in {shown(usual)}", shown(sight.text))
            yield Violation(failure, (sight.exchange,))


def is_broken_form(text: str, usual: str) -> bool:
    """Return whether a text is the beginning of another, with some characters broken in it."""
    usual = usual.rstrip(REPLACEMENT)  # a character that the limit cut tells nothing
    fragments = [fragment for fragment in re.split(f"{REPLACEMENT}+", text) if fragment]
    if not fragments or not has_broken_character(text) or has_broken_character(usual):
        return False
    # Each piece has to follow the one before after a gap: the characters that were broken.
    end = 0
    if not text.startswith(REPLACEMENT):
        if not usual.startswith(fragments[0]):
            return False
        end = len(fragments.pop(0))
    for fragment in fragments:
        start = usual.find(fragment, end + 1)
        if start < 0:
            return _goes_beyond(fragment, usual[end + 1 :])
        end = start + len(fragment)
    return True


def _goes_beyond(fragment: str, rest: str) -> bool:
    """Return whether what is known of a text ends in the middle of a piece."""
    longest = min(len(fragment), len(rest))
    return any(rest.endswith(fragment[:size]) for size in range(1, longest + 1))
