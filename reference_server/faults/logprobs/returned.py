"""Faults of log probabilities: whether they are returned, and with which alternatives."""

from __future__ import annotations

from typing import Any

from reference_server.behaviour.builders import (
    drops,
    each_choice,
    logprobs,
    number_of,
    rejects,
    rewrites,
    sets,
)
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, Shows, fault
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger
from reference_server.faults._parts import (
    IN_STREAMS,
    maps,
    of_each_choice,
    parts,
    values,
)

ARRAYS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
TRIGGERS = ALL_TRIGGERS - {Trigger.SECOND_CHOICE}


# ── Whether they are returned ───────────────────────────────────────────────────────────────────


RETURNED = "logprobs.returned echo.logprobs-cover-prompt"
"""Requirements broken by missing log probabilities; with ``echo`` the prompt's are missing, too."""


@fault("logprobs-ignored", breaks=RETURNED)
def logprobs_ignored() -> Behaviour:
    """``logprobs`` has no effect."""
    return drops("logprobs")


@fault("logprobs-null", breaks=RETURNED, evidence=Evidence.REPORTED)
def logprobs_null() -> Behaviour:
    """Requested log probabilities are an object of four nulls."""
    return logprobs(lambda _: dict.fromkeys(ARRAYS))


@fault("logprobs-empty", breaks=f"{RETURNED} logprobs-arrays.one-entry-per-token")
def logprobs_empty() -> Behaviour:
    """The four arrays are empty."""
    return logprobs(lambda _: {name: [] for name in ARRAYS})


@fault(
    "logprobs-chat-shape",
    breaks="logprobs.returned logprobs-arrays.four-parallel",
    evidence=Evidence.REPORTED,
)
def logprobs_chat_shape() -> Behaviour:
    """Log probabilities have the form of a chat ``content`` list."""

    def of(_: Body, choice: Body) -> Body:
        scores = choice.get("logprobs")
        if not scores:
            return choice
        pairs = zip(scores["tokens"], scores["token_logprobs"], strict=True)
        listed = [{"token": token, "logprob": score, "top_logprobs": []} for token, score in pairs]
        return {**choice, "logprobs": {"content": listed}}

    return each_choice(of)


@fault(
    "integer-logprobs-rejected",
    breaks=RETURNED,
    evidence=Evidence.SOURCE,
    triggers=TRIGGERS,
    shows=Shows.REFUSED,
)
def integer_logprobs_rejected() -> Behaviour:
    """A number for ``logprobs`` is rejected, because a relay expects a boolean."""
    return rejects(
        lambda request: type(request.get("logprobs")) is int,
        "json: cannot unmarshal number into Go struct field .logprobs of type bool",
    )


@fault(
    "logprobs-zero-disabled",
    breaks="logprobs.zero-gives-sampled",
    evidence=Evidence.REPORTED,
    triggers={Trigger.EVERY_THIRD},
)
def logprobs_zero_disabled() -> Behaviour:
    """``logprobs: 0`` is treated as absent."""
    return drops("logprobs", when=lambda request: request.get("logprobs") == 0)


@fault("logprobs-zero-lists", breaks="logprobs.zero-gives-sampled", triggers={Trigger.EVERY_THIRD})
def logprobs_zero_lists() -> Behaviour:
    """``logprobs: 0`` lists three alternatives at each position."""
    return rewrites(
        lambda request: {**request, "logprobs": 3} if request.get("logprobs") == 0 else request
    )


@fault("logprobs-null-means-one", breaks="logprobs.null-is-none", triggers={Trigger.EVERY_THIRD})
def logprobs_null_means_one() -> Behaviour:
    """``logprobs: null`` returns log probabilities."""
    return sets(lambda request: "logprobs" in request and request["logprobs"] is None, logprobs=1)


@fault("logprobs-null-refused", breaks="logprobs.null-is-none", triggers=())
def logprobs_null_refused() -> Behaviour:
    """``logprobs: null`` is rejected."""
    return rejects(lambda request: "logprobs" in request and request["logprobs"] is None)


@fault(
    "logprobs-true-ignored",
    breaks="logprobs.boolean",
    triggers=(),
    contract="zhizengzeng",
    dialect="zhizengzeng",
)
def logprobs_true_ignored() -> Behaviour:
    """``logprobs: true`` is accepted and returns no log probabilities."""
    return drops("logprobs", when=lambda request: request.get("logprobs") is True)


@fault("logprobs-unasked", breaks="logprobs.absent-unless-asked")
def logprobs_unasked() -> Behaviour:
    """Log probabilities are returned without being requested."""
    return sets(lambda request: "logprobs" not in request, logprobs=1)


@fault(
    "logprobs-above-maximum-dropped",
    breaks="logprobs.above-maximum",
    triggers=(),
)
def logprobs_above_maximum_dropped() -> Behaviour:
    """``logprobs`` above the documented maximum returns no log probabilities."""
    return drops("logprobs", when=lambda request: _many(request.get("logprobs")))


