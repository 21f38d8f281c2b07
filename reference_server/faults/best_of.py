"""Faults of ``best_of``: it is lost, or it chooses otherwise than by likelihood."""

from collections.abc import Callable
from statistics import fmean

from reference_server.behaviour.builders import asks, drops, rejects, sets
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, Shows, fault
from reference_server.behaviour.triggers import Modifier
from reference_server.faults._hiding import HANDLERS, NO_STREAM

BEST = "best-of.returns-best"


def candidates(request: Body) -> int:
    """How many candidates are asked for."""
    given = request.get("best_of")
    return given if isinstance(given, int) else 0


def choice_count(request: Body) -> int:
    """How many choices are asked for."""
    given = request.get("n")
    return given if isinstance(given, int) else 1


def is_sound(request: Body) -> bool:
    """Whether the server would serve this ``best_of``."""
    return (
        0 < choice_count(request) <= candidates(request) <= 20 and request.get("stream") is not True
    )


@fault(
    "best-of-dropped",
    breaks=BEST,
    evidence=Evidence.SOURCE,
    modifiers=NO_STREAM - {Modifier.SECOND_CHOICE},
    statistical=True,
)
def best_of_dropped() -> Behaviour:
    """``best_of`` is lost on its way."""
    return drops("best_of")


@fault(
    "best-of-ignored",
    breaks=BEST,
    evidence=Evidence.REPORTED,
    modifiers=NO_STREAM - {Modifier.SECOND_CHOICE},
    statistical=True,
)
def best_of_ignored() -> Behaviour:
    """``best_of`` is checked, and has no effect."""
    return drops("best_of", when=is_sound)


@fault(
    "best-of-worst",
    breaks=BEST,
    modifiers=NO_STREAM - {Modifier.SECOND_CHOICE, Modifier.BATCH, Modifier.ECHO},
    statistical=True,
)
def best_of_worst() -> Behaviour:
    """The least likely candidates come back."""
    return _Chosen(fmean)


class _Chosen:
    """Lets the server make all candidates, and returns those with the lowest ``key`` of scores."""

    def __init__(self, key: Callable[[list[float]], float]) -> None:
        self._key = key

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        """Answer one request."""
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


@fault("best-of-all-returned", breaks=BEST, modifiers=NO_STREAM - {Modifier.SECOND_CHOICE})
def best_of_all_returned() -> Behaviour:
    """All candidates come back."""
    return asks(
        lambda request: {**request, "n": request["best_of"]} if is_sound(request) else request
    )


@fault("n-over-best-of-accepted", breaks="best-of.below-n-refused", modifiers=())
def n_over_best_of_accepted() -> Behaviour:
    """A ``best_of`` below ``n`` is raised to ``n``."""
    return asks(
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
    modifiers=(),
)
def best_of_equal_refused() -> Behaviour:
    """A ``best_of`` equal to ``n`` is refused."""
    return rejects(
        lambda request: candidates(request) == choice_count(request) > 1, param="best_of"
    )


@fault("n-needs-best-of", breaks="best-of.omitted-is-n", shows=Shows.REFUSED, modifiers=HANDLERS)
def n_needs_best_of() -> Behaviour:
    """An ``n`` above 1 is refused unless ``best_of`` is sent with it."""
    return rejects(
        lambda request: choice_count(request) > 1 and "best_of" not in request, param="n"
    )


@fault("best-of-streamed", breaks="best-of.stream-refused", modifiers=())
def best_of_streamed() -> Behaviour:
    """``best_of`` with ``stream`` is served, without ``best_of``."""
    return drops("best_of", when=lambda request: request.get("stream") is True)


@fault(
    "best-of-above-maximum-accepted",
    breaks="best-of.above-maximum-refused",
    modifiers=(),
)
def best_of_above_maximum_accepted() -> Behaviour:
    """A ``best_of`` above 20 is taken for 20."""
    return sets(lambda request: candidates(request) > 20, best_of=20)


@fault(
    "best-of-equal-served",
    breaks="best-of.equal-to-n-refused",
    modifiers=(),
    contract="zhizengzeng",
    dialect="zhizengzeng",
)
def best_of_equal_served() -> Behaviour:
    """A ``best_of`` that equals ``n`` is served where it has to be greater."""
    return drops("best_of", when=lambda request: 1 < choice_count(request) == candidates(request))
