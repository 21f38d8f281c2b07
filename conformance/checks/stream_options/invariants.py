"""``stream_options`` in every stream of a run: usage once, last, and only where requested."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.checks import invariant
from conformance.checks._shared.counts import assert_three_counts
from conformance.checks._shared.recorded_streams import chunks_of, unbroken
from conformance.checks._shared.requests import choices_in_chunk
from conformance.judgement import Failure, Feature, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.completion import JsonObject
from conformance.protocol.trace import RecordedExchange


@invariant(
    "stream-options.usage-everywhere", requirement="stream-options.include-usage", of=Feature.USAGE
)
def requested_usage_comes_last(exchange: RecordedExchange) -> None:
    """Every stream with `include_usage` ends with one chunk that has the usage and no choices.

    每个带 `include_usage` 的流都以一个有用量、无 choice 的数据块结束。

    The usage has three whole numbers, as in a non-streaming response.
    """
    if not exchange.request.include_usage or not exchange.request.stream:
        raise NotApplicable(say("no usage was requested"))
    _ = unbroken(exchange)
    chunks = chunks_of(exchange)
    bare = [chunk for chunk in chunks if _has_usage(chunk) and chunk.get("choices") == []]
    if not any(_has_usage(chunk) for chunk in chunks):
        raise Failure(say("a chunk with usage"), say("no chunk with usage"), effect=Effect.IGNORED)
    expect(len(bare), say("number of chunks with usage and empty choices")).equals(1)
    if chunks[-1] is not bare[0]:
        raise Failure(say("the usage in the last chunk"), shown(chunks[-1]))
    assert_three_counts(exchange.completion)


@invariant(
    "stream-options.only-one-bill-everywhere", requirement="stream-options.other-chunks-null"
)
def no_other_chunk_has_usage(exchange: RecordedExchange) -> None:
    """In every stream with `include_usage`, the chunks with choices have no usage.

    在每个带 `include_usage` 的流中，含 choice 的数据块都不携带用量。
    """
    if not exchange.request.include_usage:
        raise NotApplicable(say("no usage was requested"))
    for chunk in chunks_of(exchange):
        if choices_in_chunk(chunk):
            expect(chunk.get("usage"), say("usage of a chunk with choices")).equals(None)


@invariant("stream-options.usage-null-everywhere", requirement="stream-options.other-chunks-null")
def every_other_chunk_says_usage_null(exchange: RecordedExchange) -> None:
    """In every stream with `include_usage`, the chunks with choices have `usage: null`.

    在每个带 `include_usage` 的流中，含 choice 的数据块都带有 `usage: null`，而不是没有 `usage`。

    A stream without any usage, or with a value in its place, is reported by other checks.
    """
    if not exchange.request.include_usage or not exchange.request.stream:
        raise NotApplicable(say("no usage was requested"))
    chunks = chunks_of(exchange)
    if not any(map(_has_usage, chunks)):
        raise NotApplicable(say("not applicable to this response"))
    parts = [chunk for chunk in chunks if choices_in_chunk(chunk)]
    if not parts:
        raise NotApplicable(say("not applicable to this response"))
    without = sum("usage" not in chunk for chunk in parts)
    if without:
        raise Failure(
            say("`usage: null` in every chunk with choices"),
            say(
                "no `usage` in {count} of {all} chunks with choices", count=without, all=len(parts)
            ),
        )


@invariant("stream-options.unasked-everywhere", requirement="stream-options.no-usage-unasked")
def no_stream_repeats_unrequested_usage(exchange: RecordedExchange) -> None:
    """Every stream without `include_usage` has usage at most once.

    每个未设置 `include_usage` 的流都至多携带一次用量。
    """
    if exchange.request.include_usage:
        raise NotApplicable(say("usage was requested"))
    counted = sum(_has_usage(chunk) for chunk in chunks_of(exchange))
    expect(counted, say("number of chunks with usage")).at_most(1)


def _has_usage(chunk: JsonObject) -> bool:
    return isinstance(chunk.get("usage"), Mapping)
