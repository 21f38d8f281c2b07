"""Faults of ``presence_penalty`` and ``frequency_penalty``: wrong amounts, or wrong tokens."""

from collections import Counter
from collections.abc import Callable

from reference_server.behaviour.builders import number_of, rejects, rewrites
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.regenerated import (
    END,
    Choice,
    Regenerated,
    Send,
    cut,
    greedy,
    joined,
    stops_of,
)
from reference_server.behaviour.registry import Evidence, Shows, Tier, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._triggers import HANDLERS, NON_STREAMING_ONLY

PRESENCE, FREQUENCY = "presence_penalty", "frequency_penalty"
OUT_OF_RANGE = "presence-penalty.out-of-range-refused frequency-penalty.out-of-range-refused"
EFFECT = "presence-penalty.lowers-repeats frequency-penalty.lowers-repeats"


def is_penalty(value: object) -> bool:
    """Whether a penalty is valid; the server rejects anything else."""
    return isinstance(value, int | float) and abs(value) <= 2


def penalties(change: Callable[[float, float], tuple[float, float]]) -> Rewrite:
    """Replace both penalties: ``(presence, frequency)``."""

    def rewrite(request: Body) -> Body:
        given = request.get(PRESENCE) or 0, request.get(FREQUENCY) or 0
        if not any(given) or not all(map(is_penalty, given)):
            return request
        return request | dict(zip((PRESENCE, FREQUENCY), change(*given), strict=True))

    return rewrites(rewrite)


@fault("penalty-ignored", breaks=EFFECT, evidence=Evidence.SOURCE)
def penalty_ignored() -> Behaviour:
    """Neither penalty has an effect."""
    return penalties(lambda *_: (0, 0))


@fault("presence-penalty-dropped", breaks="presence-penalty.lowers-repeats")
def presence_penalty_dropped() -> Behaviour:
    """``presence_penalty`` is dropped."""
    return penalties(lambda _, frequency: (0, frequency))


@fault("frequency-penalty-dropped", breaks="frequency-penalty.lowers-repeats")
def frequency_penalty_dropped() -> Behaviour:
    """``frequency_penalty`` is dropped."""
    return penalties(lambda presence, _: (presence, 0))


@fault("penalties-swapped", breaks=EFFECT)
def penalties_swapped() -> Behaviour:
    """The two penalties are swapped."""
    return penalties(lambda presence, frequency: (frequency, presence))


@fault("frequency-counted-once", breaks="frequency-penalty.lowers-repeats")
def frequency_counted_once() -> Behaviour:
    """The frequency penalty does not grow with the number of occurrences."""
    return penalties(lambda presence, frequency: (max(-2, min(2, presence + frequency)), 0))


@fault("presence-counted-often", breaks="presence-penalty.lowers-repeats")
def presence_counted_often() -> Behaviour:
    """The presence penalty grows with the number of occurrences."""
    return penalties(lambda presence, frequency: (0, max(-2, min(2, presence + frequency))))


@fault("penalties-negated", breaks=EFFECT)
def penalties_negated() -> Behaviour:
    """Penalties have the wrong sign: a positive one favours repetition."""
    return penalties(lambda presence, frequency: (-presence, -frequency))


@fault("penalties-never-negative", breaks=EFFECT)
def penalties_never_negative() -> Behaviour:
    """Negative penalties have no effect."""
    return penalties(lambda presence, frequency: (max(0, presence), max(0, frequency)))


@fault("penalties-never-positive", breaks=EFFECT)
def penalties_never_positive() -> Behaviour:
    """Positive penalties have no effect."""
    return penalties(lambda presence, frequency: (min(0, presence), min(0, frequency)))


@fault("penalties-halved", breaks=EFFECT)
def penalties_halved() -> Behaviour:
    """Penalties have half their effect."""
    return penalties(lambda presence, frequency: (presence / 2, frequency / 2))


@fault("penalties-at-most-one", breaks=EFFECT)
def penalties_at_most_one() -> Behaviour:
    """Penalties are clamped to ±1."""
    return penalties(lambda *given: (_clipped(given[0]), _clipped(given[1])))


def _clipped(value: float) -> float:
    return max(-1.0, min(1.0, value))


