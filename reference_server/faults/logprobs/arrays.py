"""Faults of the four arrays of log probabilities: which tokens they list, and their numbers."""

from __future__ import annotations

import math
import re

from reference_server.behaviour.builders import (
    Choices,
    choices,
    each_choice,
    logprobs,
)
from reference_server.behaviour.messages import Behaviour, Body, ClientRequest, ServerResponse
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger
from reference_server.faults._parts import (
    maps,
    values,
)

LISTED = "streaming.logprobs-as-plain echo.logprobs-cover-prompt"
"""Requirements that a wrong list of tokens breaks if it is only in streams or with ``echo``."""


# ── Which tokens ─────────────────────────────────────────────────────────────────────────────────


@fault(
    "logprobs-of-first-for-all",
    breaks="logprobs.returned logprobs-arrays.tokens-join-to-text",
    triggers={Trigger.BATCH, Trigger.NON_ASCII, Trigger.EVERY_THIRD, Trigger.NON_STREAMING},
)
def logprobs_of_first_for_all() -> Behaviour:
    """All choices of a non-streaming response have the log probabilities of the first."""
    return choices(lambda _, of: [{**c, "logprobs": of[0]["logprobs"]} for c in of])


@fault(
    "logprobs-of-first-alone",
    breaks="logprobs.returned",
    triggers={Trigger.BATCH, Trigger.NON_ASCII, Trigger.EVERY_THIRD, Trigger.NON_STREAMING},
)
def logprobs_of_first_alone() -> Behaviour:
    """Only the first of several choices of a non-streaming response has log probabilities."""
    return choices(lambda _, of: [of[0], *({**c, "logprobs": None} for c in of[1:])])


@fault(
    "multi-token-flattened",
    breaks=f"logprobs-arrays.one-entry-per-token logprobs-arrays.four-parallel {LISTED}",
    evidence=Evidence.REPORTED,
    triggers=ALL_TRIGGERS - {Trigger.STREAM},
)
def multi_token_flattened() -> Behaviour:
    """One entry of the arrays covers two tokens."""

    def of(scores: Body) -> Body:
        tokens = scores["tokens"]
        if len(tokens) < 2:
            return {}
        return {
            **{k: v[:-1] for k, v in scores.items()},
            "tokens": [*tokens[:-2], "".join(tokens[-2:])],
        }

    return logprobs(of)


@fault("tokens-stripped", breaks=f"logprobs-arrays.tokens-join-to-text {LISTED}")
def tokens_stripped() -> Behaviour:
    """Tokens are listed without their white space."""
    return logprobs(lambda scores: {"tokens": [token.strip() for token in scores["tokens"]]})


@fault("tokens-as-in-vocabulary", breaks=f"logprobs-arrays.tokens-join-to-text {LISTED}")
def tokens_as_in_vocabulary() -> Behaviour:
    """Tokens are spelled as in the tokenizer's vocabulary, with a marker for the space."""
    return logprobs(
        lambda scores: {"tokens": [token.replace(" ", "\u0120") for token in scores["tokens"]]}
    )


@fault(
    "tokens-as-numbers", breaks=f"logprobs-arrays.tokens-join-to-text logprobs.returned {LISTED}"
)
def tokens_as_numbers() -> Behaviour:
    """Tokens are listed as ids."""
    return logprobs(lambda scores: {"tokens": [1000 + len(t) for t in scores["tokens"]]})


@fault("tokens-as-numerals", breaks=f"logprobs-arrays.tokens-join-to-text {LISTED}")
def tokens_as_numerals() -> Behaviour:
    """Tokens are listed as ids in text: ``token_id:1004``."""
    return logprobs(
        lambda scores: {"tokens": [f"token_id:{1000 + len(t)}" for t in scores["tokens"]]}
    )


@fault("token-list-rotated", breaks=f"logprobs-arrays.tokens-join-to-text {LISTED}")
def token_list_rotated() -> Behaviour:
    """The last token is listed first."""
    return logprobs(lambda scores: {"tokens": scores["tokens"][-1:] + scores["tokens"][:-1]})


@fault(
    "parts-of-characters-replaced",
    breaks="logprobs-arrays.partial-characters",
    triggers=ALL_TRIGGERS - {Trigger.NON_ASCII},
)
def parts_of_characters_replaced() -> Behaviour:
    """A token that is part of a character is listed as U+FFFD."""

    def of(token: str) -> str:
        return "\ufffd" if token.startswith("bytes:") else token

    return logprobs(lambda scores: {"tokens": [of(token) for token in scores["tokens"]]})


@fault("array-missing", breaks="logprobs-arrays.four-parallel")
def array_missing() -> Behaviour:
    """``text_offset`` is missing."""
    return each_choice(
        lambda _, choice: (
            {
                **choice,
                "logprobs": {k: v for k, v in choice["logprobs"].items() if k != "text_offset"},
            }
            if choice.get("logprobs")
            else choice
        )
    )


@fault("arrays-uneven", breaks="logprobs-arrays.four-parallel")
def arrays_uneven() -> Behaviour:
    """``token_logprobs`` is one entry shorter than ``tokens``."""
    return logprobs(lambda scores: {"token_logprobs": scores["token_logprobs"][:-1]})


# ── The numbers ──────────────────────────────────────────────────────────────────────────────────


