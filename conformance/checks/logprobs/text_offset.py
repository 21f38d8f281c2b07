"""``choices[].logprobs.text_offset``: where each token begins, counted in characters."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check, invariant
from conformance.checks._shared.characters import is_whole
from conformance.checks._shared.invariants import assert_each
from conformance.checks._shared.prompts import CHINESE, COUNTING
from conformance.checks._shared.readable_tokens import readable_tokens, scored_choices
from conformance.checks._shared.requests import non_streaming, streamed
from conformance.checks._shared.token_scores import (
    alternatives,
    assert_offsets_advance,
    offsets_of,
    scored,
)
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Choice
from conformance.protocol.trace import RecordedExchange

MAX_LEADING_SPACE = 1
"""Characters of a space that some tokenizers list before the first token, and texts lack."""


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


@invariant("text-offset.within-text-everywhere", requirement="text-offset.within-text")
def no_offset_lies_beyond_the_text(exchange: RecordedExchange) -> None:
    """In choices that no stop sequence cut, no token begins beyond the end of the text.

    凡是没有被停止序列截断的 choice，任何 token 都不会从文本末尾之后开始。

    A start token before an echoed prompt may be counted.
    """
    if exchange.request.stops:
        raise NotApplicable(say("tokens may continue where the text was cut"))

    def judge(choice: Choice) -> None:
        tokens, offsets = readable_tokens(choice), offsets_of(choice)
        if not choice.text or len(offsets) != len(tokens) or not all(map(is_whole, tokens)):
            raise NotApplicable(say("not applicable to this response"))
        starts = list(zip(tokens, offsets, strict=True))
        if exchange.request.echo and not choice.text.startswith(tokens[0]):
            starts = starts[1:]
        length = len(choice.text) + MAX_LEADING_SPACE
        beyond = [(t, o) for t, o in starts if o - starts[0][1] > length]
        if beyond:
            token, offset = beyond[0]
            raise Failure(
                say("offsets within the {count} characters of the text", count=len(choice.text)),
                say(
                    "{token} {count} characters after the first token",
                    token=shown(token),
                    count=offset - starts[0][1],
                ),
            )

    assert_each(scored_choices(exchange), judge)
