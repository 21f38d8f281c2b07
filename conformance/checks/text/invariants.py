"""The texts of a whole run: characters, white space and control tokens, streaming or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.changed_texts import (
    assert_as_whole_as_tokens,
    changed,
    is_broken_form,
)
from conformance.checks._shared.characters import CONTROL_TOKEN
from conformance.checks._shared.invariants import Inspection, assert_each
from conformance.checks._shared.readable_tokens import readable_tokens
from conformance.checks.text.directed import assert_space_kept
from conformance.judgement import Failure, Feature, NotApplicable, shown
from conformance.message import say
from conformance.protocol.completion import Choice
from conformance.protocol.trace import RecordedExchange

MIN_TELLING_CHARS = 4
"""Minimum common characters that identify a text as a changed form of another."""


@invariant("text.no-special-tokens-everywhere", requirement="text.no-special-tokens")
def no_control_token_anywhere(exchange: RecordedExchange) -> None:
    """No generated text has a control token, such as `<|endoftext|>`, that is not in the prompt.

    生成的文本不含 prompt 中没有的控制 token，如 `<|endoftext|>`。

    Texts at a high temperature or with a bias are not judged.
    """
    request = exchange.request
    if (request.temperature or 0) > 1 or request.has("logit_bias"):
        raise NotApplicable(say("the request may produce unlikely text"))
    given = [request.raw.get(name) for name in ("prompt", "suffix")]
    if CONTROL_TOKEN.search(repr(given)):
        raise NotApplicable(say("the prompt itself contains control tokens"))
    for number, choice in exchange.numbered:
        text = exchange.generated(number, choice)
        found = CONTROL_TOKEN.search(text)
        if found is not None:
            raise Failure(
                say("text without control tokens"),
                say("{found} in {text}", found=found[0], text=shown(text)),
            )


@invariant("text.whole-characters-everywhere", requirement="text.whole-characters")
def characters_are_as_whole_as_their_tokens(exchange: RecordedExchange) -> None:
    """No non-streaming text breaks a character that is whole in its tokens.

    带对数概率的非流式文本，不会拆断在其 token 中完整的字符。
    """
    assert_each(exchange.non_streaming.choices, assert_as_whole_as_tokens)


@invariant_across("text.same-characters-everywhere", requirement="text.whole-characters")
def characters_are_as_whole_as_in_other_responses(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """No non-streaming greedy text breaks a character that is whole in other responses.

    非流式贪心文本不会拆断在同一 prompt 的其他响应中完整的字符。
    """
    yield from changed(
        exchanges, in_stream=False, is_changed=is_broken_form, what=say("whole characters")
    )


@invariant("text.leading-space-everywhere", requirement="text.whitespace-kept")
def the_first_tokens_space_is_kept_everywhere(exchange: RecordedExchange) -> None:
    """Every text whose first token begins with white space also begins with it.

    凡是第一个 token 以空白开头的文本，自身也以该空白开头。
    """
    if exchange.request.echo:
        raise NotApplicable(say("the text begins with the prompt"))
    assert_each(exchange.completion.choices, _assert_space_of_token)


@invariant_across(
    "text.same-space-everywhere",
    requirement="text.whitespace-kept",
)
def white_space_is_kept_as_in_other_responses(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """All greedy texts for one prompt begin with the same white space.

    贪心文本不会缺少同一 prompt 的其他响应在开头所带的空白。
    """
    for in_stream in (False, True):
        yield from changed(
            exchanges,
            in_stream=in_stream,
            is_changed=is_stripped_form,
            what=say("the white space before"),
        )


@invariant(
    "text.present-everywhere",
    requirement="text.present",
    of=Feature.TEXT,
)
def every_choice_has_its_text(exchange: RecordedExchange) -> None:
    """Every choice of every response has its text, as a string.

    每个响应的每个 choice 都有文本，且为字符串。
    """
    for choice in exchange.completion.choices:
        _ = choice.text


def is_stripped_form(text: str, usual: str) -> bool:
    """Return whether a text is the beginning of another without its leading white space."""
    stripped = usual.lstrip()
    return (
        stripped != usual
        and min(len(text), len(stripped)) >= MIN_TELLING_CHARS
        and (text.startswith(stripped) or stripped.startswith(text))
    )


def _assert_space_of_token(choice: Choice) -> None:
    tokens = readable_tokens(choice) or [""]
    if not choice.text:
        raise NotApplicable(say("the choice has no text"))
    word = next((token.strip() for token in tokens if not token.isspace()), "")
    if not choice.text.lstrip().startswith(word):
        raise NotApplicable(say("the first entry is not a token of the text"))
    assert_space_kept(tokens[0], choice.text)
