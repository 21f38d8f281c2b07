"""The texts of a whole run: characters, white space and control tokens, plain and streamed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from conformance.answered import Answered, Breach
from conformance.checks import invariant, invariant_across
from conformance.checks._characters import (
    REPLACEMENT,
    has_broken_character,
    join_tokens,
)
from conformance.checks._greedy import greedy_in
from conformance.checks._invariants import hold_each
from conformance.checks._tokens import readable_tokens
from conformance.checks.text import CONTROL_TOKEN, hold_space_kept
from conformance.completion import Choice
from conformance.judgement import Deviation, NotApplicable, shown

TELLING = 4
"""Characters in common that tell that an answer is another one, changed."""


@invariant("text.no-special-tokens-everywhere", requirement="text.no-special-tokens")
def no_control_token_anywhere(answer: Answered) -> None:
    """No generated text holds a control token, such as `<|endoftext|>`, that the prompt has not.

    生成的文本不含 prompt 中没有的控制 token，如 `<|endoftext|>`。

    What is sampled at a high temperature, or under a bias, may be anything.
    """
    asked = answer.asked
    if (asked.temperature or 0) > 1 or asked.has("logit_bias"):
        raise NotApplicable("the request asks for unlikely text")
    given = [asked.raw.get(name) for name in ("prompt", "suffix")]
    if CONTROL_TOKEN.search(repr(given)):
        raise NotApplicable("the prompt holds control tokens itself")
    for number, choice in answer.numbered:
        text = answer.generated(number, choice)
        found = CONTROL_TOKEN.search(text)
        if found is not None:
            raise Deviation("text without control tokens", f"{found[0]} in {shown(text)}")


@invariant("text.whole-characters-everywhere", requirement="text.whole-characters")
def characters_are_as_whole_as_their_tokens(answer: Answered) -> None:
    """No plain text with log probabilities breaks a character that its tokens have whole.

    带对数概率的非流式文本，不会拆断在其 token 中完整的字符。
    """
    hold_each(answer.plain.choices, hold_as_whole_as_tokens)


@invariant("streaming.whole-characters-everywhere", requirement="streaming.whole-characters")
def streamed_characters_are_as_whole_as_their_tokens(answer: Answered) -> None:
    """No streamed text with log probabilities breaks a character that its tokens have whole.

    带对数概率的流式文本，不会拆断在其 token 中完整的字符。
    """
    hold_each(answer.streamed.choices, hold_as_whole_as_tokens)


@invariant_across("text.same-characters-everywhere", requirement="text.whole-characters")
def characters_are_as_whole_as_in_other_answers(answers: Sequence[Answered]) -> Iterator[Breach]:
    """No plain greedy text breaks a character that other answers to its prompt have whole.

    非流式贪心文本不会拆断在同一 prompt 的其他响应中完整的字符。
    """
    yield from changed(answers, in_stream=False, is_changed=is_broken_form, what="whole characters")


@invariant_across("streaming.same-characters-everywhere", requirement="streaming.whole-characters")
def streamed_characters_are_as_whole_as_in_other_answers(
    answers: Sequence[Answered],
) -> Iterator[Breach]:
    """No streamed greedy text breaks a character that other answers to its prompt have whole.

    流式贪心文本不会拆断在同一 prompt 的其他响应中完整的字符。
    """
    yield from changed(answers, in_stream=True, is_changed=is_broken_form, what="whole characters")


@invariant("text.leading-space-everywhere", requirement="text.whitespace-kept")
def the_first_tokens_space_is_kept_everywhere(answer: Answered) -> None:
    """Every text whose first token begins with white space begins with it, too.

    凡是第一个 token 以空白开头的文本，自身也以该空白开头。
    """
    if answer.asked.echo:
        raise NotApplicable("the text begins with the prompt")
    hold_each(answer.completion.choices, _hold_space_of_token)


@invariant_across(
    "text.same-space-everywhere",
    requirement="text.whitespace-kept",
    explained_by=("echo.off-by-default",),
)
def white_space_is_kept_as_in_other_answers(answers: Sequence[Answered]) -> Iterator[Breach]:
    """No greedy text lacks the white space before it that other answers to its prompt have.

    贪心文本不会缺少同一 prompt 的其他响应在开头所带的空白。
    """
    for in_stream in (False, True):
        yield from changed(
            answers, in_stream=in_stream, is_changed=is_stripped_form, what="the white space before"
        )


def hold_as_whole_as_tokens(choice: Choice) -> None:
    """Hold that a text breaks no character that its tokens have whole.

    Where the tokens are broken themselves, the model may have wandered from the middle of one
    character into another.
    """
    generated, known = join_tokens(readable_tokens(choice))
    if not known or has_broken_character(generated):
        raise NotApplicable("the tokens do not tell")
    # What stands behind a character that was cut would make it stand in the middle.
    if has_broken_character(CONTROL_TOKEN.sub("", choice.text)):
        raise Deviation("whole characters, as in the tokens", shown(choice.text))


def changed(
    answers: Sequence[Answered],
    *,
    in_stream: bool,
    is_changed: Callable[[str, str], bool],
    what: str,
) -> Iterator[Breach]:
    """Yield the greedy texts that are what their prompt's other answers say, but changed."""
    greedy = greedy_in(answers)
    for sight in greedy.sights:
        usual = greedy.settled.get(sight.prompt)
        if usual is None or sight.in_stream != in_stream:
            continue
        if is_changed(CONTROL_TOKEN.sub("", sight.text), usual):
            deviation = Deviation(f"{what}, as in {shown(usual)}", shown(sight.text))
            yield Breach(deviation, (sight.answer,))


def is_broken_form(text: str, usual: str) -> bool:
    """Tell whether a text is the beginning of another, with some characters broken in it."""
    usual = usual.rstrip(REPLACEMENT)  # a character that the limit cut tells nothing
    pieces = [piece for piece in re.split(f"{REPLACEMENT}+", text) if piece]
    if not pieces or not has_broken_character(text) or has_broken_character(usual):
        return False
    # Each piece has to follow the one before after a gap: the characters that were broken.
    end = 0
    if not text.startswith(REPLACEMENT):
        if not usual.startswith(pieces[0]):
            return False
        end = len(pieces.pop(0))
    for piece in pieces:
        start = usual.find(piece, end + 1)
        if start < 0:
            return _goes_beyond(piece, usual[end + 1 :])
        end = start + len(piece)
    return True


def _goes_beyond(piece: str, rest: str) -> bool:
    """Tell whether what is known of a text ends in the middle of a piece."""
    longest = min(len(piece), len(rest))
    return any(rest.endswith(piece[:size]) for size in range(1, longest + 1))


def is_stripped_form(text: str, usual: str) -> bool:
    """Tell whether a text is the beginning of another without the white space before it."""
    stripped = usual.lstrip()
    return (
        stripped != usual
        and min(len(text), len(stripped)) >= TELLING
        and (text.startswith(stripped) or stripped.startswith(text))
    )


def _hold_space_of_token(choice: Choice) -> None:
    first = (readable_tokens(choice) or [""])[0]
    if not choice.text:
        raise NotApplicable("the choice has no text")
    hold_space_kept(first, choice.text)
