"""Faults of ``logit_bias``: wrong tokens, wrong amounts, or no effect."""

from collections.abc import Callable

from reference_server.behaviour.builders import drops, rejects, rejects_null, rewrites
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    Rejected,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.regenerated import (
    Choice,
    Regenerated,
    Send,
    cut,
    greedy,
    joined,
    non_streaming,
)
from reference_server.behaviour.registry import Evidence, Shows, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger
from reference_server.faults._triggers import HANDLERS, NON_STREAMING_ONLY

FORCES, BANS = "logit-bias.forces", "logit-bias.bans"
KNOWN = 4096
"""The token ids of the bundled model."""


def bias(change: Callable[[dict[str, float]], dict[str, float]]) -> Rewrite:
    """Replace a map that the server would accept."""

    def rewrite(request: Body) -> Body:
        given = request.get("logit_bias")
        good = isinstance(given, dict) and all(
            key.isdecimal() and int(key) < KNOWN and abs(value) <= 100
            for key, value in given.items()
        )
        return {**request, "logit_bias": change(given)} if given and good else request

    return rewrites(rewrite)


@fault("logit-bias-dropped", breaks=f"{FORCES} {BANS}", evidence=Evidence.SOURCE)
def logit_bias_dropped() -> Behaviour:
    """``logit_bias`` is dropped."""
    return drops("logit_bias")


@fault("logit-bias-no-effect", breaks=f"{FORCES} {BANS}", evidence=Evidence.REPORTED)
def logit_bias_no_effect() -> Behaviour:
    """``logit_bias`` is validated and has no effect."""
    return bias(lambda _: {})


@fault("logit-bias-first-only", breaks=f"{FORCES} {BANS}")
def logit_bias_first_only() -> Behaviour:
    """Of several tokens, only the first one is biased."""
    return bias(lambda given: dict([next(iter(given.items()))]))


@fault("logit-bias-last-only", breaks=f"{FORCES} {BANS}")
def logit_bias_last_only() -> Behaviour:
    """Of several tokens, only the last one is biased."""
    return bias(lambda given: dict([list(given.items())[-1]]))


@fault("logit-bias-clipped", breaks=f"{FORCES} {BANS}")
def logit_bias_clipped() -> Behaviour:
    """Biases are clamped to ±1."""
    return bias(lambda given: {key: max(-1, min(1, value)) for key, value in given.items()})


@fault("logit-bias-shifted", breaks=f"{FORCES} {BANS} prompt.tokens-equal-text")
def logit_bias_shifted() -> Behaviour:
    """The token with the next id is biased instead."""
    return bias(lambda given: {str((int(key) + 1) % KNOWN): value for key, value in given.items()})


@fault("logit-bias-negated", breaks=f"{FORCES} {BANS}")
def logit_bias_negated() -> Behaviour:
    """Biases have the wrong sign: a positive one bans a token."""
    return bias(lambda given: {key: -value for key, value in given.items()})


@fault("logit-bias-never-negative", breaks=BANS, triggers=ALL_TRIGGERS - {Trigger.EVERY_THIRD})
def logit_bias_never_negative() -> Behaviour:
    """Negative biases have no effect."""
    return bias(lambda given: {key: value for key, value in given.items() if value > 0})


@fault("logit-bias-never-positive", breaks=FORCES)
def logit_bias_never_positive() -> Behaviour:
    """Positive biases have no effect."""
    return bias(lambda given: {key: value for key, value in given.items() if value < 0})


@fault("logit-bias-mostly-ignored", breaks=f"{FORCES} {BANS}")
def logit_bias_mostly_ignored() -> Behaviour:
    """Biases have a tenth of their effect."""
    return bias(lambda given: {key: value / 10 for key, value in given.items()})


@fault(
    "logit-bias-out-of-range-accepted",
    breaks="logit-bias.out-of-range-refused errors.stream-refused-as-json",
    triggers=HANDLERS,
)
def logit_bias_out_of_range_accepted() -> Behaviour:
    """A bias out of range is clamped to ±100."""

    def rewrite(request: Body) -> Body:
        given = request.get("logit_bias")
        if not isinstance(given, dict):
            return request
        return {**request, "logit_bias": {key: max(-100, min(100, v)) for key, v in given.items()}}

    return rewrites(rewrite)


