"""``min_tokens``: how many tokens a completion has before it may end by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.prompts import COUNTING, ENDED
from conformance.checks._shared.requests import collect_stream
from conformance.checks._shared.returned_ids import early_token
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import Completion

LEAST, LIMIT = 6, 8

HELD: Mapping[str, Any] = {"max_tokens": LIMIT, "min_tokens": LEAST, "temperature": 0}


@check("min-tokens.end-is-held", requirement="min-tokens.holds-the-end", sees_effect=True)
async def the_end_is_held(api: Api) -> None:
    """With `min_tokens: 6`, a finished text is continued by six tokens at least.

    设置 `min_tokens: 6` 时，已经结束的文本至少再生成六个 token。
    """
    assert_long_enough((await api.complete(prompt=ENDED, **HELD)).expect_ok(), LEAST)


@check(
    "min-tokens.end-is-held-in-a-stream",
    requirement="min-tokens.holds-the-end",
    tier="deep",
    needs=("stream", "stream_options"),
    sees_effect=True,
)
async def the_end_is_held_in_a_stream(api: Api) -> None:
    """With `min_tokens: 6`, a stream has six tokens at least.

    设置 `min_tokens: 6` 时，流式响应至少有六个 token。
    """
    options = {"stream_options": {"include_usage": True}}
    response = await api.stream(**{"prompt": ENDED, **HELD, **options})
    assert_long_enough(collect_stream(response), LEAST)


@check(
    "min-tokens.stop-token-is-held",
    requirement="min-tokens.holds-the-end",
    needs=("stop_token_ids",),
    sees_effect=True,
)
async def a_stop_token_is_held(api: Api) -> None:
    """Before `min_tokens`, a token of `stop_token_ids` does not end the completion.

    未达到 `min_tokens` 时，`stop_token_ids` 中的 token 不会结束补全。
    """
    _, ids, place = await early_token(api)
    response = await api.complete(prompt=COUNTING, stop_token_ids=[ids[place]], **HELD)
    assert_long_enough(response.expect_ok(), LEAST)


@check(
    "min-tokens.ends-afterwards",
    requirement="min-tokens.allows-the-end",
    tier="deep",
    needs=("stop_token_ids",),
)
async def the_end_is_allowed_afterwards(api: Api) -> None:
    """Right after `min_tokens`, a token of `stop_token_ids` ends the completion.

    刚达到 `min_tokens` 之后，`stop_token_ids` 中的 token 会结束补全。
    """
    _, ids, place = await early_token(api)
    request = {**HELD, "min_tokens": place, "max_tokens": place + 4}
    response = await api.complete(prompt=COUNTING, stop_token_ids=[ids[place]], **request)
    completion = response.expect_ok()
    expect(completion.usage.completion_tokens, "usage.completion_tokens").equals(place + 1)
    expect(completion.only.finish_reason, "choices[0].finish_reason").equals("stop")


def assert_long_enough(completion: Completion, least: int) -> None:
    """Assert that a completion has at least so many tokens, by its usage."""
    if not completion.has_usage:
        raise NotApplicable(say("the response does not count its tokens"))
    count = completion.usage.completion_tokens
    if count < least:
        raise Failure(
            say("at least {count} tokens", count=least),
            say("{count} tokens: {text}", count=count, text=shown(completion.text)),
            effect=Effect.IGNORED,
        )