def _many(value: Any) -> bool:
    return isinstance(value, int) and value > 5


@fault(
    "stream-logprobs-missing",
    breaks="logprobs.returned streaming.logprobs-as-plain",
    evidence=Evidence.REPORTED,
    triggers=IN_STREAMS,
)
def stream_logprobs_missing() -> Behaviour:
    """Chunks have null instead of the requested log probabilities."""
    return parts(lambda part: {**part, "logprobs": None})


@fault(
    "stream-logprobs-of-last-chunk",
    breaks="logprobs.returned streaming.logprobs-as-plain",
    triggers=IN_STREAMS,
)
def stream_logprobs_of_last_chunk() -> Behaviour:
    """Only the chunk with the finish reason has log probabilities, those of its own tokens."""
    return of_each_choice(lambda _, own: [{**p, "logprobs": None} for p in own[:-1]] + own[-1:])


@fault("stream-logprobs-cumulative", breaks="streaming.logprobs-as-plain", triggers=IN_STREAMS)
def stream_logprobs_cumulative() -> Behaviour:
    """Every chunk lists the log probabilities of all tokens so far."""

    def of(_: Body, own: list[Body]) -> list[Body]:
        result: list[Body] = []
        so_far: Body = {name: [] for name in ARRAYS}
        for part in own:
            if part["logprobs"]:
                so_far = {name: so_far[name] + part["logprobs"][name] for name in ARRAYS}
                result.append({**part, "logprobs": so_far})
            else:
                result.append(part)
        return result

    return of_each_choice(of)


@fault("stream-logprobs-differ", breaks="streaming.logprobs-as-plain", triggers=IN_STREAMS)
def stream_logprobs_differ() -> Behaviour:
    """Log probabilities of chunks are lower than those of the non-streaming response."""
    less = values(lambda value: value - 0.7)
    return parts(
        lambda p: (
            {**p, "logprobs": {**p["logprobs"], **less(p["logprobs"])}} if p["logprobs"] else p
        )
    )


@fault(
    "stream-offsets-begin-anew",
    breaks="text-offset.advances-by-characters",
    triggers=IN_STREAMS,
)
def stream_offsets_begin_anew() -> Behaviour:
    """In a stream, offsets restart at 0 in every chunk."""

    def of(part: Body) -> Body:
        scores = part["logprobs"]
        if not scores:
            return part
        first = (scores["text_offset"] or [0])[0]
        anew = [offset - first for offset in scores["text_offset"]]
        return {**part, "logprobs": {**scores, "text_offset": anew}}

    return parts(of)


# ── The alternatives ─────────────────────────────────────────────────────────────────────────────


@fault("one-alternative-short", breaks="logprobs.alternatives-count")
def one_alternative_short() -> Behaviour:
    """One alternative fewer than requested is listed."""
    return logprobs(maps(lambda top: dict(_best(top)[:-1]) if len(top) > 1 else top))


@fault("capped-to-one", breaks="logprobs.alternatives-count", triggers=TRIGGERS)
def capped_to_one() -> Behaviour:
    """One alternative is listed, regardless of the number requested."""
    return rewrites(
        lambda request: (
            {**request, "logprobs": 1} if number_of(request, "logprobs") > 1 else request
        )
    )


@fault("alternatives-null", breaks="logprobs.alternatives-count")
def alternatives_null() -> Behaviour:
    """``top_logprobs`` is a list of nulls."""
    return logprobs(lambda scores: {"top_logprobs": [None] * len(scores["tokens"])})


@fault("alternatives-as-lists", breaks="logprobs.alternatives-count logprobs-arrays.four-parallel")
def alternatives_as_lists() -> Behaviour:
    """The alternatives at each position are a list of objects instead of a map."""

    def listed(top: Body) -> Any:
        return [{"token": token, "logprob": value} for token, value in top.items()]

    return logprobs(maps(listed))


@fault("sampled-not-listed", breaks="logprobs-arrays.sampled-agrees-with-top")
def sampled_not_listed() -> Behaviour:
    """The chosen token is not among the alternatives."""

    def of(scores: Body) -> Body:
        pairs = zip(scores["tokens"], scores["top_logprobs"], strict=True)
        return {
            "top_logprobs": [
                top and {(k if k != token else f"{k}~"): v for k, v in top.items()}
                for token, top in pairs
            ]
        }

    return logprobs(of)


@fault("alternatives-of-neighbour", breaks="logprobs-arrays.sampled-agrees-with-top")
def alternatives_of_neighbour() -> Behaviour:
    """Each position lists the alternatives of the previous one."""
    return logprobs(
        lambda scores: {"top_logprobs": scores["top_logprobs"][:1] + scores["top_logprobs"][:-1]}
    )


def _best(top: Body) -> list[tuple[str, float]]:
    return sorted(top.items(), key=lambda item: -item[1])
