"""Faults of whether there is a stream, what ends it, and which choice a chunk belongs to."""

from __future__ import annotations

from reference_server.behaviour.builders import (
    chunks,
    drops,
    rejects,
    sets,
    streams,
)
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    Part,
    ServerResponse,
    encode,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Modifier
from reference_server.faults._parts import IN_STREAMS, by_choice, of_each_choice, parts

OF_SEVERAL = {
    Modifier.BATCH,
    Modifier.SECOND_CHOICE,
    Modifier.NON_ASCII,
    Modifier.EVERY_THIRD,
    Modifier.ECHO,
}
"""The modifiers of what shows only where there are several choices."""

TOKEN_TIME = 0.02
"""Seconds that a slow server takes for a token."""


# ── Whether there is a stream ────────────────────────────────────────────────────────────────────


@fault(
    "stream-ignored",
    breaks="stream.true-streams",
    evidence=Evidence.SIBLING,
    modifiers=IN_STREAMS - {Modifier.SECOND_CHOICE},
)
def stream_ignored() -> Behaviour:
    """``stream: true`` is answered with one plain JSON document."""
    return drops("stream", "stream_options")


@fault("stream-refused", breaks="stream.true-streams", modifiers=())
def stream_refused() -> Behaviour:
    """``stream: true`` is refused with 400."""
    return rejects(lambda request: bool(request.get("stream")), param="stream")


@fault(
    "false-streams",
    breaks="stream.plain-unless-asked",
    modifiers=(),
)
def false_streams() -> Behaviour:
    """``stream: false`` is answered with a stream: that the key is there counts, not its value."""
    return sets(lambda request: request.get("stream") is False, stream=True)


@fault(
    "streams-unasked",
    breaks="stream.plain-unless-asked",
    modifiers={Modifier.BATCH, Modifier.NON_ASCII, Modifier.EVERY_THIRD, Modifier.ECHO},
)
def streams_unasked() -> Behaviour:
    """A request that does not mention ``stream`` is answered with a stream."""
    return sets(lambda request: "stream" not in request, stream=True)


@fault(
    "fake-streaming",
    breaks="streaming.incremental",
    evidence=Evidence.REPORTED,
    modifiers=(),
)
def fake_streaming() -> Behaviour:
    """A slow server's stream arrives in one burst, when the whole answer is finished."""
    return Rewrite(raw=_slow_and_at_once)


def _slow_and_at_once(request: ClientRequest, got: ServerResponse) -> ServerResponse:
    if got.status != 200:
        return got
    limit = request.body.get("max_tokens", 16)
    wait = TOKEN_TIME * limit if isinstance(limit, int) else 0.0
    first, *rest = got.parts
    return ServerResponse(got.status, got.headers, (Part(first.data, wait), *rest), got.cut)


# ── The end ──────────────────────────────────────────────────────────────────────────────────────


@fault(
    "missing-finish-reason",
    breaks="streaming.one-finish-per-choice",
    evidence=Evidence.REPORTED,
    modifiers=IN_STREAMS,
)
def missing_finish_reason() -> Behaviour:
    """No chunk has a finish reason."""
    return parts(lambda part: {**part, "finish_reason": None})


@fault("finish-reason-absent", breaks="streaming.one-finish-per-choice", modifiers=IN_STREAMS)
def finish_reason_absent() -> Behaviour:
    """Chunks have no member ``finish_reason`` at all."""
    return parts(lambda part: {k: v for k, v in part.items() if k != "finish_reason"})


@fault("finish-empty-text", breaks="streaming.one-finish-per-choice", modifiers=IN_STREAMS)
def finish_empty_text() -> Behaviour:
    """Chunks of an unfinished choice have an empty string for a finish reason, not null."""
    return parts(lambda part: {**part, "finish_reason": part["finish_reason"] or ""})


@fault("finish-on-every-chunk", breaks="streaming.one-finish-per-choice", modifiers=IN_STREAMS)
def finish_on_every_chunk() -> Behaviour:
    """Every chunk has the finish reason."""
    return of_each_choice(
        lambda _, own: [{**p, "finish_reason": own[-1]["finish_reason"]} for p in own]
    )


@fault("finish-twice", breaks="streaming.one-finish-per-choice", modifiers=IN_STREAMS)
def finish_twice() -> Behaviour:
    """An empty chunk repeats the finish reason."""
    return of_each_choice(lambda _, own: [*own, {**own[-1], "text": "", "logprobs": None}])


@fault("finish-before-text", breaks="streaming.one-finish-per-choice", modifiers=IN_STREAMS)
def finish_before_text() -> Behaviour:
    """The finish reason comes with the first chunk, before the rest of the text."""
    return of_each_choice(
        lambda _, own: [
            {**p, "finish_reason": None if i else own[-1]["finish_reason"]}
            for i, p in enumerate(own)
        ]
    )


@fault(
    "finish-index-zero",
    breaks="streaming.one-finish-per-choice index.each-once",
    evidence=Evidence.SIBLING,
    modifiers=OF_SEVERAL,
)
def finish_index_zero() -> Behaviour:
    """The chunk with the finish reason always says that it belongs to choice 0."""
    return parts(lambda part: {**part, "index": 0} if part["finish_reason"] else part)


