"""``choices[].stop_reason``: the stop sequence or the token that ended a choice."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.prompts import COLOURS, COUNTING, ENDED
from conformance.checks._shared.requests import MAX_TOKENS, non_streaming, streamed
from conformance.checks._shared.returned_ids import early_token, last_in_stream
from conformance.checks._shared.stop_candidates import NEVER_GENERATED, middle_of
from conformance.judgement import NotApplicable, expect
from conformance.message import say

FIELD = "choices[0].stop_reason"


@check("stop-reason.names-the-sequence", requirement="stop-reason.names-the-stop")
async def the_sequence_is_named(api: Api) -> None:
    """`stop_reason` is the stop sequence that ended the choice.

    `stop_reason` 是结束该 choice 的停止序列。
    """
    stop = middle_of((await non_streaming(api)).text)
    choice = (await non_streaming(api, stop=[NEVER_GENERATED, stop])).only
    if choice.finish_reason != "stop":
        raise NotApplicable(say("the stop sequence did not end the text (another check)"))
    expect(choice.raw.get("stop_reason"), FIELD).equals(stop)


@check(
    "stop-reason.names-the-sequence-in-a-stream",
    requirement="stop-reason.names-the-stop",
    tier="deep",
    needs=("stream",),
)
async def the_sequence_is_named_in_a_stream(api: Api) -> None:
    """In a stream, the last chunk's `stop_reason` is the stop sequence.

    流式响应中，最后一个数据块的 `stop_reason` 是停止序列。
    """
    stop = middle_of((await non_streaming(api)).text)
    completion = await streamed(api, stop=[NEVER_GENERATED, stop])
    if completion.only.finish_reason != "stop":
        raise NotApplicable(say("the stop sequence did not end the text (another check)"))
    expect(last_in_stream(completion, "stop_reason"), FIELD).equals(stop)


@check(
    "stop-reason.names-the-token",
    requirement="stop-reason.names-the-stop",
    needs=("stop_token_ids",),
)
async def the_token_is_named(api: Api) -> None:
    """`stop_reason` is the id of the token that ended the choice.

    `stop_reason` 是结束该 choice 的 token 的 id。
    """
    _, ids, place = await early_token(api)
    request: dict[str, Any] = {"max_tokens": len(ids), "temperature": 0}
    response = await api.complete(prompt=COUNTING, stop_token_ids=[ids[place]], **request)
    choice = response.expect_ok().only
    if choice.finish_reason != "stop":
        raise NotApplicable(say("the token did not end the text (another check)"))
    expect(choice.raw.get("stop_reason"), FIELD).equals(ids[place])


@check("stop-reason.null-at-the-end", requirement="stop-reason.null-otherwise")
async def the_end_is_no_stop(api: Api) -> None:
    """`stop_reason` is null if the text ended by itself.

    若文本自行结束，`stop_reason` 为 null。
    """
    response = await api.complete(prompt=ENDED, max_tokens=8, temperature=0)
    choice = response.expect_ok().only
    if choice.finish_reason != "stop":
        raise NotApplicable(say("the model does not end this text by itself"))
    expect(choice.raw.get("stop_reason"), FIELD).equals(None)


@check("stop-reason.null-at-the-limit", requirement="stop-reason.null-otherwise")
async def the_limit_is_no_stop(api: Api) -> None:
    """`stop_reason` is null if the limit ended the choice.

    若因达到上限而结束，`stop_reason` 为 null。
    """
    for prompt in (COUNTING, COLOURS):
        completion = await non_streaming(api, prompt)
        if completion.only.finish_reason == "length":
            expect(completion.only.raw.get("stop_reason"), FIELD).equals(None)
            return
    raise NotApplicable(say("no response reached its limit of {count} tokens", count=MAX_TOKENS))
