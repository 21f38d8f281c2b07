"""Faults of what a stream's chunks have in common: id, model, time and shape."""

from __future__ import annotations

from typing import Any

from reference_server.behaviour.builders import (
    chunks,
)
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._parts import IN_STREAMS, parts

# ── Identity and shape ───────────────────────────────────────────────────────────────────────────


def _numbered(name: str, change: Any) -> Behaviour:
    return chunks(lambda _, sent: [{**c, name: change(i, c[name])} for i, c in enumerate(sent)])


@fault(
    "id-changes-midstream",
    breaks="streaming.identity-constant",
    evidence=Evidence.SOURCE,
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def id_changes_midstream() -> Behaviour:
    """Every chunk has a different id."""
    return _numbered("id", lambda i, value: f"{value}-{i}")


@fault(
    "last-id-differs",
    breaks="streaming.identity-constant",
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def last_id_differs() -> Behaviour:
    """The last chunk of a stream has a different id, because the relay generates it."""
    return chunks(lambda _, sent: [*sent[:-1], {**sent[-1], "id": "chatcmpl-relay"}])


@fault(
    "model-changes-midstream",
    breaks="streaming.identity-constant",
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def model_changes_midstream() -> Behaviour:
    """The chunks after the first name the upstream's model."""
    return _numbered("model", lambda i, value: f"upstream/{value}" if i else value)


@fault(
    "created-per-chunk",
    breaks="streaming.created-constant",
    evidence=Evidence.SOURCE,
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def created_per_chunk() -> Behaviour:
    """Every chunk has a different ``created``."""
    return _numbered("created", lambda i, value: value + i)


@fault(
    "chat-usage-chunk",
    breaks="streaming.chunk-shape",
    # A second chunk with usage has other counts.
    also_breaks="stream-options.include-usage usage.stream-equals-plain",
    evidence=Evidence.SOURCE,
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def chat_usage_chunk() -> Behaviour:
    """A stream ends with a chat chunk that contains usage that was not requested."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
        foreign = {"object": "chat.completion.chunk", "choices": [], "usage": usage}
        return [*sent, {**sent[0], **foreign}]

    return chunks(of)


@fault(
    "stream-text-erased",
    breaks="streaming.chunk-shape text.present",
    evidence=Evidence.SOURCE,
    triggers=IN_STREAMS,
)
def stream_text_erased() -> Behaviour:
    """Chunks have an empty ``delta`` and no ``text``."""
    return parts(lambda part: {**{k: v for k, v in part.items() if k != "text"}, "delta": {}})


@fault("stream-chat-delta", breaks="streaming.chunk-shape text.present", triggers=IN_STREAMS)
def stream_chat_delta() -> Behaviour:
    """Chunks have the text in a chat ``delta``."""

    def of(part: Body) -> Body:
        kept = {name: value for name, value in part.items() if name != "text"}
        return {**kept, "delta": {"content": part["text"]}}

    return parts(of)


@fault(
    "role-chunk-first",
    breaks="streaming.chunk-shape",
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def role_chunk_first() -> Behaviour:
    """A stream begins with a chat chunk that contains the role."""
    role = {"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}
    return chunks(
        lambda _, sent: [
            {**sent[0], "object": "chat.completion.chunk", "choices": [role]},
            *sent,
        ]
    )


@fault(
    "chunk-object-foreign",
    breaks="streaming.chunk-shape",
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def chunk_object_foreign() -> Behaviour:
    """Chunks have the object ``text_completion.chunk``."""
    return chunks(lambda _, sent: [{**c, "object": "text_completion.chunk"} for c in sent])


@fault(
    "chunk-without-identity",
    breaks="streaming.chunk-shape streaming.identity-constant",
    triggers=IN_STREAMS - {Trigger.SECOND_CHOICE},
)
def chunk_without_identity() -> Behaviour:
    """Only the first chunk has ``id``, ``object``, ``created`` and ``model``."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        kept = ("object", "choices", "usage")
        return [sent[0], *({k: c[k] for k in kept if k in c} for c in sent[1:])]

    return chunks(of)
