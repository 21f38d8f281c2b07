"""Greedy texts that are another response's text with something changed: a broken character."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from conformance.checks._shared.characters import (
    CONTROL_TOKEN,
    REPLACEMENT,
    has_broken_character,
)
from conformance.checks._shared.greedy import greedy_in
from conformance.checks._shared.invariants import Inspection
from conformance.checks._shared.readable_tokens import readable_tokens
from conformance.checks._shared.spelling import is_broken_in
from conformance.judgement import Failure, NotApplicable, shown
from conformance.message import Message, say
from conformance.protocol.completion import Choice
from conformance.protocol.trace import RecordedExchange, Violation


def assert_as_whole_as_tokens(choice: Choice) -> None:
    """Assert that a text has no broken character where its tokens have whole ones.

    Raises:
        NotApplicable: no token shows a whole character there, so the model may have generated a
            part of one.
    """
    tokens = readable_tokens(choice)
    if is_broken_in(choice.text, tokens):
        raise Failure(say("whole characters, as in the tokens"), shown(choice.text))
    if has_broken_character(choice.text):
        raise NotApplicable(say("the tokens contain partial characters"))


def changed(
    exchanges: Sequence[RecordedExchange],
    *,
    in_stream: bool,
    is_changed: Callable[[str, str], bool],
    what: Message,
) -> Iterator[Inspection]:
    """Yield the greedy texts that have a usual text to compare with, and which are changed."""
    greedy = greedy_in(exchanges)
    for sight in greedy.sights:
        usual = greedy.settled.get(sight.prompt)
        if usual is None or sight.in_stream != in_stream:
            continue
        yield sight.exchange
        if is_changed(CONTROL_TOKEN.sub("", sight.text), usual):
            failure = Failure(
                say("{what}, as in {usual}", what=what, usual=shown(usual)), shown(sight.text)
            )
            yield Violation(failure, (sight.exchange,))


def is_broken_form(text: str, usual: str) -> bool:
    """Return whether a text is the beginning of another, with some characters broken in it."""
    usual = usual.rstrip(REPLACEMENT)  # the limit may have cut the last character
    fragments = [fragment for fragment in re.split(f"{REPLACEMENT}+", text) if fragment]
    if not fragments or not has_broken_character(text) or has_broken_character(usual):
        return False
    # Each fragment has to follow the one before after a gap: the broken characters.
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
    """Return whether the known text ends in the middle of a fragment."""
    longest = min(len(fragment), len(rest))
    return any(rest.endswith(fragment[:size]) for size in range(1, longest + 1))
