"""``stream``: whether the answer comes in one piece or while it is generated."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import LITTLE, greedy, stream_reply, two_prompts
from conformance.checks._neutral import neutral_values_are_harmless
from conformance.judgement import Deviation, expect
from conformance.model import Effect


@check("stream.absent-is-plain", requirement="stream.plain-unless-asked", tier="smoke")
async def one_document_unless_asked(api: Api) -> None:
    """A request that does not mention `stream` is answered with one JSON document.

    未提及 `stream` 的请求，其响应是单个 JSON 文档。
    """
    reply = await api.complete(**greedy())
    reply.expect_ok()
    if reply.is_stream:
        raise Deviation("one JSON document", "a stream of events", effect=Effect.IGNORED)


@check("stream.false-is-plain", requirement="stream.plain-unless-asked")
async def one_document_when_declined(api: Api) -> None:
    """With `stream: false` the answer is one JSON document.

    设置 `stream: false` 时，响应是单个 JSON 文档。
    """
    if await neutral_values_are_harmless(api, "stream"):
        return
    reply = await api.complete(**LITTLE, stream=False)
    reply.expect_ok()
    if reply.is_stream:
        raise Deviation("one JSON document", "a stream of events", effect=Effect.IGNORED)


@check("stream.true-streams", requirement="stream.true-streams", tier="smoke")
async def events_when_asked(api: Api) -> None:
    """With `stream: true` the answer is a stream of events, not one document.

    设置 `stream: true` 时，响应是事件流，而不是单个文档。
    """
    reply = await stream_reply(api)
    _ = reply.chunk_objects
    expect(len(reply.events), "number of events").at_least(2)


@check("stream.true-streams-batch", requirement="stream.true-streams")
async def a_batch_streams_as_well(api: Api) -> None:
    """A batch of prompts with `stream: true` is answered with a stream of events as well.

    带 `stream: true` 的批次，其响应同样是事件流。
    """
    reply = await stream_reply(api, two_prompts(api))
    _ = reply.chunk_objects
    expect(len(reply.events), "number of events").at_least(3)


@check(
    "stream.wrong-type-refused",
    requirement="errors.wrong-type-refused",
    tier="deep",
    needs=("stream",),
)
async def a_word_is_no_boolean(api: Api) -> None:
    """A `stream` that is a word, and not one that stands for yes or no, is refused.

    `stream` 为既不表示是也不表示否的单词时会被拒绝。
    """
    # Lenient parsers read "yes" or 1 as true; nothing reads this word as either.
    (await api.complete(**LITTLE, stream="perhaps")).expect_error(400, 422)
