"""``stream_options``: usage and padding in a stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import solid
from conformance.checks._shared.neutral_values import nulls_are_harmless
from conformance.checks._shared.refusals import as_rejected
from conformance.checks._shared.requests import (
    MINIMAL_REQUEST,
    choices_in_chunk,
    collect_stream,
    non_streaming,
    stream_response,
    streamed,
)
from conformance.judgement import Failure, Feature, Missing, NotApplicable, Refusal, expect, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import JsonObject, Usage
from conformance.protocol.response import DONE

USAGE = {"include_usage": True}

FEW_CHUNKS = 4
"""Chunks of a stream that may all come at its end."""


@check(
    "stream-options.usage-chunk",
    requirement="stream-options.include-usage",
    tier="smoke",
    sees_effect=True,
)
async def one_chunk_with_usage(api: Api) -> None:
    """With `include_usage`, exactly one chunk without choices has the usage.

    设置 `include_usage` 时，恰有一个不含 choice 的数据块携带用量。
    """
    counted = chunks_with_usage((await streamed(api, stream_options=USAGE)).chunks)
    bare = [chunk for chunk in counted if chunk.get("choices") == []]
    expect(len(bare), say("number of chunks with usage and empty choices")).equals(1)


@check(
    "stream-options.usage-last",
    requirement="stream-options.include-usage",
    tier="smoke",
    sees_effect=True,
)
async def usage_comes_before_done(api: Api) -> None:
    """With `include_usage`, the usage is in the last chunk, just before `[DONE]`.

    设置 `include_usage` 时，用量在最后一个数据块中，紧接在 `[DONE]` 之前。
    """
    response = await stream_response(api, stream_options=USAGE)
    chunks_with_usage(response.chunk_objects)
    last = response.chunk_objects[-1]
    expect(last.get("usage"), say("usage of the last chunk")).satisfies(
        lambda usage: isinstance(usage, Mapping), say("an object")
    )
    after = [event.data.strip() for event in response.events[len(response.chunk_objects) :]]
    # Without [DONE] the stream is incomplete, and the usage is still its last event.
    if after:
        expect(after[-1], say("event after the usage")).equals(DONE)


@check(
    "stream-options.usage-with-last-choice",
    requirement="stream-options.usage-with-last-choice",
    tier="standard",
    sees_effect=True,
)
async def usage_is_with_the_last_choice(api: Api) -> None:
    """With `include_usage`, the last chunk with a choice has the usage, and none is without one.

    设置 `include_usage` 时，用量在最后一个含 choice 的数据块上，且没有不含 choice 的数据块。
    """
    chunks = (await streamed(api, stream_options=USAGE)).chunks
    counted = chunks_with_usage(chunks)
    bare = [chunk for chunk in chunks if not choices_in_chunk(chunk)]
    expect(len(bare), say("number of chunks without a choice")).equals(0)
    expect(len(counted), say("number of chunks with usage")).equals(1)
    if counted[0] is not chunks[-1]:
        raise Failure(say("the usage in the last chunk"), shown(chunks[-1]))


@check("stream-options.only-one-bill", requirement="stream-options.other-chunks-null", tier="smoke")
async def no_other_chunk_has_usage(api: Api) -> None:
    """With `include_usage`, the chunks with text have no usage.

    设置 `include_usage` 时，带文本的数据块不携带用量。
    """
    for chunk in (await streamed(api, stream_options=USAGE)).chunks:
        if choices_in_chunk(chunk):
            expect(chunk.get("usage"), say("usage of a chunk with choices")).equals(None)


@check("stream-options.unasked-usage", requirement="stream-options.no-usage-unasked", tier="smoke")
async def no_usage_in_every_chunk(api: Api) -> None:
    """A stream without `include_usage` has usage at most once.

    未设置 `include_usage` 的流至多携带一次用量。
    """
    chunks = (await streamed(api)).chunks
    counted = [chunk for chunk in chunks if isinstance(chunk.get("usage"), Mapping)]
    expect(len(counted), say("number of chunks with usage")).at_most(1)


@check(
    "stream-options.declined-usage",
    requirement="stream-options.no-usage-unasked",
    tier="deep",
    needs=("stream_options",),
)
async def no_usage_when_set_to_false(api: Api) -> None:
    """With `include_usage: false`, a stream has usage at most once.

    设置 `include_usage: false` 时，流至多携带一次用量。
    """
    chunks = (await streamed(api, stream_options={"include_usage": False})).chunks
    counted = [chunk for chunk in chunks if isinstance(chunk.get("usage"), Mapping)]
    expect(len(counted), say("number of chunks with usage")).at_most(1)


@check("stream-options.same-text", requirement="stream-options.include-usage", tier="smoke")
async def asking_for_usage_keeps_the_text(api: Api) -> None:
    """A greedy stream has the same text with and without `include_usage`.

    无论是否设置 `include_usage`，贪心流的文本都相同。
    """

    async def with_usage(fresh: bool) -> str:
        return solid((await streamed(api, fresh=fresh, stream_options=USAGE)).text)

    async def without(fresh: bool) -> str:
        return solid((await streamed(api, fresh=fresh)).text)

    await expect_agreement(without, with_usage, say("the same text with include_usage"))


@check(
    "stream-options.needs-stream-param",
    requirement="errors.bad-input-param",
    needs=("stream_options",),
)
async def the_refusal_names_stream_options(api: Api) -> None:
    """The error for `stream_options` without `stream` names `stream_options`.

    没有 `stream` 而设置 `stream_options` 时，拒绝信息指出 `stream_options`。
    """
    error = as_rejected(await api.complete(**MINIMAL_REQUEST, stream_options=USAGE), 400, 422)
    if "stream" not in error.words.lower():
        raise Failure(say("`stream_options` in param or message"), shown(error.error))


@check("stream-options.null", requirement="stream-options.null-is-none")
async def null_sets_no_option(api: Api) -> None:
    """`stream_options: null` has no effect.

    `stream_options: null` 不影响响应。
    """
    if await nulls_are_harmless(api, "stream_options"):
        return
    response = await api.complete(**MINIMAL_REQUEST, stream_options=None)
    if response.status != 200:
        # A null uses no feature, so its rejection alone would not show an optional feature.
        await streamed(api, stream_options=USAGE)
    response.expect_ok()


@check("stream-options.obfuscation", requirement="stream-options.include-obfuscation", tier="deep")
async def padding_keeps_the_text(api: Api) -> None:
    """With `include_obfuscation`, a greedy stream has the text of the non-streaming response.

    设置 `include_obfuscation` 时，贪心流的文本与非流式响应相同。
    """
    padding = {"include_obfuscation": True}

    async def unstreamed(fresh: bool) -> str:
        return solid((await non_streaming(api, fresh=fresh)).text)

    async def padded(fresh: bool) -> str:
        return solid((await streamed(api, fresh=fresh, stream_options=padding)).text)

    await expect_agreement(unstreamed, padded, say("the same text with padding"))


def chunks_with_usage(chunks: Iterable[JsonObject]) -> list[JsonObject]:
    """Return the chunks of a stream that have usage, if it was requested.

    Raises:
        Missing: none has.
    """
    counted = [chunk for chunk in chunks if isinstance(chunk.get("usage"), Mapping)]
    if not counted:
        raise Missing(Feature.STREAM_USAGE, say("a chunk with usage"), say("no chunk with usage"))
    return counted


@check(
    "stream-options.usage-so-far",
    requirement="stream-options.usage-so-far",
    sees_effect=True,
)
async def every_chunk_has_the_usage_so_far(api: Api) -> None:
    """With `continuous_usage_stats`, each chunk counts the tokens so far, up to the total.

    设置 `continuous_usage_stats` 时，每个数据块都统计截至当时的 token，直到总数。
    """
    options = {"include_usage": True, "continuous_usage_stats": True}
    try:
        response = await stream_response(api, stream_options=options)
    except Refusal:
        raise NotApplicable(say("`continuous_usage_stats` is rejected")) from None
    completion = collect_stream(response)
    counts, of_choices = [], 0
    for chunk in completion.chunks:
        usage = chunk.get("usage")
        if not isinstance(usage, Mapping):
            raise Failure(say("a usage object in every chunk"), shown(chunk), effect=Effect.IGNORED)
        counts.append(Usage(usage).completion_tokens)
        of_choices = counts[-1] if choices_in_chunk(chunk) else of_choices
    total = completion.usage.completion_tokens
    at_once = len(counts) > FEW_CHUNKS and counts[0] == total
    if counts != sorted(counts) or {counts[-1], of_choices} != {total} or at_once:
        raise Failure(say("counts of tokens that rise to {total}", total=total), shown(counts))
