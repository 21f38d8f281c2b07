"""Faults of a relay: lost parameters and wrongly cached responses."""

from reference_server.behaviour.builders import rewrites
from reference_server.behaviour.messages import Behaviour, ClientRequest, ServerResponse, Upstream
from reference_server.behaviour.registry import Evidence, fault
from reference_server.faults._triggers import REQUESTS

ZEROS = """
    max-tokens.zero-with-echo temperature.zero-is-greedy seed.repeats seed.whole-range-served
    logprobs.zero-gives-sampled
"""


@fault(
    "zeros-lost",
    breaks=ZEROS,
    # `n: 0` is dropped, too.
    also_breaks="echo.zero-tokens-scores-prompt n.zero-refused",
    evidence=Evidence.SOURCE,
)
def zeros_lost() -> Behaviour:
    """Every parameter that is 0, false or empty is dropped."""
    return rewrites(lambda request: {name: value for name, value in request.items() if value})


@fault(
    "response-cache",
    breaks="temperature.repeats-vary",
    also_breaks="envelope.id-unique",
    evidence=Evidence.SIBLING,
    triggers=REQUESTS,
)
def response_cache() -> Behaviour:
    """A repeated request gets a cached response, including its id."""
    known: dict[bytes, ServerResponse] = {}

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        if request.key != request.server_key:
            return await upstream(request)
        if request.raw not in known:
            known[request.raw] = await upstream(request)
        return known[request.raw]

    return behave


@fault(
    "response-cache-by-prompt",
    breaks="max-tokens.limits-answer prompt.decides-answer temperature.repeats-vary",
    # What is cached has the id of the first response.
    also_breaks="envelope.id-unique",
    triggers=(),
)
def response_cache_by_prompt() -> Behaviour:
    """A repeated prompt gets a cached text, regardless of all other parameters."""
    known: dict[str, ServerResponse] = {}

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        prompt = request.body.get("prompt")
        if response.status != 200 or response.is_stream or not isinstance(prompt, str):
            return response
        return known.setdefault(prompt, response)

    return behave
