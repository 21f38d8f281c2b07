"""Faults of a response's envelope: ``id``, ``object``, ``created``, ``model`` and other fields."""

import random
import time
from collections.abc import Callable

from reference_server.behaviour.builders import bodies, fields, omits
from reference_server.behaviour.messages import Behaviour, Body, ClientRequest, ServerResponse
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger

TRIGGERS = ALL_TRIGGERS - {Trigger.SECOND_CHOICE}
"""Triggers. All choices of a response share its envelope."""


@fault("id-missing", breaks="envelope.id", triggers=TRIGGERS)
def id_missing() -> Behaviour:
    """There is no ``id``."""
    return omits("id")


@fault("id-empty", breaks="envelope.id", evidence=Evidence.REPORTED, triggers=TRIGGERS)
def id_empty() -> Behaviour:
    """``id`` is an empty string."""
    return fields(id="")


@fault("id-number", breaks="envelope.id", triggers=TRIGGERS)
def id_number() -> Behaviour:
    """``id`` is a number."""
    return fields(id=lambda old: sum(map(ord, old or "")))


@fault("id-constant", breaks="envelope.id-unique", evidence=Evidence.SOURCE, triggers=TRIGGERS)
def id_constant() -> Behaviour:
    """Every response has the same ``id``."""
    return fields(id="cmpl-1")


@fault("id-of-request", breaks="envelope.id-unique", triggers=TRIGGERS - {Trigger.EVERY_THIRD})
def id_of_request() -> Behaviour:
    """``id`` is derived from the request, so equal requests get the same ``id``."""
    return bodies(lambda request, whole: {**whole, "id": f"cmpl-{abs(hash(repr(request)))}"})


@fault("id-of-prompt", breaks="envelope.id-unique", triggers=TRIGGERS - {Trigger.EVERY_THIRD})
def id_of_prompt() -> Behaviour:
    """``id`` is derived from the prompt."""
    return bodies(
        lambda request, whole: {**whole, "id": f"cmpl-{abs(hash(repr(request.get('prompt'))))}"}
    )


@fault("id-by-the-second", breaks="envelope.id-unique", evidence=Evidence.SOURCE, triggers=TRIGGERS)
def id_by_the_second() -> Behaviour:
    """``id`` is the time in seconds, so responses in the same second share it."""
    return bodies(lambda _, whole: {**whole, "id": f"cmpl-{whole['created']}"})


@fault(
    "id-of-three-digits",
    breaks="envelope.id-unique",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def id_of_three_digits() -> Behaviour:
    """``id`` is a random number below 999, so that responses of one run share it.

    Reported for Ollama: https://github.com/ollama/ollama/pull/14225
    and https://github.com/ollama/ollama/pull/15089
    """
    chance = random.Random(999)  # noqa: S311 - randomness that can be repeated

    def chunked(_: Body, sent: list[Body]) -> list[Body]:
        drawn = f"cmpl-{chance.randrange(999)}"
        return [{**chunk, "id": drawn} for chunk in sent]

    return Rewrite(
        non_streaming=lambda _, whole: {**whole, "id": f"cmpl-{chance.randrange(999)}"},
        chunks=chunked,
    )


@fault("id-of-a-chat", breaks="envelope.id-prefix", evidence=Evidence.SOURCE, triggers=TRIGGERS)
def id_of_a_chat() -> Behaviour:
    """``id`` begins with ``chatcmpl-``."""
    return fields(id=lambda old: f"chat{old}")


@fault("object-missing", breaks="envelope.object streaming.chunk-shape", triggers=TRIGGERS)
def object_missing() -> Behaviour:
    """There is no ``object``."""
    return omits("object")


@fault(
    "object-chat",
    breaks="envelope.object streaming.chunk-shape",
    evidence=Evidence.REPORTED,
    triggers=TRIGGERS,
)
def object_chat() -> Behaviour:
    """``object`` is that of a chat completion."""
    return fields(object="chat.completion")


@fault(
    "object-of-a-chunk",
    breaks="envelope.object streaming.chunk-shape",
    evidence=Evidence.REPORTED,
    triggers=TRIGGERS - {Trigger.STREAM, Trigger.NON_STREAMING},
)
def object_of_a_chunk() -> Behaviour:
    """``object`` of a chunk is ``text_completion.chunk``."""
    return Rewrite(chunks=fields(object="text_completion.chunk").chunks)


@fault("created-missing", breaks="envelope.created", evidence=Evidence.REPORTED, triggers=TRIGGERS)
def created_missing() -> Behaviour:
    """There is no ``created``."""
    return omits("created")


@fault("created-float", breaks="envelope.created", evidence=Evidence.REPORTED, triggers=TRIGGERS)
def created_float() -> Behaviour:
    """``created`` has a fraction."""
    return fields(created=lambda old: old + 0.25)


@fault("created-written-as-float", breaks="envelope.created", triggers=TRIGGERS)
def created_written_as_float() -> Behaviour:
    """``created`` is a whole number written as 1700000000.0."""
    return fields(created=float)


@fault("created-string", breaks="envelope.created", triggers=TRIGGERS)
def created_string() -> Behaviour:
    """``created`` is a date as text."""
    return fields(created=lambda old: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(old)))


