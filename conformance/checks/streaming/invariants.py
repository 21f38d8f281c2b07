"""Every stream of a run: present if requested, with correct framing, chunks and end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks import invariant, invariant_across
from conformance.checks._shared.changed_texts import (
    assert_as_whole_as_tokens,
    changed,
    is_broken_form,
)
from conformance.checks._shared.characters import assert_utf_8
from conformance.checks._shared.invariants import Inspection, assert_each
from conformance.checks._shared.recorded_streams import (
    SPEAKS_OF_AN_ERROR,
    chunks_of,
    is_error,
    stream_of,
    unbroken,
)
from conformance.checks._shared.requests import choices_in_chunk
from conformance.checks.streaming.directed import (
    assert_constant,
    assert_done_once_and_last,
    assert_errors_framed,
)
from conformance.judgement import Failure, Feature, Missing, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.response import Response
from conformance.protocol.trace import RecordedExchange

CHAT_MEMBERS = ("delta", "message")
"""Members of a chat chunk in place of text."""


@invariant("stream.streams-everywhere", requirement="stream.true-streams", of=Feature.STREAM)
def every_stream_asked_for_is_one(exchange: RecordedExchange) -> None:
    """Every response to a request with `stream: true` is a stream of server-sent events.

    凡是带 `stream: true` 的请求，其响应都是服务器推送事件（SSE）流。
    """
    if not exchange.request.stream:
        raise NotApplicable(say("no stream was requested"))
    if not exchange.served.is_stream and not is_error(_body_of(exchange.response)):
        raise Missing(
            Feature.STREAM,
            say("a stream"),
            say("one body: {body}", body=shown(_beginning(exchange.response))),
        )


@invariant("stream.plain-everywhere", requirement="stream.plain-unless-asked")
def nothing_streams_unasked(exchange: RecordedExchange) -> None:
    """Every response to a request without `stream: true` is one JSON document.

    凡是没有 `stream: true` 的请求，其响应都是单个 JSON 文档。
    """
    if exchange.request.stream:
        raise NotApplicable(say("a stream was requested"))
    if exchange.served.is_stream:
        raise Failure(
            say("one JSON document"),
            say("a stream: {text}", text=shown(_beginning(exchange.response))),
        )


@invariant("streaming.content-type-everywhere", requirement="streaming.content-type")
def every_stream_is_announced_as_one(exchange: RecordedExchange) -> None:
    """Every stream has the content type `text/event-stream`.

    每个流的内容类型都是 `text/event-stream`。
    """
    expect(stream_of(exchange).content_type, "content-type").equals("text/event-stream")


@invariant("streaming.framing-everywhere", requirement="streaming.framing")
def every_stream_is_nothing_but_events(exchange: RecordedExchange) -> None:
    """Every stream is UTF-8 and consists of events with one JSON object or `[DONE]` each.

    每个流都采用 UTF-8 编码，且只由事件组成：一个 JSON 对象或 `[DONE]`，并以空行结束。

    Another check judges how a server reports its own errors.
    """
    stream = stream_of(exchange).stream
    # Other checks would judge U+FFFD in invalid UTF-8 as a different text.
    assert_utf_8(exchange.exchange)
    stray = [line for line in stream.stray if not SPEAKS_OF_AN_ERROR.search(line)]
    if stray:
        raise Failure(say("only fields of server-sent events"), shown(stray[0]))
    if stream.unfinished is not None:
        raise Failure(say("a blank line after the last event"), shown(stream.unfinished))
    for data, result in exchange.payloads:
        if not isinstance(result, dict):
            raise Failure(say("one JSON object per event"), shown(data))


@invariant("streaming.done-everywhere", requirement="streaming.done-last")
def every_stream_ends_with_done(exchange: RecordedExchange) -> None:
    """Every stream ends with exactly one `data: [DONE]`, unless it ended with an error.

    每个流都以恰好一个 `data: [DONE]` 结束，因错误中断者除外。
    """
    stream = unbroken(exchange).stream
    last = [] if stream.unfinished is None else [stream.unfinished]
    data = [*(event.data for event in stream.events), *last]
    if not data:
        raise NotApplicable(say("the stream is empty"))
    assert_done_once_and_last(data)


@invariant("streaming.chunk-shape-everywhere", requirement="streaming.chunk-shape")
def every_chunk_is_a_text_completion(exchange: RecordedExchange) -> None:
    """Every chunk of every stream is a `text_completion` with `text`, not a chat chunk.

    每个流的每个数据块都是 `text_completion`，其 choice 携带 `text`，不带聊天内容。
    """
    for chunk in chunks_of(exchange):
        expect(chunk.get("object"), say("object of a chunk")).equals("text_completion")
        if not isinstance(chunk.get("choices"), list):
            raise Failure(say("choices an array in every chunk"), shown(chunk))
        for part in choices_in_chunk(chunk):
            if not isinstance(part.get("text"), str):
                raise Failure(say("text in each choice of a chunk"), shown(part))
            if any(part.get(name) is not None for name in CHAT_MEMBERS):
                raise Failure(say("text and no chat in each choice of a chunk"), shown(part))


@invariant("streaming.id-constant-everywhere", requirement="streaming.identity-constant")
def every_stream_has_one_id_and_one_model(exchange: RecordedExchange) -> None:
    """All chunks of every stream have the same `id` and name the same `model`.

    在每个流中，所有数据块都具有相同的 `id` 和 `model`。
    """
    chunks = chunks_of(exchange)
    assert_constant(chunks, "id")
    assert_constant(chunks, "model")


@invariant("streaming.created-constant-everywhere", requirement="streaming.created-constant")
def every_stream_has_one_time(exchange: RecordedExchange) -> None:
    """All chunks of every stream have the same `created`.

    在每个流中，所有数据块都具有相同的 `created`。
    """
    assert_constant(chunks_of(exchange), "created")


@invariant(
    "streaming.one-finish-everywhere",
    requirement="streaming.one-finish-per-choice",
)
def every_streamed_choice_ends_once(exchange: RecordedExchange) -> None:
    """Every choice of every stream has exactly one finish_reason and no text after it.

    每个流的每个 choice 都恰有一个 finish_reason，其后没有文本。
    """
    _ = unbroken(exchange)
    chunks = chunks_of(exchange)
    ends: dict[object, str] = {}
    begun = set()
    for part in (part for chunk in chunks for part in choices_in_chunk(chunk)):
        index, text = shown(part.get("index")), part.get("text")
        begun.add(index)
        if index in ends and text:
            raise Failure(
                say("no text of choice {index} after its finish_reason", index=index), shown(part)
            )
        if part.get("finish_reason") is not None:
            if index in ends:
                result = say(
                    "{before}, then {reason}",
                    before=ends[index],
                    reason=shown(part["finish_reason"]),
                )
                raise Failure(say("one finish_reason of choice {index}", index=index), result)
            ends[index] = shown(part["finish_reason"])
    for index in sorted(begun - ends.keys()):
        raise Failure(say("a finish_reason of choice {index}", index=index), say("none"))


@invariant("streaming.error-framed-everywhere", requirement="streaming.error-framed")
def every_error_in_a_stream_is_an_event(exchange: RecordedExchange) -> None:
    """Every error after a stream has begun is an event with the error envelope.

    凡是流开始之后出现的错误，都是携带错误对象的事件。
    """
    _ = exchange.request
    response = exchange.response
    if exchange.exchange.status != 200 or not response.is_stream:
        raise NotApplicable(say("the response is not a stream"))
    assert_errors_framed(
        [data for data, result in exchange.payloads if is_error(result)],
        [line for line in response.stream.stray if SPEAKS_OF_AN_ERROR.search(line)],
    )


@invariant("streaming.whole-characters-everywhere", requirement="streaming.whole-characters")
def streamed_characters_are_as_whole_as_their_tokens(exchange: RecordedExchange) -> None:
    """No streamed text breaks a character that is whole in its tokens.

    带对数概率的流式文本，不会拆断在其 token 中完整的字符。
    """
    assert_each(exchange.streamed.choices, assert_as_whole_as_tokens)


@invariant_across("streaming.same-characters-everywhere", requirement="streaming.whole-characters")
def streamed_characters_are_as_whole_as_in_other_responses(
    exchanges: Sequence[RecordedExchange],
) -> Iterator[Inspection]:
    """No streamed greedy text breaks a character that is whole in other responses.

    流式贪心文本不会拆断在同一 prompt 的其他响应中完整的字符。
    """
    yield from changed(
        exchanges, in_stream=True, is_changed=is_broken_form, what=say("whole characters")
    )


def _body_of(response: Response) -> object:
    try:
        return response.json
    except Failure:
        return None


def _beginning(response: Response) -> str:
    return response.exchange.body[:160].decode("utf-8", errors="replace")
