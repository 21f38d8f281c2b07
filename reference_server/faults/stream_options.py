"""Faults of ``stream_options``."""

from __future__ import annotations

from reference_server.behaviour.builders import chunks, drops, rejects, rejects_null, rewrites
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Shows, fault
from reference_server.faults._parts import IN_EVENTS, of_each_choice

USAGE = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}


@fault(
    "include-usage-ignored",
    breaks="stream-options.include-usage",
    evidence=Evidence.SIBLING,
    triggers=IN_EVENTS,
)
def include_usage_ignored() -> Behaviour:
    """``include_usage`` has no effect."""
    return drops("stream_options", when=lambda request: bool(request.get("stream")))


@fault(
    "usage-on-every-chunk",
    breaks="stream-options.no-usage-unasked stream-options.other-chunks-null",
    evidence=Evidence.SIBLING,
    triggers=IN_EVENTS,
)
def usage_on_every_chunk() -> Behaviour:
    """Every chunk contains usage."""
    return chunks(lambda _, sent: [{**c, "usage": c.get("usage") or USAGE} for c in sent])


@fault(
    "usage-member-left-out",
    breaks="stream-options.other-chunks-null",
    evidence=Evidence.REPORTED,
    triggers=IN_EVENTS,
)
def usage_member_left_out() -> Behaviour:
    """With ``include_usage``, chunks without usage have no ``usage`` field instead of null.

    Reported for LiteLLM: https://github.com/BerriAI/litellm/issues/9657
    """
    return chunks(
        lambda _, sent: [
            c if c.get("usage") else {k: v for k, v in c.items() if k != "usage"} for c in sent
        ]
    )


@fault("usage-with-text", breaks="stream-options.include-usage", triggers=IN_EVENTS)
def usage_with_text() -> Behaviour:
    """Usage is part of the last chunk with text instead of a separate chunk."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        if not sent[-1].get("usage"):
            return sent
        return [*sent[:-2], {**sent[-2], "usage": sent[-1]["usage"]}]

    return chunks(of)


@fault("usage-first", breaks="stream-options.include-usage", triggers=IN_EVENTS)
def usage_first() -> Behaviour:
    """The chunk with the usage is sent before the text."""
    return chunks(lambda _, sent: sorted(sent, key=lambda chunk: not chunk.get("usage")))


@fault("usage-chunk-twice", breaks="stream-options.include-usage", triggers=IN_EVENTS)
def usage_chunk_twice() -> Behaviour:
    """The chunk with the usage is sent twice."""
    return chunks(lambda _, sent: [*sent, *(c for c in sent if c.get("usage"))])


@fault(
    "usage-chunk-without-choices",
    breaks="stream-options.include-usage",
    also_breaks="streaming.chunk-shape",
    triggers=IN_EVENTS,
)
def usage_chunk_without_choices() -> Behaviour:
    """The chunk with the usage has no ``choices`` field."""
    return chunks(
        lambda _, sent: [
            {k: v for k, v in c.items() if k != "choices"} if c.get("usage") else c for c in sent
        ]
    )


@fault("usage-chunk-with-choice", breaks="stream-options.include-usage", triggers=IN_EVENTS)
def usage_chunk_with_choice() -> Behaviour:
    """The chunk with the usage repeats the last choice, with an empty text."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        empty = {"text": "", "index": 0, "logprobs": None, "finish_reason": None}
        return [{**c, "choices": [empty]} if c.get("usage") else c for c in sent]

    return chunks(of)


@fault(
    "usage-apart-from-choices",
    breaks="stream-options.usage-with-last-choice",
    triggers=IN_EVENTS,
    contract="deepseek-fim",
    dialect="deepseek-fim",
)
def usage_apart_from_choices() -> Behaviour:
    """Usage is sent in a chunk of its own where the document puts it on the last choice."""

    def of(_: Body, sent: list[Body]) -> list[Body]:
        last = sent[-1]
        if not last.get("usage") or not last["choices"]:
            return sent
        return [*sent[:-1], {**last, "usage": None}, {**last, "choices": []}]

    return chunks(of)


@fault("stream-options-change-text", breaks="stream-options.include-usage", triggers=IN_EVENTS)
def stream_options_change_text() -> Behaviour:
    """With ``stream_options``, the text of the first chunk is missing."""
    return of_each_choice(
        lambda request, own: (
            [{**own[0], "text": ""}, *own[1:]] if request.get("stream_options") else own
        )
    )


@fault(
    "stream-options-without-stream",
    breaks="stream-options.without-stream-refused",
    triggers=(),
)
def stream_options_without_stream() -> Behaviour:
    """``stream_options`` without ``stream`` is accepted and ignored."""
    return drops("stream_options", when=lambda request: not request.get("stream"))


@fault(
    "stream-options-refused",
    breaks="stream-options.include-usage",
    triggers=IN_EVENTS,
    shows=Shows.REFUSED,
)
def stream_options_refused() -> Behaviour:
    """``stream_options`` is rejected with 400 as an unknown parameter."""
    return rejects(lambda request: bool(request.get("stream")) and "stream_options" in request)


@fault("obfuscation-in-text", breaks="stream-options.include-obfuscation", triggers=IN_EVENTS)
def obfuscation_in_text() -> Behaviour:
    """With ``include_obfuscation``, the padding is part of the text."""
    return of_each_choice(
        lambda request, own: (
            [{**p, "text": p["text"] + "x"} for p in own]
            if (request.get("stream_options") or {}).get("include_obfuscation")
            else own
        )
    )


@fault(
    "stream-options-null-refused",
    breaks="stream-options.null-is-none",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def stream_options_null_refused() -> Behaviour:
    """``stream_options: null`` is rejected.

    Reported for TGI: https://github.com/huggingface/text-generation-inference/issues/3155
    """
    return rejects_null("stream_options")


@fault(
    "usage-so-far-of-the-chunk",
    breaks="stream-options.usage-so-far",
    evidence=Evidence.REPORTED,
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def usage_so_far_of_the_chunk() -> Behaviour:
    """With ``continuous_usage_stats``, each chunk counts its own token alone.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/9357
    """

    def one_each(request: Body, sent: list[Body]) -> list[Body]:
        options = request.get("stream_options") or {}
        if not options.get("continuous_usage_stats"):
            return sent
        return [
            {**c, "usage": {**c["usage"], "completion_tokens": 1}} if c["choices"] else c
            for c in sent
        ]

    return chunks(one_each)


@fault(
    "usage-so-far-missing",
    breaks="stream-options.usage-so-far",
    triggers=(),
    contract="vllm",
    dialect="vllm",
)
def usage_so_far_missing() -> Behaviour:
    """``continuous_usage_stats`` has no effect."""

    def without(request: Body) -> Body:
        options = request.get("stream_options")
        if not isinstance(options, dict):
            return request
        left = {k: v for k, v in options.items() if k != "continuous_usage_stats"}
        return {**request, "stream_options": left}

    return rewrites(without)
