"""``choices[].logprobs.text_offset``: where each token begins, counted in characters."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.prompts import CHINESE, COUNTING
from conformance.checks._shared.requests import non_streaming, streamed
from conformance.checks._shared.token_scores import (
    alternatives,
    assert_offsets_advance,
    offsets_of,
    scored,
)
from conformance.judgement import NotApplicable, expect
from conformance.message import say


@check("text-offset.ascii", requirement="text-offset.advances-by-characters", tier="smoke")
async def offsets_follow_the_tokens(api: Api) -> None:
    """In an ASCII response, each offset is the previous one plus the length of its token.

    在 ASCII 响应中，每个偏移等于前一个偏移加上该处 token 的长度。
    """
    assert_offsets_advance((await scored(api)).only)


@check("text-offset.chinese", requirement="text-offset.advances-by-characters")
async def offsets_count_characters(api: Api) -> None:
    """In a Chinese response, offsets advance by characters, not by bytes.

    在中文响应中，偏移按字符而不是按字节递增。
    """
    assert_offsets_advance((await non_streaming(api, CHINESE, logprobs=1)).only)


@check(
    "text-offset.in-stream",
    requirement="text-offset.advances-by-characters",
    needs=("stream",),
)
async def offsets_go_on_from_chunk_to_chunk(api: Api) -> None:
    """In a stream, offsets continue from chunk to chunk.

    在流中，每个数据块的偏移接着前一个数据块递增。
    """
    assert_offsets_advance((await streamed(api, logprobs=alternatives(api))).only)


@check("text-offset.base", requirement="text-offset.starts-at-prompt-length", tier="smoke")
async def offsets_start_at_the_completion(api: Api) -> None:
    """Without `echo`, the first offset is the prompt's length or 0.

    未设置 `echo` 时，第一个偏移为 prompt 的长度或 0。
    """
    offsets = offsets_of((await scored(api)).only)
    if not offsets:
        raise NotApplicable(say("the response has no tokens"))
    expect(offsets[0], say("first text_offset")).one_of(len(COUNTING), 0)