@fault("finish-of-first-for-all", breaks="streaming.one-finish-per-choice", modifiers=OF_SEVERAL)
def finish_of_first_for_all() -> Behaviour:
    """Only choice 0 of a stream gets a finish reason."""
    return parts(lambda part: {**part, "finish_reason": None} if part["index"] else part)


# ── Which choice ─────────────────────────────────────────────────────────────────────────────────


@fault("stream-index-missing", breaks="index.each-once streaming.chunk-shape", modifiers=IN_STREAMS)
def stream_index_missing() -> Behaviour:
    """Chunks do not say which choice they belong to."""
    return parts(lambda part: {k: v for k, v in part.items() if k != "index"})


@fault(
    "stream-index-zero",
    breaks="index.each-once index.prompt-major",
    # It shows in the second choice alone already.
    modifiers=OF_SEVERAL - {Modifier.SECOND_CHOICE},
)
def stream_index_zero() -> Behaviour:
    """All chunks say that they belong to choice 0."""
    return parts(lambda part: {**part, "index": 0})


@fault(
    "stream-choices-swapped",
    breaks="streaming.text-equals-plain index.prompt-major",
    modifiers=OF_SEVERAL,
)
def stream_choices_swapped() -> Behaviour:
    """The first two choices of a stream carry each other's index."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        if len(by_choice(sent)) < 2:
            return sent
        swapped = {0: 1, 1: 0}
        return [
            {**c, "choices": [{**p, "index": swapped.get(p["index"], p["index"])} for p in own]}
            for c in sent
            for own in [c["choices"]]
        ]

    return chunks(of)


@fault(
    "stream-choices-mixed",
    breaks="streaming.text-equals-plain streaming.echo-once streaming.logprobs-as-plain",
    modifiers=OF_SEVERAL,
)
def stream_choices_mixed() -> Behaviour:
    """Of several choices the second pieces of the first two change places."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        own = by_choice(sent)
        if len(own) < 2 or min(len(own[0]), len(own[1])) < 2:
            return sent
        texts = {id(own[0][1]): own[1][1]["text"], id(own[1][1]): own[0][1]["text"]}
        return [
            {**c, "choices": [{**p, "text": texts.get(id(p), p["text"])} for p in c["choices"]]}
            for c in sent
        ]

    return chunks(of)


@fault(
    "stream-first-choice-only",
    breaks="index.each-once index.prompt-major",
    # It shows in the second choice alone already.
    modifiers=OF_SEVERAL - {Modifier.SECOND_CHOICE},
)
def stream_first_choice_only() -> Behaviour:
    """Of several choices a stream carries the first alone."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        kept = [{**c, "choices": [p for p in c["choices"] if p["index"] == 0]} for c in sent]
        return [
            new for new, old in zip(kept, sent, strict=True) if new["choices"] or not old["choices"]
        ]

    return chunks(of)


# ── Errors and breaks ────────────────────────────────────────────────────────────────────────────


def _begun(got: ServerResponse) -> list[str]:
    """The first half of what a stream's events carry, without the end."""
    return list(got.data[: max(1, len(got.chunks) // 2)])


@fault(
    "done-after-death",
    breaks="streaming.one-finish-per-choice",
    evidence=Evidence.SOURCE,
    modifiers=IN_STREAMS - {Modifier.SECOND_CHOICE},
)
def done_after_death() -> Behaviour:
    """The upstream dies halfway, and the relay appends ``[DONE]`` as if nothing had happened."""
    return streams(lambda _, got: got.with_data([*_begun(got), "[DONE]"]))


@fault(
    "stream-ends-early",
    breaks="streaming.done-last streaming.one-finish-per-choice",
    modifiers=IN_STREAMS - {Modifier.SECOND_CHOICE},
)
def stream_ends_early() -> Behaviour:
    """A stream just ends halfway, without a finish reason and without ``[DONE]``."""
    return streams(lambda _, got: got.with_data(_begun(got)))


@fault(
    "error-plain-in-stream",
    breaks="streaming.error-framed streaming.framing",
    evidence=Evidence.REPORTED,
    modifiers=IN_STREAMS - {Modifier.SECOND_CHOICE},
)
def error_plain_in_stream() -> Behaviour:
    """A stream breaks off with an error in JSON that is no event."""

    def of(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        begun = got.with_data(_begun(got)).raw
        return got.with_raw(begun + b'{"error": {"message": "upstream died", "code": 502}}\n')

    return streams(of)


@fault(
    "error-event-bare",
    breaks="streaming.error-framed",
    modifiers=IN_STREAMS - {Modifier.SECOND_CHOICE},
)
def error_event_bare() -> Behaviour:
    """A stream breaks off with an event that has a word for an error, not the envelope."""
    return streams(lambda _, got: got.with_data([*_begun(got), '{"error": "upstream died"}']))


@fault(
    "stream-error-leaks", breaks="errors.no-leak", modifiers=IN_STREAMS - {Modifier.SECOND_CHOICE}
)
def stream_error_leaks() -> Behaviour:
    """A stream breaks off with an error event that shows the upstream's address."""
    message = "dial tcp 10.0.0.7:8080: connect: connection refused"
    envelope = {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
    event = encode(envelope).decode()
    return streams(lambda _, got: got.with_data([*_begun(got), event]))