@fault("created-milliseconds", breaks="envelope.created", triggers=TRIGGERS)
def created_milliseconds() -> Behaviour:
    """``created`` is in milliseconds."""
    return fields(created=lambda old: old * 1000)


@fault("created-zero", breaks="envelope.created", triggers=TRIGGERS)
def created_zero() -> Behaviour:
    """``created`` is 0."""
    return fields(created=0)


@fault("created-long-ago", breaks="envelope.created-is-now", triggers=TRIGGERS)
def created_long_ago() -> Behaviour:
    """``created`` is a constant in the past."""
    return fields(created=1_589_478_378)


@fault("created-in-local-time", breaks="envelope.created-is-now", triggers=TRIGGERS)
def created_in_local_time() -> Behaviour:
    """``created`` is eight hours ahead, computed from local time as if it were UTC."""
    return fields(created=lambda old: old + 8 * 3600)


@fault("model-missing", breaks="envelope.model", triggers=TRIGGERS)
def model_missing() -> Behaviour:
    """There is no ``model``."""
    return omits("model")


@fault("model-empty", breaks="envelope.model", triggers=TRIGGERS)
def model_empty() -> Behaviour:
    """``model`` is an empty string."""
    return fields(model="")


@fault(
    "model-of-upstream",
    breaks="model.named-in-answer",
    evidence=Evidence.SOURCE,
    triggers=TRIGGERS,
)
def model_of_upstream() -> Behaviour:
    """``model`` is the upstream model that a relay used instead of the requested one."""
    return fields(model="qwen2.5-7b-instruct")


@fault(
    "model-of-family",
    breaks="model.named-in-answer",
    evidence=Evidence.REPORTED,
    triggers=TRIGGERS,
)
def model_of_family() -> Behaviour:
    """``model`` is another model of the same family: the name without its last part."""
    return fields(model=lambda old: old.removesuffix("-instruct"))


@fault("fingerprint-number", breaks="envelope.system-fingerprint", triggers=TRIGGERS)
def fingerprint_number() -> Behaviour:
    """``system_fingerprint`` is a number."""
    return fields(system_fingerprint=7)


@fault(
    "choices-empty",
    breaks="envelope.choices prompt.strings",
    triggers=TRIGGERS - {Trigger.STREAM},
)
def choices_empty() -> Behaviour:
    """``choices`` of a non-streaming response is an empty array."""
    return Rewrite(non_streaming=lambda _, whole: {**whole, "choices": []})


@fault(
    "choices-object", breaks="envelope.choices", triggers=TRIGGERS - {Trigger.STREAM, Trigger.BATCH}
)
def choices_object() -> Behaviour:
    """``choices`` of a non-streaming response is a single choice instead of an array."""
    return Rewrite(non_streaming=lambda _, whole: {**whole, "choices": whole["choices"][0]})


@fault(
    "answer-in-data",
    breaks="envelope.choices prompt.strings",
    evidence=Evidence.SOURCE,
    triggers=TRIGGERS - {Trigger.STREAM},
)
def answer_in_data() -> Behaviour:
    """A non-streaming response is wrapped as ``data``, next to a code and a message."""
    return Rewrite(non_streaming=lambda _, whole: {"code": 0, "message": "ok", "data": whole})


