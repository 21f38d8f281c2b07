"""Faults of ``best_of``: it is dropped, or candidates are ranked wrongly."""

from collections.abc import Callable
from statistics import fmean

from reference_server.behaviour.builders import drops, rejects, rejects_null, rewrites, sets
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, Shows, Tier, fault
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._triggers import HANDLERS, NO_STREAM

BEST = "best-of.returns-best"


def candidates(request: Body) -> int:
    """The number of candidates requested."""
    given = request.get("best_of")
    return given if isinstance(given, int) else 0


def choice_count(request: Body) -> int:
    """The number of choices requested."""
    given = request.get("n")
    return given if isinstance(given, int) else 1


def is_sound(request: Body) -> bool:
    """Whether the server would accept this ``best_of``."""
    return (
        0 < choice_count(request) <= candidates(request) <= 20 and request.get("stream") is not True
    )


@fault(
    "best-of-dropped",
    breaks=BEST,
    evidence=Evidence.SOURCE,
    triggers=NO_STREAM - {Trigger.SECOND_CHOICE},
    tier=Tier.DEEP,
)
def best_of_dropped() -> Behaviour:
    """``best_of`` is dropped."""
    return drops("best_of")


@fault(
    "best-of-ignored",
    breaks=BEST,
    evidence=Evidence.REPORTED,
    triggers=NO_STREAM - {Trigger.SECOND_CHOICE},
    tier=Tier.DEEP,
)
def best_of_ignored() -> Behaviour:
    """``best_of`` is validated and has no effect."""
    return drops("best_of", when=is_sound)


@fault(
    "best-of-worst",
    breaks=BEST,
    triggers=NO_STREAM - {Trigger.SECOND_CHOICE, Trigger.BATCH, Trigger.ECHO},
    tier=Tier.DEEP,
)
def best_of_worst() -> Behaviour:
    """The least likely candidates are returned."""
    return _Chosen(fmean)


class _Chosen:
    """Has the server generate all candidates, and returns those with the lowest ``key``."""

    def __init__(self, key: Callable[[list[float]], float]) -> None:
        self._key = key

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        """Respond to one request."""
        body = request.body
        if not is_sound(body) or isinstance(body.get("prompt"), list) or body.get("echo"):
            return await upstream(request)
        kept = body.get("logprobs")
        wanted = {**body, "n": candidates(body), "logprobs": kept or 0}
        response = await upstream(request.with_body(wanted))
        if response.status != 200:
            return response
        whole = response.body
        ranked = sorted(
            whole["choices"], key=lambda one: self._key(one["logprobs"]["token_logprobs"] or [0.0])
        )
        left = [
            {**one, "index": index, "logprobs": None if kept is None else one["logprobs"]}
            for index, one in enumerate(ranked[: choice_count(body)])
        ]
        return response.with_body({**whole, "choices": left})


@fault(
    "best-of-all-returned",
    breaks=BEST,
    also_breaks="envelope.choices",
    triggers=NO_STREAM - {Trigger.SECOND_CHOICE},
)
def best_of_all_returned() -> Behaviour:
    """All candidates are returned."""
    return rewrites(
        lambda request: {**request, "n": request["best_of"]} if is_sound(request) else request
    )


@fault("n-over-best-of-accepted", breaks="best-of.below-n-refused", triggers=())
def n_over_best_of_accepted() -> Behaviour:
    """A ``best_of`` below ``n`` is raised to ``n``."""
    return rewrites(
        lambda request: (
            {**request, "best_of": request["n"]}
            if 0 < candidates(request) < choice_count(request)
            else request
        )
    )


@fault(
    "best-of-equal-refused",
    breaks="best-of.equal-to-n-served",
    shows=Shows.REFUSED,
    triggers=(),
)
def best_of_equal_refused() -> Behaviour:
    """A ``best_of`` equal to ``n`` is rejected."""
    return rejects(
        lambda request: candidates(request) == choice_count(request) > 1, param="best_of"
    )


@fault(
    "n-needs-best-of",
    breaks="best-of.omitted-is-n",
    also_breaks="n.count",
    shows=Shows.REFUSED,
    triggers=HANDLERS,
)
def n_needs_best_of() -> Behaviour:
    """An ``n`` above 1 is rejected unless ``best_of`` is sent with it."""
    return rejects(
        lambda request: choice_count(request) > 1 and "best_of" not in request, param="n"
    )


@fault("best-of-streamed", breaks="best-of.stream-refused", triggers=())
def best_of_streamed() -> Behaviour:
    """With ``stream``, ``best_of`` is dropped and the request is served."""
    return drops("best_of", when=lambda request: request.get("stream") is True)


@fault(
    "best-of-above-maximum-accepted",
    breaks="best-of.above-maximum-refused",
    triggers=(),
)
def best_of_above_maximum_accepted() -> Behaviour:
    """A ``best_of`` above 20 is lowered to 20."""
    return sets(lambda request: candidates(request) > 20, best_of=20)


@fault(
    "best-of-equal-served",
    breaks="best-of.equal-to-n-refused",
    triggers=(),
    contract="zhizengzeng",
    dialect="zhizengzeng",
)
def best_of_equal_served() -> Behaviour:
    """A ``best_of`` equal to ``n`` is served although the contract requires more."""
    return drops("best_of", when=lambda request: 1 < choice_count(request) == candidates(request))


@fault(
    "best-of-null-refused",
    breaks="best-of.null-is-default",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def best_of_null_refused() -> Behaviour:
    """``best_of: null`` is rejected.

    Reported for llama.cpp: https://github.com/ggml-org/llama.cpp/issues/25515
    """
    return rejects_null("best_of")
