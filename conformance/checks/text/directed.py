"""``choices[].text``: the response itself, as the model wrote it."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import (
    CONTROL_TOKEN,
    REPLACEMENT,
    has_broken_character,
    is_whole,
)
from conformance.checks._shared.prompts import CHINESE, COLOURS, COUNTING, EMOJI
from conformance.checks._shared.requests import (
    emoji,
    non_streaming,
    shared,
    streamed,
    two_prompts,
)
from conformance.checks._shared.spelling import is_broken_in
from conformance.checks._shared.token_scores import scored, tokens_of
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Choice, Completion


@check("text.present", requirement="text.present", tier="smoke")
async def the_choice_has_text(api: Api) -> None:
    """The choice has its `text`, as a string.

    choice 的响应在 `text` 中，是一个字符串。
    """
    _ = (await non_streaming(api)).only.text


@check("text.present-in-batch", requirement="text.present")
async def every_choice_has_text(api: Api) -> None:
    """Every choice of a batch has its `text`, as a string.

    批次中每个 choice 的响应都在 `text` 中，是一个字符串。
    """
    _ = (await non_streaming(api, two_prompts(api))).texts


@check("text.present-in-stream", requirement="text.present", tier="smoke", needs=("stream",))
async def a_streamed_choice_has_text(api: Api) -> None:
    """A streamed choice has its `text`, as strings.

    流式 choice 的响应在 `text` 中，均为字符串。
    """
    _ = (await streamed(api)).only.text


@check(
    "text.leading-space-of-tokens",
    requirement="text.whitespace-kept",
    tier="smoke",
    needs=("logprobs",),
)
async def the_first_tokens_space_is_in_the_text(api: Api) -> None:
    """A text whose first token begins with white space also begins with it.

    第一个 token 以空白开头的文本，自身也以该空白开头。
    """
    choice = (await scored(api)).only
    assert_space_kept((tokens_of(choice) or [""])[0], choice.text)


@check(
    "text.leading-space-of-echo", requirement="text.whitespace-kept", tier="smoke", needs=("echo",)
)
async def the_space_after_an_echoed_prompt_is_in_the_text(api: Api) -> None:
    """White space after an echoed prompt also begins the text without `echo`.

    回显的 prompt 之后的空白，在不带 `echo` 时同样位于文本开头。
    """
    await assert_space_behind_echo(api, [COUNTING], COUNTING)


@check("text.leading-line-break-of-echo", requirement="text.whitespace-kept", needs=("echo",))
async def the_line_break_after_an_echoed_prompt_is_in_the_text(api: Api) -> None:
    """A line break after the echoed prompt in a batch also begins the text without `echo`.

    批次中回显的 prompt 之后若是换行，则不带 `echo` 时文本也以换行开头。
    """
    await assert_space_behind_echo(api, two_prompts(api), two_prompts(api), max_tokens=1)


@check(
    "text.leading-space-in-stream",
    requirement="text.whitespace-kept",
    tier="smoke",
    needs=("stream",),
)
async def the_streamed_space_is_in_the_text(api: Api) -> None:
    """White space at the beginning of a stream also begins the non-streaming text.

    流开头的空白，同样位于非流式文本的开头。
    """
    assert_space_kept((await streamed(api)).text, (await non_streaming(api)).text)


@check("text.whole-characters-chinese", requirement="text.whole-characters")
async def chinese_comes_back_whole(api: Api) -> None:
    """A Chinese response has no broken character, unless the limit cut its last one.

    中文响应没有残缺的字符，除非最后一个被上限截断。
    """
    await assert_characters_whole(api, await shared(api, CHINESE), CHINESE)


@check("text.whole-characters-emoji", requirement="text.whole-characters")
async def emoji_come_back_whole(api: Api) -> None:
    """A response in emoji has no broken character, unless the limit cut its last one.

    表情符号响应没有残缺的字符，除非最后一个被上限截断。
    """
    await assert_characters_whole(api, await emoji(api), EMOJI)


@check("text.no-special-tokens", requirement="text.no-special-tokens")
async def no_control_token_in_the_text(api: Api) -> None:
    """A text has no control token of the model, such as `<|endoftext|>`.

    文本中没有模型的控制 token，如 `<|endoftext|>`。
    """
    for prompt in (COUNTING, COLOURS, CHINESE, EMOJI):
        assert_no_control_token((await shared(api, prompt)).only)


@check("text.no-special-tokens-in-stream", requirement="text.no-special-tokens", needs=("stream",))
async def no_control_token_in_a_stream(api: Api) -> None:
    """A streamed text has no control token of the model, such as `<|endoftext|>`.

    流式文本中没有模型的控制 token，如 `<|endoftext|>`。
    """
    for prompt in (COUNTING, EMOJI):
        assert_no_control_token((await streamed(api, prompt)).only)


def assert_no_control_token(choice: Choice) -> None:
    """Assert that a text contains nothing that looks like a control token."""
    found = CONTROL_TOKEN.search(choice.text)
    if found is not None:
        raise Failure(
            say("text without control tokens"),
            say("{found} in {text}", found=found[0], text=shown(choice.text)),
        )


def assert_space_kept(source: str, text: str) -> None:
    """Assert that a text begins with white space if its source does."""
    if not is_whole(source) or not source[:1].isspace():
        raise NotApplicable(say("the endpoint's response does not begin with white space"))
    expect(text[:1], say("first character of the text")).equals(source[:1])


async def assert_space_behind_echo(
    api: Api, prompts: list[str], request: Any, **of_echo: int
) -> None:
    """Assert that texts begin with white space where it follows the same prompts when echoed."""

    async def behind(fresh: bool) -> list[bool]:
        echoed = (await non_streaming(api, request, fresh=fresh, **of_echo, echo=True)).texts
        if not all(map(str.startswith, echoed, prompts)):
            raise NotApplicable(say("a prompt is not echoed verbatim (covered by another check)"))
        texts = [text[len(prompt) :] for text, prompt in zip(echoed, prompts, strict=False)]
        if not all(texts):
            raise NotApplicable(say("the text behind an echoed prompt is lost altogether"))
        return [text[:1].isspace() for text in texts]

    async def alone(fresh: bool) -> list[bool]:
        return [
            text[:1].isspace() for text in (await non_streaming(api, request, fresh=fresh)).texts
        ]

    if not any(await behind(False)):
        raise NotApplicable(say("the endpoint's response does not begin with white space"))
    await expect_agreement(behind, alone, say("leading white space, as after the echoed prompt"))


async def assert_characters_whole(api: Api, completion: Completion, prompt: str) -> None:
    """Assert that a text has no broken character that the model did not generate itself.

    A model may generate incomplete characters itself; only the bytes of its tokens distinguish
    that from a server that decodes token by token.
    """
    text = completion.text
    if not has_broken_character(text):
        return
    if REPLACEMENT in text and not api.contract.parameter("logprobs").documented:
        raise NotApplicable(say("it is unknown whether the model itself broke a character"))
    tokens = tokens_of((await non_streaming(api, prompt, logprobs=1)).only)
    if not is_broken_in(text, tokens):
        raise NotApplicable(say("the model itself may have generated partial characters here"))
    raise Failure(say("whole characters, as in the tokens"), shown(text))
