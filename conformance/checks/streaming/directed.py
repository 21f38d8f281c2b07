"""``stream``, and the stream itself: its framing, its chunks, and their common identity."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.neutral_values import (
    neutral_values_are_harmless,
    nulls_are_harmless,
)
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.requests import (
    MINIMAL_REQUEST,
    choices_in_chunk,
    greedy,
    stream_response,
    streamed,
    two_prompts,
)
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect, Place
from conformance.protocol.completion import JsonObject
from conformance.protocol.response import DONE, Response


@check("stream.absent-is-plain", requirement="stream.plain-unless-asked", tier="smoke")
async def one_document_by_default(api: Api) -> None:
    """A request without `stream` gets one JSON document.

    未提及 `stream` 的请求，其响应是单个 JSON 文档。
    """
    response = await api.complete(**greedy())
    assert_one_document(response, Effect.IGNORED)


@check("stream.false-is-plain", requirement="stream.plain-unless-asked")
async def one_document_when_false(api: Api) -> None:
    """With `stream: false`, the response is one JSON document.

    设置 `stream: false` 时，响应是单个 JSON 文档。
    """
    if await neutral_values_are_harmless(api, "stream"):
        return
    response = await api.complete(**MINIMAL_REQUEST, stream=False)
    assert_one_document(response, Effect.IGNORED)


@check("stream.null", requirement="stream.null-is-default")
async def one_document_when_null(api: Api) -> None:
    """With `stream: null`, the response is one JSON document.

    设置 `stream: null` 时，响应是单个 JSON 文档。
    """
    if await nulls_are_harmless(api, "stream"):
        return
    response = await api.complete(**MINIMAL_REQUEST, stream=None)
    assert_one_document(response, Effect.ALTERED)


def assert_one_document(response: Response, effect: Effect) -> None:
    """Assert that a response is served, and is no stream."""
    response.expect_ok()
    if response.is_stream:
        raise Failure(say("one JSON document"), say("a stream of events"), effect=effect)


@check("stream.true-streams", requirement="stream.true-streams", tier="smoke", sees_effect=True)
async def events_on_request(api: Api) -> None:
    """With `stream: true`, the response is a stream of events, not one document.

    设置 `stream: true` 时，响应是事件流，而不是单个文档。
    """
    response = await stream_response(api)
    _ = response.chunk_objects
    expect(len(response.events), say("number of events")).at_least(2)


@check(
    "stream.true-streams-batch", requirement="stream.true-streams", tier="deep", sees_effect=True
)
async def a_batch_streams_as_well(api: Api) -> None:
    """A batch of prompts with `stream: true` also gets a stream of events.

    带 `stream: true` 的批次，其响应同样是事件流。
    """
    response = await stream_response(api, two_prompts(api))
    _ = response.chunk_objects
    expect(len(response.events), say("number of events")).at_least(3)


@check("streaming.content-type", requirement="streaming.content-type", tier="smoke")
async def announced_as_an_event_stream(api: Api) -> None:
    """A stream has the content type `text/event-stream`.

    流的内容类型为 `text/event-stream`。
    """
    response = await stream_response(api)
    expect(response.content_type, "content-type").equals("text/event-stream")


@check("streaming.framing", requirement="streaming.framing", tier="smoke", sees_effect=True)
async def nothing_but_events(api: Api) -> None:
    """Every line of a stream belongs to a server-sent event, and a blank line ends each event.

    流中每一行都属于服务器推送事件，每个事件都以空行结束。
    """
    response = await stream_response(api)
    if response.stream.stray:
        raise Failure(say("only fields of server-sent events"), shown(response.stream.stray[0]))
    if response.stream.unfinished is not None:
        raise Failure(say("a blank line after the last event"), shown(response.stream.unfinished))


@check("streaming.event-json", requirement="streaming.framing", tier="smoke", sees_effect=True)
async def each_event_is_one_json_document(api: Api) -> None:
    """The data of every event is one JSON object, or `[DONE]`.

    每个事件的数据都是一个 JSON 对象或 `[DONE]`。
    """
    response = await stream_response(api)
    expect(len(response.chunk_objects), say("number of chunks")).at_least(1)


@check("streaming.done-last", requirement="streaming.done-last", tier="smoke", sees_effect=True)
async def done_once_and_last(api: Api) -> None:
    """The stream of one choice ends with exactly one `data: [DONE]`.

    单个 choice 的流以恰好一个 `data: [DONE]` 结束。
    """
    assert_done_once_and_last(await stream_data(api))


@check("streaming.done-last-batch", requirement="streaming.done-last", tier="deep")
async def done_once_for_a_batch(api: Api) -> None:
    """The stream of a batch also has one `data: [DONE]`, after all of its choices.

    批次的流同样只有一个 `data: [DONE]`，位于所有 choice 之后。
    """
    assert_done_once_and_last(await stream_data(api, two_prompts(api)))


@check("streaming.chunk-shape", requirement="streaming.chunk-shape", tier="smoke", sees_effect=True)
async def chunks_are_completions(api: Api) -> None:
    """Every chunk is a `text_completion` whose choices have `text`, not a chat `delta`.

    每个数据块都是 `text_completion`，其 choice 携带 `text`，而不是聊天的 `delta`。
    """
    for chunk in (await streamed(api)).chunks:
        expect(chunk.get("object"), say("object of a chunk")).equals("text_completion")
        for part in choices_in_chunk(chunk):
            if not isinstance(part.get("text"), str):
                raise Failure(say("text in each choice of a chunk"), shown(part))


@check("streaming.chunk-schema", requirement="streaming.chunk-shape")
async def chunks_match_the_schema(api: Api) -> None:
    """Every chunk matches the contract's schema of a chunk.

    每个数据块都符合契约中数据块的 schema。
    """
    for chunk in (await streamed(api)).chunks:
        faults = api.contract.validate_chunk(chunk)
        if faults:
            raise Failure(
                say("a chunk that matches the schema"),
                faults[0].said,
                place=Place.SCHEMA,
            )


@check("streaming.id-constant", requirement="streaming.identity-constant", tier="smoke")
async def one_id_for_the_whole_stream(api: Api) -> None:
    """All chunks of a stream have the same `id`.

    一个流的所有数据块具有相同的 `id`。
    """
    assert_constant((await streamed(api)).chunks, "id")


@check("streaming.model-constant", requirement="streaming.identity-constant", tier="smoke")
async def one_model_for_the_whole_stream(api: Api) -> None:
    """All chunks of a stream name the same `model`.

    一个流的所有数据块带有相同的 `model`。
    """
    assert_constant((await streamed(api)).chunks, "model")


@check("streaming.created-constant", requirement="streaming.created-constant", tier="smoke")
async def one_time_for_the_whole_stream(api: Api) -> None:
    """All chunks of a stream have the same `created`.

    一个流的所有数据块具有相同的 `created`。
    """
    assert_constant((await streamed(api)).chunks, "created")


@check("streaming.error-framed", requirement="streaming.error-framed", tier="smoke")
async def an_error_in_a_stream_is_an_event(api: Api) -> None:
    """An error after a stream has begun is an event with the error envelope.

    流开始之后出现的错误，是携带错误对象的事件。
    """
    response = await stream_response(api)
    assert_errors_framed(
        [event.data for event in response.events if '"error"' in event.data],
        [line for line in response.stream.stray if "error" in line.lower()],
    )


def assert_errors_framed(events: Sequence[str], bare: Sequence[str]) -> None:
    """Assert that errors in a stream are events with the error envelope.

    Args:
        events: the data of the events that report an error.
        bare: lines that report an error and are not fields of an event.

    Raises:
        NotApplicable: there are neither.
        Deviation: one of them is not an event, or has no envelope with a message.
    """
    if not events and not bare:
        raise NotApplicable(say("no stream of this check failed, so there is no error to judge"))
    if bare:
        raise Failure(say('an event with {{"error": {{…}}}}'), shown(bare[0]))
    for result in events:
        inner = error_in(result)
        if inner is None:
            raise Failure(say('an event with {{"error": {{…}}}}'), shown(result))
        expect(inner.get("message"), "error.message").satisfies(
            lambda message: isinstance(message, str) and message != "", say("a sentence")
        )


def assert_done_once_and_last(data: Sequence[str]) -> None:
    """Assert that ``[DONE]`` occurs once, as the last payload."""
    count = sum(payload.strip() == DONE for payload in data)
    expect(count, say("number of [DONE] events")).equals(1)
    expect(data[-1].strip(), say("last event")).equals(DONE)


async def stream_data(api: Api, prompt: object = COUNTING) -> list[str]:
    """Return the data of the events of the shared stream.

    A last event without a blank line is included: another check judges its framing.
    """
    stream = (await stream_response(api, prompt)).stream
    last = [] if stream.unfinished is None else [stream.unfinished]
    return [*(event.data for event in stream.events), *last]


def assert_constant(chunks: Iterable[JsonObject], key: str) -> None:
    """Assert that all chunks have the same value under ``key``.

    What has no member of a chunk is no chunk, which another check reports.
    """
    values = list(dict.fromkeys(shown(chunk.get(key)) for chunk in chunks if chunk))
    if len(values) != 1:
        raise Failure(
            say("one {key} in all chunks", key=key),
            say("{count}: {values}", count=len(values), values=tuple(values[:3])),
        )


def error_in(data: str) -> JsonObject | None:
    """Return the error object of an event's data, or None."""
    try:
        envelope = json.loads(data)
    except (ValueError, RecursionError):
        return None
    inner = envelope.get("error") if isinstance(envelope, dict) else None
    return inner if isinstance(inner, dict) else None