@fault(
    "logit-bias-of-first-token-only",
    breaks=f"{FORCES} {BANS}",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def logit_bias_of_first_token_only() -> Behaviour:
    """Only the first token of a completion is biased.

    Reported for SGLang: https://github.com/sgl-project/sglang/issues/8734
    """

    async def remake(request: Body, choice: Choice, send: Send) -> Choice:
        first = cut(choice.scores, 1)
        token = "".join(first["tokens"])
        if choice.entries < 2 or token.startswith("bytes:"):
            return choice
        rest = {k: v for k, v in non_streaming(request).items() if k not in ("logit_bias", "n")}
        rest["max_tokens"] = request.get("max_tokens", 16) - 1
        whole = await send({**rest, "prompt": choice.prompt + token})
        if whole is None:
            return choice
        others = whole["choices"][0]
        scores = joined(first, others["logprobs"])
        return choice.ended(token + others["text"], scores, others["finish_reason"])

    return Regenerated(
        remake, when=lambda request: greedy(request) and bool(request.get("logit_bias"))
    )


class _Dies:
    """Serves nothing any more after a bias for a token that the model does not have."""

    def __init__(self) -> None:
        self._dead = False

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        given = request.body.get("logit_bias")
        keys = given if isinstance(given, dict) else {}
        response = await upstream(request)
        if any(key.isdecimal() and int(key) >= KNOWN for key in keys) and response.status == 400:
            self._dead = True
        if self._dead and response.status in (200, 400):
            return Rejected(
                500, "EngineCore encountered an issue.", kind="InternalServerError"
            ).response
        return response


@fault(
    "logit-bias-of-unknown-id-kills-engine",
    breaks="errors.bad-input-no-server-fault logit-bias.unknown-token-refused",
    # Everything after it fails.
    also_breaks="errors.good-input-* errors.few-left-unanswered",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def logit_bias_of_unknown_id_kills_engine() -> Behaviour:
    """A bias for an unknown token id stops the engine, and every later request fails.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/16529
    and for SGLang: https://github.com/sgl-project/sglang/pull/7749
    """
    return _Dies()


@fault(
    "logit-bias-unknown-ids-accepted",
    breaks="logit-bias.unknown-token-refused errors.stream-refused-as-json",
    triggers=NON_STREAMING_ONLY,
)
def logit_bias_unknown_ids_accepted() -> Behaviour:
    """Keys that are not token ids are silently ignored."""

    def rewrite(request: Body) -> Body:
        given = request.get("logit_bias")
        if not isinstance(given, dict):
            return request
        known = {k: v for k, v in given.items() if k.isdecimal() and int(k) < KNOWN}
        return {**request, "logit_bias": known}

    return rewrites(rewrite)


@fault("logit-bias-empty-refused", breaks=FORCES, triggers=(), shows=Shows.REFUSED)
def logit_bias_empty_refused() -> Behaviour:
    """An empty ``logit_bias`` is rejected."""
    return rejects(lambda request: request.get("logit_bias") == {})


@fault("logit-bias-ends-refused", breaks=f"{FORCES} {BANS}", triggers=(), shows=Shows.REFUSED)
def logit_bias_ends_refused() -> Behaviour:
    """A bias of exactly 100 or -100 is rejected."""
    return rejects(
        lambda request: (
            isinstance(request.get("logit_bias"), dict)
            and not {-100, 100}.isdisjoint(
                value for value in request["logit_bias"].values() if isinstance(value, int | float)
            )
        )
    )


@fault(
    "logit-bias-null-refused",
    breaks="logit-bias.null-is-none",
    evidence=Evidence.REPORTED,
    triggers=NON_STREAMING_ONLY,
)
def logit_bias_null_refused() -> Behaviour:
    """``logit_bias: null`` is rejected.

    Reported for the OpenAI API: https://github.com/openai/openai-openapi/issues/27
    """
    return rejects_null("logit_bias")