@fault(
    "penalty-on-prompt",
    breaks="presence-penalty.not-on-prompt frequency-penalty.not-on-prompt",
    # The tokens that are listed beside the text stay.
    also_breaks="logprobs-arrays.tokens-join-to-text",
    evidence=Evidence.SOURCE,
    triggers=(Trigger.BATCH,),
)
def penalty_on_prompt() -> Behaviour:
    """Both penalties also count the tokens of the prompt."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        return await _first_tokens_penalised(request, upstream, (PRESENCE, FREQUENCY))

    return behave


@fault(
    "presence-penalty-on-prompt",
    breaks="presence-penalty.not-on-prompt",
    also_breaks="logprobs-arrays.tokens-join-to-text",
    triggers=(),
)
def presence_penalty_on_prompt() -> Behaviour:
    """The presence penalty also counts the tokens of the prompt."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        return await _first_tokens_penalised(request, upstream, (PRESENCE,))

    return behave


@fault(
    "frequency-penalty-on-prompt",
    breaks="frequency-penalty.not-on-prompt",
    also_breaks="logprobs-arrays.tokens-join-to-text",
    triggers=(),
)
def frequency_penalty_on_prompt() -> Behaviour:
    """The frequency penalty also counts the tokens of the prompt."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        return await _first_tokens_penalised(request, upstream, (FREQUENCY,))

    return behave


async def _first_tokens_penalised(
    request: ClientRequest, upstream: Upstream, which: tuple[str, ...]
) -> ServerResponse:
    """Begin each greedy choice with the token that is likeliest once the prompt is penalised."""
    body = request.body
    presence, frequency = (
        (body.get(name) or 0) if name in which else 0 for name in (PRESENCE, FREQUENCY)
    )
    prompt = body.get("prompt")
    prompts = prompt if isinstance(prompt, list) else [prompt]
    result = await upstream(request)
    greedy = body.get("temperature") == 0 and all(isinstance(one, str) for one in prompts)
    if not (presence or frequency) or not greedy or result.is_stream or result.status != 200:
        return result
    scoring = {"model": body["model"], "prompt": prompts, "max_tokens": 1, "temperature": 0}
    scored = await upstream(request.with_body({**scoring, "logprobs": 5, "echo": True}))
    response = result.body
    for choice in response["choices"]:
        read = scored.body["choices"][choice["index"] // (body.get("n") or 1)]["logprobs"]
        counts = Counter(read["tokens"][:-1])
        left = {
            token: score - frequency * counts[token] - (presence if counts[token] else 0)
            for token, score in read["top_logprobs"][-1].items()
        }
        first = max(left, key=lambda token: left[token])
        if not choice["text"].startswith(first):
            choice["text"] = first + choice["text"][len(read["tokens"][-1]) :]
    return result.with_body(response)


@fault(
    "penalties-out-of-range-accepted",
    breaks=f"{OUT_OF_RANGE} errors.stream-refused-as-json",
    triggers=HANDLERS,
)
def penalties_out_of_range_accepted() -> Behaviour:
    """A penalty out of range is clamped to the range."""

    def rewrite(request: Body) -> Body:
        given = {
            name: request[name]
            for name in (PRESENCE, FREQUENCY)
            if isinstance(request.get(name), int | float)
        }
        return {**request, **{name: max(-2, min(2, value)) for name, value in given.items()}}

    return rewrites(rewrite)


@fault(
    "frequency-penalty-unlimited",
    breaks="frequency-penalty.out-of-range-refused",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def frequency_penalty_unlimited() -> Behaviour:
    """A ``frequency_penalty`` out of range is accepted, and ``presence_penalty`` is validated.

    Reported for the OpenAI API: https://github.com/openai/openai-python/issues/287
    and https://github.com/simonw/llm/pull/130
    """

    def rewrite(request: Body) -> Body:
        given = request.get(FREQUENCY)
        if not isinstance(given, int | float) or isinstance(given, bool):
            return request
        return {**request, FREQUENCY: max(-2, min(2, given))}

    return rewrites(rewrite)


@fault(
    "penalties-limited-to-one",
    shows=Shows.REFUSED,
    breaks="presence-penalty.range-served frequency-penalty.range-served",
    # The error names no parameter.
    also_breaks="errors.bad-input-param",
    triggers=NON_STREAMING_ONLY,
)
def penalties_limited_to_one() -> Behaviour:
    """A penalty above 1 or below -1 is rejected."""
    return rejects(
        lambda request: any(abs(number_of(request, name)) > 1 for name in (PRESENCE, FREQUENCY))
    )


@fault(
    "penalties-null-refused",
    breaks="presence-penalty.null-is-none frequency-penalty.null-is-none",
    triggers=NON_STREAMING_ONLY,
)
def penalties_null_refused() -> Behaviour:
    """A penalty of null is rejected."""
    return rejects(
        lambda request: any(
            name in request and request[name] is None for name in (PRESENCE, FREQUENCY)
        )
    )


@fault(
    "penalties-null-two",
    breaks="presence-penalty.null-is-none frequency-penalty.null-is-none",
    triggers=NON_STREAMING_ONLY,
)
def penalties_null_two() -> Behaviour:
    """A penalty of null is replaced by 2."""

    def rewrite(request: Body) -> Body:
        return {
            **request,
            **{
                name: 2
                for name in (PRESENCE, FREQUENCY)
                if name in request and request[name] is None
            },
        }

    return rewrites(rewrite)


@fault(
    "penalties-zero-default",
    breaks="presence-penalty.range-served frequency-penalty.range-served",
    triggers=NON_STREAMING_ONLY,
)
def penalties_zero_default() -> Behaviour:
    """An explicit penalty of 0 is dropped, and a default of 1 applies."""

    def rewrite(request: Body) -> Body:
        zeros = {
            name: 1 for name in (PRESENCE, FREQUENCY) if name in request and request[name] == 0
        }
        return {**request, **zeros}

    return rewrites(rewrite)


@fault(
    "penalty-on-cached-prompt",
    breaks="presence-penalty.not-on-prompt frequency-penalty.not-on-prompt",
    also_breaks="logprobs-arrays.tokens-join-to-text",
    evidence=Evidence.REPORTED,
    tier=Tier.DEEP,
    triggers=(),
)
def penalty_on_cached_prompt() -> Behaviour:
    """Penalties count the prompt, too, if it is cached: when it is sent again.

    Reported for llama.cpp: https://github.com/ggml-org/llama.cpp/issues/8971
    """
    served: set[str] = set()
    counting = penalty_on_prompt()

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        key = repr(request.body.get("prompt"))
        known = key in served
        served.add(key)
        return await (counting(request, upstream) if known else upstream(request))

    return behave


@fault("penalties-lag", breaks=EFFECT, evidence=Evidence.REPORTED, triggers=())
def penalties_lag() -> Behaviour:
    """Positive penalties do not count the token that was sampled last: it arrives too late.

    Reported for vLLM on Gaudi: https://github.com/vllm-project/vllm-gaudi/pull/1769, and for vLLM
    with asynchronous scheduling: https://github.com/vllm-project/vllm/pull/26467
    """

    async def remake(request: Body, choice: Choice, send: Send) -> Choice:
        presence, frequency = request.get(PRESENCE) or 0, request.get(FREQUENCY) or 0
        text, scores = "", cut(choice.scores, 0)
        scoring = {"model": request["model"], "max_tokens": 1, "temperature": 0, "logprobs": 5}
        for _ in range(request.get("max_tokens") or choice.entries):
            whole = await send({**scoring, "prompt": choice.prompt + text})
            if whole is None:
                return choice
            top = whole["choices"][0]["logprobs"]["top_logprobs"][0]
            late = Counter(scores["tokens"][:-1])
            left = {t: s - frequency * late[t] - presence * (late[t] > 0) for t, s in top.items()}
            token = max(left, key=lambda one: left[one])
            if token == END:
                return choice.ended(text, scores, "stop")
            row = {"tokens": token, "token_logprobs": top[token], "top_logprobs": top}
            row["text_offset"] = len(choice.prompt) + len(text)
            scores = joined(scores, {name: [value] for name, value in row.items()})
            text += token
        return choice.ended(text, scores, "length")

    return Regenerated(remake, when=_is_penalised)


def _is_penalised(request: Body) -> bool:
    penalties = [request.get(name) or 0 for name in (PRESENCE, FREQUENCY)]
    # A negative one can favour any token, and the server lists the likeliest ones only.
    return greedy(request) and max(penalties) > 0 <= min(penalties) and not stops_of(request)
