"""Faults of whether the response is streamed, how a stream ends, and the choice of each chunk."""

from __future__ import annotations

from dataclasses import replace

from reference_server.behaviour.builders import (
    chunks,
    drops,
    rejects,
    rejects_null,
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
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._parts import IN_STREAMS, by_choice, of_each_choice, parts

OF_SEVERAL = {
    Trigger.BATCH,
    Trigger.SECOND_CHOICE,
    Trigger.NON_ASCII,
    Trigger.EVERY_THIRD,
    Trigger.ECHO,
}
"""Triggers of faults that affect only responses with several choices."""

TOKEN_SECONDS = 0.02
"""Seconds that a slow server takes for a token."""


# ── Whether the response is streamed ────────────────────────────────────────────────────────────


@fault(
    "stream-ignored",
    breaks="stream.true-streams",
    evidence=Evidence.SIBLING,
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def stream_ignored() -> Behaviour:
    """``stream: true`` gets a single JSON document."""
    return drops("stream", "stream_options")


@fault("stream-refused", breaks="stream.true-streams", triggers=())
def stream_refused() -> Behaviour:
    """``stream: true`` is rejected with 400."""
    return rejects(lambda request: bool(request.get("stream")), param="stream")


@fault(
    "false-streams",
    breaks="stream.plain-unless-asked",
    triggers=(),
)
def false_streams() -> Behaviour:
    """``stream: false`` gets a stream: the server checks that the key exists, not its value."""
    return sets(lambda request: request.get("stream") is False, stream=True)


@fault(
    "streams-unasked",
    breaks="stream.plain-unless-asked",
    # With `best_of` nothing can be streamed, so it is refused.
    also_breaks="best-of.returns-best best-of.equal-to-n-served",
    triggers={Trigger.BATCH, Trigger.NON_ASCII, Trigger.EVERY_THIRD, Trigger.ECHO},
)
def streams_unasked() -> Behaviour:
    """A request without ``stream`` gets a stream."""
    return sets(lambda request: "stream" not in request, stream=True)


@fault(
    "fake-streaming",
    breaks="streaming.incremental",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def fake_streaming() -> Behaviour:
    """A slow server sends the stream in one burst, when the whole response is finished."""
    return Rewrite(raw=_slow_and_at_once)


def _slow_and_at_once(request: ClientRequest, got: ServerResponse) -> ServerResponse:
    if got.status != 200:
        return got
    limit = request.body.get("max_tokens", 16)
    wait = TOKEN_SECONDS * limit if isinstance(limit, int) else 0.0
    first, *rest = got.parts
    return replace(got, parts=(Part(first.data, wait), *rest))


# ── The end ──────────────────────────────────────────────────────────────────────────────────────


@fault(
    "missing-finish-reason",
    breaks="streaming.one-finish-per-choice",
    evidence=Evidence.REPORTED,
    triggers=IN_STREAMS,
)
def missing_finish_reason() -> Behaviour:
    """No chunk has a finish reason."""
    return parts(lambda part: {**part, "finish_reason": None})


@fault(
    "empty-last-chunk-lost",
    breaks="streaming.one-finish-per-choice",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def empty_last_chunk_lost() -> Behaviour:
    """A last chunk without text is not sent, and its finish reason is lost.

    Reported for fms-guardrails-orchestrator:
    https://github.com/foundation-model-stack/fms-guardrails-orchestrator/pull/515
    """

    def has_text(chunk: Body) -> bool:
        return not chunk["choices"] or any(part["text"] for part in chunk["choices"])

    return chunks(lambda _, sent: [chunk for chunk in sent if has_text(chunk)])


@fault("finish-reason-absent", breaks="streaming.one-finish-per-choice", triggers=IN_STREAMS)
def finish_reason_absent() -> Behaviour:
    """Chunks have no ``finish_reason`` field."""
    return parts(lambda part: {k: v for k, v in part.items() if k != "finish_reason"})


@fault("finish-empty-text", breaks="streaming.one-finish-per-choice", triggers=IN_STREAMS)
def finish_empty_text() -> Behaviour:
    """``finish_reason`` of an unfinished choice is an empty string instead of null."""
    return parts(lambda part: {**part, "finish_reason": part["finish_reason"] or ""})


@fault("finish-on-every-chunk", breaks="streaming.one-finish-per-choice", triggers=IN_STREAMS)
def finish_on_every_chunk() -> Behaviour:
    """Every chunk has the finish reason."""
    return of_each_choice(
        lambda _, own: [{**p, "finish_reason": own[-1]["finish_reason"]} for p in own]
    )


@fault("finish-twice", breaks="streaming.one-finish-per-choice", triggers=IN_STREAMS)
def finish_twice() -> Behaviour:
    """An additional empty chunk repeats the finish reason."""
    return of_each_choice(lambda _, own: [*own, {**own[-1], "text": "", "logprobs": None}])


@fault("finish-before-text", breaks="streaming.one-finish-per-choice", triggers=IN_STREAMS)
def finish_before_text() -> Behaviour:
    """The finish reason is sent with the first chunk, before the rest of the text."""
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
    triggers=OF_SEVERAL,
)
def finish_index_zero() -> Behaviour:
    """The chunk with the finish reason always has index 0."""
    return parts(lambda part: {**part, "index": 0} if part["finish_reason"] else part)


@fault("finish-of-first-for-all", breaks="streaming.one-finish-per-choice", triggers=OF_SEVERAL)
def finish_of_first_for_all() -> Behaviour:
    """Only choice 0 of a stream gets a finish reason."""
    return parts(lambda part: {**part, "finish_reason": None} if part["index"] else part)


# ── Which choice ────────────────────────────────────────────────────────────────────────────────


@fault("stream-index-missing", breaks="index.each-once streaming.chunk-shape", triggers=IN_STREAMS)
def stream_index_missing() -> Behaviour:
    """The choices of chunks have no ``index``."""
    return parts(lambda part: {k: v for k, v in part.items() if k != "index"})


@fault(
    "stream-index-zero",
    breaks="index.each-once index.prompt-major",
    # The second choice alone shows it.
    triggers=OF_SEVERAL - {Trigger.SECOND_CHOICE},
)
def stream_index_zero() -> Behaviour:
    """All chunks have index 0."""
    return parts(lambda part: {**part, "index": 0})


@fault(
    "stream-choices-swapped",
    breaks="streaming.text-equals-plain index.prompt-major",
    triggers=OF_SEVERAL,
)
def stream_choices_swapped() -> Behaviour:
    """The indices of the first two choices of a stream are swapped."""

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
    also_breaks="interactions.kept-together",
    triggers=OF_SEVERAL,
)
def stream_choices_mixed() -> Behaviour:
    """In a stream with several choices, the second chunks of the first two are swapped."""

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
    also_breaks="n.count prompt.strings",
    # The second choice alone shows it.
    triggers=OF_SEVERAL - {Trigger.SECOND_CHOICE},
)
def stream_first_choice_only() -> Behaviour:
    """Only the first of several choices is streamed."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        kept = [{**c, "choices": [p for p in c["choices"] if p["index"] == 0]} for c in sent]
        return [
            new for new, old in zip(kept, sent, strict=True) if new["choices"] or not old["choices"]
        ]

    return chunks(of)


# ── Errors and incomplete streams ───────────────────────────────────────────────────────────────


def _begun(got: ServerResponse) -> list[str]:
    """The first half of the data of a stream's events, without the end."""
    return list(got.data[: max(1, len(got.chunks) // 2)])


@fault(
    "done-after-death",
    breaks="streaming.one-finish-per-choice",
    evidence=Evidence.SOURCE,
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def done_after_death() -> Behaviour:
    """The upstream fails halfway, and the relay appends ``[DONE]``."""
    return streams(lambda _, got: got.with_data([*_begun(got), "[DONE]"]))


@fault(
    "stream-ends-early",
    breaks="streaming.done-last streaming.one-finish-per-choice",
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def stream_ends_early() -> Behaviour:
    """A stream ends halfway, without a finish reason and without ``[DONE]``."""
    return streams(lambda _, got: got.with_data(_begun(got)))


@fault(
    "error-plain-in-stream",
    breaks="streaming.error-framed streaming.framing",
    evidence=Evidence.REPORTED,
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def error_plain_in_stream() -> Behaviour:
    """A stream ends early with an error in JSON that is not framed as an event."""

    def of(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        begun = got.with_data(_begun(got)).raw
        return got.with_raw(begun + b'{"error": {"message": "upstream died", "code": 502}}\n')

    return streams(of)


@fault(
    "error-event-bare",
    breaks="streaming.error-framed",
    # No stream arrives whole.
    also_breaks="errors.good-input-whole-response",
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def error_event_bare() -> Behaviour:
    """A stream ends early with an event whose error is a string, not the error object."""
    return streams(lambda _, got: got.with_data([*_begun(got), '{"error": "upstream died"}']))


@fault(
    "stream-error-leaks",
    breaks="errors.no-leak",
    # The stream ends with the error.
    also_breaks="streaming.done-last errors.good-input-whole-response",
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def stream_error_leaks() -> Behaviour:
    """A stream ends early with an error event that contains the upstream's address."""
    message = "dial tcp 10.0.0.7:8080: connect: connection refused"
    envelope = {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
    event = encode(envelope).decode()
    return streams(lambda _, got: got.with_data([*_begun(got), event]))


@fault(
    "stream-null-refused",
    breaks="stream.null-is-default",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stream_null_refused() -> Behaviour:
    """``stream: null`` is rejected.

    Reported for KoboldCpp: https://github.com/LostRuins/koboldcpp/issues/1503
    """
    return rejects_null("stream")


@fault("stream-null-streams", breaks="stream.null-is-default", triggers=())
def stream_null_streams() -> Behaviour:
    """``stream: null`` is treated as true."""
    return sets(lambda request: "stream" in request and request["stream"] is None, stream=True)