@fault(
    "chat-shaped-answer",
    breaks="text.present envelope.object",
    evidence=Evidence.SOURCE,
    triggers=TRIGGERS - {Trigger.STREAM},
)
def chat_shaped_answer() -> Behaviour:
    """A non-streaming response is a chat completion: choices have ``message`` and no ``text``."""

    def choice(old: Body) -> Body:
        message = {"role": "assistant", "content": old["text"]}
        return {**{k: v for k, v in old.items() if k != "text"}, "message": message}

    return Rewrite(
        non_streaming=lambda _, whole: {
            **whole,
            "object": "chat.completion",
            "choices": [choice(old) for old in whole["choices"]],
        }
    )


@fault(
    "answer-bare",
    breaks="envelope.id envelope.created index.each-once finish-reason.known-value",
    also_breaks="envelope.created-is-now envelope.id-* streaming.chunk-shape"
    " streaming.one-finish-per-choice logprobs.returned",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def answer_bare() -> Behaviour:
    """A response has no ``id`` and no ``created``, and a choice has only its text.

    Reported for LocalAI: https://github.com/mudler/LocalAI/pull/465
    and of its streams: https://github.com/mudler/LocalAI/issues/677
    """

    def of(_: Body, whole: Body) -> Body:
        kept = {k: v for k, v in whole.items() if k not in ("id", "created")}
        return {**kept, "choices": [{"text": choice["text"]} for choice in whole["choices"]]}

    return bodies(of)


@fault("nan-among-logprobs", breaks="envelope.strict-json", triggers=TRIGGERS - {Trigger.STREAM})
def nan_among_logprobs() -> Behaviour:
    """A log probability of a non-streaming response is written as NaN."""
    return _first_logprob(float("nan"))


@fault(
    "infinity-among-logprobs", breaks="envelope.strict-json", triggers=TRIGGERS - {Trigger.STREAM}
)
def infinity_among_logprobs() -> Behaviour:
    """A log probability of a non-streaming response is written as -Infinity."""
    return _first_logprob(float("-inf"))


@fault("not-utf-8", breaks="envelope.strict-json", triggers=TRIGGERS - {Trigger.STREAM})
def not_utf_8() -> Behaviour:
    """The body of a non-streaming response contains a byte that is not valid UTF-8."""
    return _plain_raw(lambda raw: raw.replace(b'"text":"', b'"text":"\xff', 1))


@fault("bytes-behind", breaks="envelope.strict-json", triggers=TRIGGERS - {Trigger.STREAM})
def bytes_behind() -> Behaviour:
    """The body of a non-streaming response continues after its JSON."""
    return _plain_raw(lambda raw: raw + b"\n0")


@fault("mark-in-front", breaks="envelope.strict-json", triggers=TRIGGERS - {Trigger.STREAM})
def mark_in_front() -> Behaviour:
    """The body of a non-streaming response begins with a byte order mark."""
    return _plain_raw(lambda raw: b"\xef\xbb\xbf" + raw)


@fault(
    "answer-cached",
    breaks="envelope.id-unique temperature.repeats-vary",
    evidence=Evidence.SIBLING,
    triggers=TRIGGERS - {Trigger.EVERY_THIRD, Trigger.STREAM},
)
def answer_cached() -> Behaviour:
    """An equal request gets the same response again, including ``id``."""
    known: dict[str, Body] = {}
    return Rewrite(non_streaming=lambda request, whole: known.setdefault(repr(request), whole))


def _first_logprob(value: float) -> Behaviour:
    def choice(old: Body) -> Body:
        scores = old.get("logprobs")
        if not scores:
            return old
        rest = scores["token_logprobs"][1:]
        return {**old, "logprobs": {**scores, "token_logprobs": [value, *rest]}}

    return Rewrite(
        non_streaming=lambda _, whole: {
            **whole,
            "choices": [choice(old) for old in whole["choices"]],
        }
    )


def _plain_raw(change: Callable[[bytes], bytes]) -> Behaviour:
    def raw(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got if got.status != 200 or got.is_stream else got.with_raw(change(got.raw))

    return Rewrite(raw=raw)
