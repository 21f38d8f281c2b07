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


@fault(
    "cached-stream-as-json",
    breaks="stream.true-streams",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def cached_stream_as_json() -> Behaviour:
    """A stream of a request whose non-streaming response is cached gets that JSON document.

    Reported of a chat endpoint: https://github.com/vllm-project/semantic-router/pull/378
    """
    known: dict[str, ServerResponse] = {}

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        ignored = ("stream", "stream_options")
        key = repr({k: v for k, v in sorted(request.body.items()) if k not in ignored})
        greedy = request.body.get("temperature") == 0
        if request.body.get("stream") is True and greedy and key in known:
            return known[key]
        response = await upstream(request)
        if response.status == 200 and not response.is_stream and request.body:
            known[key] = response
        return response

    return behave


@fault(
    "truncated-response-cached",
    breaks="max-tokens.limits-answer max-tokens.longer-extends finish-reason.length-at-limit",
    # What is cached has the id of the first response.
    also_breaks="envelope.id-unique",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def truncated_response_cached() -> Behaviour:
    """A greedy response that was cut at its limit is served to every later request of its prompt.

    Reported of a chat endpoint: https://github.com/diegosouzapw/OmniRoute/pull/12885
    """
    known: dict[str, ServerResponse] = {}

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        body, prompt = request.body, request.body.get("prompt")
        cacheable = response.status == 200 and not response.is_stream and isinstance(prompt, str)
        if not cacheable or not isinstance(prompt, str) or body.get("temperature") != 0:
            return response
        if prompt not in known and b'"finish_reason":"length"' in response.raw:
            known[prompt] = response
        return known.get(prompt, response)

    return behave