@fault("positive-logprob", breaks="logprobs-arrays.never-positive")
def positive_logprob() -> Behaviour:
    """Log probabilities are positive: their sign is missing."""
    return logprobs(values(abs))


@fault("probabilities-not-logs", breaks="logprobs-arrays.never-positive")
def probabilities_not_logs() -> Behaviour:
    """Probabilities are returned instead of their logarithms."""
    return logprobs(values(math.exp))


@fault("top-positive", breaks="logprobs-arrays.never-positive")
def top_positive() -> Behaviour:
    """The log probabilities of alternatives are positive; those of tokens are correct."""
    return logprobs(maps(lambda top: {k: abs(v) for k, v in top.items()}))


@fault(
    "base-10-logprobs",
    breaks="logprobs-arrays.top-mass-at-most-one",
    triggers=ALL_TRIGGERS,
)
def base_10_logprobs() -> Behaviour:
    """Logarithms are decimal instead of natural."""
    return logprobs(values(lambda value: value / math.log(10)))


@fault("alternatives-all-alike", breaks="logprobs-arrays.top-mass-at-most-one")
def alternatives_all_alike() -> Behaviour:
    """All alternatives at a position have the log probability of the best."""
    return logprobs(maps(lambda top: dict.fromkeys(top, max(top.values(), default=0.0))))


@fault("scores-null", breaks="logprobs.returned logprobs-arrays.sampled-agrees-with-top")
def scores_null() -> Behaviour:
    """``token_logprobs`` is a list of nulls."""
    return logprobs(lambda scores: {"token_logprobs": [None] * len(scores["tokens"])})


@fault("scores-zero", breaks="logprobs-arrays.sampled-agrees-with-top")
def scores_zero() -> Behaviour:
    """``token_logprobs`` is a list of zeros."""
    return logprobs(
        lambda scores: {"token_logprobs": [v and 0.0 for v in scores["token_logprobs"]]}
    )


@fault("sampled-scored-otherwise", breaks="logprobs-arrays.sampled-agrees-with-top")
def sampled_scored_otherwise() -> Behaviour:
    """A token's log probability differs from its entry among the alternatives."""
    return logprobs(
        lambda scores: {"token_logprobs": [v and v - 0.7 for v in scores["token_logprobs"]]}
    )


@fault(
    "scores-shifted",
    breaks="logprobs-arrays.sampled-agrees-with-top",
    also_breaks="echo.first-token-null echo.scored-equals-generated",
)
def scores_shifted() -> Behaviour:
    """Each token has the log probability of the previous one."""
    return logprobs(
        lambda scores: {
            "token_logprobs": scores["token_logprobs"][-1:] + scores["token_logprobs"][:-1]
        }
    )


@fault(
    "scores-as-text",
    breaks="logprobs.returned logprobs-arrays.never-positive logprobs-arrays.four-parallel",
)
def scores_as_text() -> Behaviour:
    """Log probabilities are strings."""
    return logprobs(lambda scores: {"token_logprobs": [str(v) for v in scores["token_logprobs"]]})


@fault(
    "scores-not-a-number",
    breaks="envelope.strict-json streaming.framing",
    triggers=ALL_TRIGGERS - {Trigger.SECOND_CHOICE},
)
def scores_not_a_number() -> Behaviour:
    """A log probability is written as ``-Infinity``, which is not JSON."""
    return Rewrite(raw=_infinite)


def _infinite(_: ClientRequest, got: ServerResponse) -> ServerResponse:
    if got.status != 200:
        return got
    new = re.sub(rb'("token_logprobs":\[(?:null,)?)-[0-9.e-]+', rb"\1-Infinity", got.raw)
    return got if new == got.raw else got.with_raw(new)


@fault(
    "greedy-not-best",
    breaks="logprobs-arrays.greedy-is-top",
    triggers=ALL_TRIGGERS - {Trigger.ECHO},
)
def greedy_not_best() -> Behaviour:
    """The names of the best and the second alternative are swapped."""

    def swapped(top: Body) -> Body:
        names = sorted(top, key=top.__getitem__, reverse=True)
        if len(names) < 2:
            return top
        return {**top, names[0]: top[names[1]], names[1]: top[names[0]]}

    def of(scores: Body) -> Body:
        tops = [top and swapped(top) for top in scores["top_logprobs"]]
        pairs = zip(scores["tokens"], scores["token_logprobs"], tops, strict=True)
        return {
            "top_logprobs": tops,
            "token_logprobs": [(top or {}).get(token, value) for token, value, top in pairs],
        }

    return logprobs(of)


@fault(
    "logprobs-after-sampling",
    breaks="logprobs-arrays.before-sampling",
    evidence=Evidence.REPORTED,
    triggers={Trigger.NON_STREAMING},
)
def logprobs_after_sampling() -> Behaviour:
    """Log probabilities are computed after ``temperature`` and ``top_p`` are applied."""

    def of(request: Body, found: Choices) -> Choices:
        heat, top_p = request.get("temperature") or 1, request.get("top_p") or 1
        if not isinstance(heat, int | float) or not isinstance(top_p, int | float):
            return found
        sharper = values(lambda value: value / heat * top_p)
        return [
            {**c, "logprobs": {**c["logprobs"], **sharper(c["logprobs"])}} if c["logprobs"] else c
            for c in found
        ]

    return choices(of)
