"""Faults of combinations that the document allows and a server fails over.

Each of the two works alone, so that a test of one parameter at a time misses them.
"""

from __future__ import annotations

from collections.abc import Iterable

from reference_server.behaviour.builders import Condition, rejects
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    Rejected,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.of_requests import has_tokens, is_several
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.rewrite import Rewrite

BREAKS = "errors.good-input-no-server-fault"
REPORTED = Evidence.REPORTED

MAX_LOGPROBS = 5
"""The largest number of alternatives that is not rejected."""

BLOCK_TOKENS = 16
"""The tokens that a prefix cache keeps together."""


def _fails(when: Condition, message: str) -> Behaviour:
    return rejects(when, message, status=500, kind="InternalServerError")


def _echoes(request: Body) -> bool:
    return request.get("echo") is True


def _lists(request: Body, least: int = 0) -> bool:
    asked = request.get("logprobs")
    return isinstance(asked, int) and asked >= least


@fault("logprobs-break-server", breaks=BREAKS, evidence=REPORTED, triggers=())
def logprobs_break_server() -> Behaviour:
    """Alternatives cause a server error.

    Reported for vllm-metal: https://github.com/vllm-project/vllm-metal/issues/331
    """
    return _fails(
        lambda request: _lists(request, 1) and request["logprobs"] <= MAX_LOGPROBS,
        "list index out of range",
    )


@fault("echo-with-logprobs-breaks-server", breaks=BREAKS, evidence=REPORTED, triggers=())
def echo_with_logprobs_breaks_server() -> Behaviour:
    """``echo`` with ``logprobs`` causes a server error.

    Reported for vllm-metal: https://github.com/vllm-project/vllm-metal/issues/680
    """
    return _fails(lambda request: _echoes(request) and _lists(request), "2326")


@fault(
    "echo-with-zero-logprobs-breaks-server",
    breaks=BREAKS,
    evidence=REPORTED,
    triggers=(),
    tier=Tier.DEEP,
)
def echo_with_zero_logprobs_breaks_server() -> Behaviour:
    """``echo`` with ``logprobs: 0`` causes a server error.

    Reported for SGLang: https://github.com/sgl-project/sglang/pull/34776
    """
    return _fails(
        lambda request: _echoes(request) and _lists(request) and not request["logprobs"],
        "'input_top_logprobs'",
    )


@fault("zero-tokens-with-echo-break-server", breaks=BREAKS, evidence=REPORTED, triggers=())
def zero_tokens_with_echo_break_server() -> Behaviour:
    """``max_tokens: 0`` with ``echo`` and ``logprobs`` causes a server error.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/6521
    """
    return _fails(
        lambda request: _echoes(request) and _lists(request) and request.get("max_tokens") == 0,
        "list index out of range",
    )


@fault("tokens-with-echo-break-server", breaks=BREAKS, evidence=REPORTED, triggers=())
def tokens_with_echo_break_server() -> Behaviour:
    """A prompt of token ids with ``echo`` causes a server error.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/2706
    """
    return _fails(
        lambda request: _echoes(request) and has_tokens(request),
        'can only concatenate str (not "NoneType") to str',
    )


@fault(
    "narrow-logprobs-break-server", breaks=BREAKS, evidence=REPORTED, triggers=(), tier=Tier.DEEP
)
def narrow_logprobs_break_server() -> Behaviour:
    """An alternative that ``top_p`` excludes has no number in JSON, and causes a server error.

    Reported for SGLang: https://github.com/sgl-project/sglang/issues/5984
    """

    def change(request: Body, whole: Body) -> Body:
        top_p = request.get("top_p")
        if not isinstance(top_p, int | float) or not 0 < top_p < 1 or not request["temperature"]:
            return whole
        scores = [choice["logprobs"] or {} for choice in whole["choices"]]
        if any(_excludes(top or {}, top_p) for one in scores for top in one["top_logprobs"]):
            raise Rejected(
                500,
                "Out of range float values are not JSON compliant",
                kind="InternalServerError",
            )
        return whole

    return Rewrite(
        non_streaming=lambda request, whole: (
            change({"temperature": 1, **request}, whole) if _lists(request, 2) else whole
        )
    )


def _excludes(top: Body, top_p: float) -> bool:
    """Whether the likeliest alternatives before the last one reach ``top_p`` already."""
    reached = 0.0
    for value in sorted(top.values(), reverse=True)[:-1]:
        reached += 2.718281828459045**value
    return reached >= top_p


class _Asserts:
    """A second echo with log probabilities whose prompt begins with a cached block fails."""

    def __init__(self) -> None:
        self._cached: set[tuple[str, ...]] = set()

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        body = request.body
        if response.status != 200 or not (_echoes(body) and _lists(body)) or _several(body):
            return response
        blocks = [tokens[:BLOCK_TOKENS] for tokens in _listed(response)]
        if any(block in self._cached for block in blocks):
            return Rejected(500, "AssertionError", kind="InternalServerError").response
        self._cached.update(block for block in blocks if len(block) == BLOCK_TOKENS)
        return response


def _several(body: Body) -> bool:
    return is_several(body.get("n")) or is_several(body.get("best_of"))


def _listed(response: ServerResponse) -> Iterable[tuple[str, ...]]:
    """The tokens of each choice; of a stream, those of the first chunk of each."""
    for whole in response.chunks if response.is_stream else [response.body]:
        for part in whole["choices"]:
            yield tuple((part["logprobs"] or {}).get("tokens", ()))


@fault(
    "echo-breaks-server-when-cached",
    breaks=BREAKS,
    also_breaks="errors.few-left-unanswered",
    evidence=REPORTED,
    triggers=(),
)
def echo_breaks_server_when_cached() -> Behaviour:
    """``echo`` with ``logprobs`` causes a server error if 16 tokens of the prompt are cached.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/8268
    and https://github.com/vllm-project/vllm/issues/3251
    """
    return _Asserts()
