"""``stop_token_ids``: ids of tokens that end the completion."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.prompts import COLOURS, COUNTING
from conformance.checks._shared.requests import collect_stream
from conformance.checks._shared.returned_ids import MAX_TOKENS, early_token
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Choice, Completion


@check(
    "stop-token-ids.ends-at-the-token",
    requirement="stop-token-ids.end-the-text",
    sees_effect=True,
)
async def the_token_ends_the_completion(api: Api) -> None:
    """A completion ends at the first token of `stop_token_ids`, with finish_reason `stop`.

    补全在遇到 `stop_token_ids` 中的第一个 token 时结束，finish_reason 为 `stop`。
    """
    text, ids, place = await early_token(api)
    completion = (await api.complete(**stopping(ids[place]))).expect_ok()
    assert_ended(completion, text, place)


@check(
    "stop-token-ids.ends-a-stream",
    requirement="stop-token-ids.end-the-text",
    tier="deep",
    needs=("stream", "stream_options"),
    sees_effect=True,
)
async def the_token_ends_a_stream(api: Api) -> None:
    """A stream ends at the first token of `stop_token_ids`.

    流式响应在遇到 `stop_token_ids` 中的第一个 token 时结束。
    """
    text, ids, place = await early_token(api)
    options = {"stream_options": {"include_usage": True}}
    stream = await api.stream(**stopping(ids[place]), **dict[str, Any](options))
    assert_ended(collect_stream(stream), text, place)


@check(
    "stop-token-ids.ends-its-own-choice",
    requirement="stop-token-ids.end-the-text",
    tier="deep",
    sees_effect=True,
)
async def the_token_ends_its_own_choice(api: Api) -> None:
    """In a batch, `stop_token_ids` ends each choice at its own first token of them.

    批次中，`stop_token_ids` 让每个 choice 在自己遇到的第一个此类 token 处结束。
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention arrays of prompts"))
    text, ids, place = await early_token(api)
    request = {**stopping(ids[place]), "prompt": [COLOURS, COUNTING]}
    choices = (await api.complete(**request)).expect_ok().choices
    if len(choices) == 2:
        assert_cut(choices[1], text)


@check("stop-token-ids.other-token", requirement="stop-token-ids.end-the-text", tier="deep")
async def another_token_has_no_effect(api: Api) -> None:
    """A token of `stop_token_ids` that is not generated does not change the completion.

    `stop_token_ids` 中没有生成的 token 不影响补全。
    """
    text, ids, _ = await early_token(api)
    absent = next(one for one in range(100, 100 + 2 * MAX_TOKENS) if one not in ids)
    choice = (await api.complete(**stopping(absent))).expect_ok().only
    expect(choice.text, "choices[0].text").equals(text)


def stopping(token: int) -> dict[str, Any]:
    """Return the request for the usual response with a token that ends it."""
    return {
        "prompt": COUNTING,
        "max_tokens": MAX_TOKENS,
        "temperature": 0,
        "stop_token_ids": [token],
    }


def assert_ended(completion: Completion, usual: str, place: int) -> None:
    """Assert that a completion ended at its token ``place``, which is the last one that counts."""
    assert_cut(completion.only, usual)
    if completion.has_usage:
        count = completion.usage.completion_tokens
        expect(count, "usage.completion_tokens").equals(place + 1)


def assert_cut(choice: Choice, usual: str) -> None:
    """Assert that a choice is the beginning of the usual text, and that a stop ended it.

    Whether the text includes the stop token is for each document to say.
    """
    is_shorter = usual.startswith(choice.text) and choice.text != usual
    if choice.finish_reason != "stop" or not is_shorter:
        raise Failure(
            say("a beginning of {text} and finish_reason `stop`", text=shown(usual)),
            say(
                "{reason} after {text}",
                reason=shown(choice.finish_reason),
                text=shown(choice.text),
            ),
            effect=Effect.IGNORED if choice.text == usual else Effect.ALTERED,
        )
