"""Other models: a confident one, terse ones, one that can return nothing, a short context."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import replace

from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    Rejected,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.of_requests import prompts_of
from reference_server.behaviour.regenerated import (
    END,
    MAX_ALTERNATIVES,
    Choice,
    Regenerated,
    Scores,
    Send,
    cut,
    greedy,
    joined,
    non_streaming,
    stops_of,
    trimmed,
)
from reference_server.behaviour.registry import variant
from reference_server.behaviour.rewrite import Rewrite

END_PROBABILITY = 0.9999
"""The probability of the end of text where a terse model ends."""


CONFIDENT_TEMPERATURE = 0.1
"""Temperature 1 of the confident model is this temperature of the bundled one."""


SCALED = ("temperature", "presence_penalty", "frequency_penalty")
"""Parameters that are added to the logits, in the same unit."""


MAX_SCALED = 2.0
"""The endpoint's maximum of each of these."""


CONTEXT = 512


@variant("sure-model", refuses="best_of", may_be_inconclusive=True)
def sure_model() -> Behaviour:
    """The model is confident of almost every token: at temperature 1 completions hardly differ."""

    def rewrite(request: Body) -> Body:
        # The best candidate of the bundled model need not be the best of this one.
        if request.get("best_of") is not None:
            raise Rejected(400, "best_of is not supported", param="best_of")
        scaled = {name: _scaled(request.get(name)) for name in SCALED}
        result = {**request, **{name: value for name, value in scaled.items() if value is not None}}
        if request.get("temperature") is None:
            result["temperature"] = CONFIDENT_TEMPERATURE
        return {**result, "logprobs": MAX_ALTERNATIVES} if _wants_scores(request) else result

    def sharpened(request: Body, whole: Body) -> Body:
        if not _wants_scores(request):
            return whole
        result = []
        for choice in whole["choices"]:
            scores = choice["logprobs"] and trimmed(
                _sharper(choice["logprobs"]), request["logprobs"]
            )
            result.append({**choice, "logprobs": scores})
        return {**whole, "choices": result}

    return Rewrite(
        request=rewrite,
        non_streaming=sharpened,
        chunks=lambda request, sent: [sharpened(request, chunk) for chunk in sent],
    )


def _scaled(value: object) -> float | None:
    """Scale the request for the bundled model; None if it does not accept the scaled values."""
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > MAX_SCALED:
        return None
    return value * CONFIDENT_TEMPERATURE


def _wants_scores(request: Body) -> bool:
    wanted = request.get("logprobs")
    return (
        isinstance(wanted, int) and not isinstance(wanted, bool) and 0 <= wanted <= MAX_ALTERNATIVES
    )


def _sharper(scores: Scores) -> Scores:
    """Scale the known part of each distribution; the rest has almost no mass then."""
    values, tops = [], []
    for value, top in zip(scores["token_logprobs"], scores["top_logprobs"], strict=True):
        scaled = {name: old / CONFIDENT_TEMPERATURE for name, old in (top or {}).items()}
        best = max(scaled.values(), default=0.0)
        mass = best + math.log(sum(math.exp(old - best) for old in scaled.values()) or 1.0)
        tops.append(None if top is None else {k: min(0.0, old - mass) for k, old in scaled.items()})
        values.append(None if value is None else min(0.0, value / CONFIDENT_TEMPERATURE - mass))
    return {**scores, "token_logprobs": values, "top_logprobs": tops}


@variant("terse-model", may_be_inconclusive=True)
def terse_model() -> Behaviour:
    """The model ends every completion after five tokens."""
    return _ending(lambda _: 5)


@variant("silent-model", may_be_inconclusive=True)
def silent_model() -> Behaviour:
    """For one prompt in four, the completion is empty, with the finish reason ``stop``."""
    return _ending(lambda prompt: None if zlib.crc32(prompt.encode()) % 4 else 0)


@variant("uneven-model", may_be_inconclusive=True)
def uneven_model() -> Behaviour:
    """The model ends every completion after one to forty tokens, depending on the prompt."""
    return _ending(lambda prompt: 1 + zlib.crc32(prompt.encode()) % 40)


def _ending(after: Callable[[str], int | None]) -> Regenerated:
    """Let a model end after so many tokens, or earlier by itself."""

    def end(choice: Choice) -> Choice:
        entries = after(choice.prompt)
        if entries is None:
            return choice
        tokens = choice.scores["tokens"]
        # No model ends within a character.
        while 0 < entries < choice.entries and _in_character(tokens, entries):
            entries += 1
        if entries >= choice.entries or tokens[entries] == END:
            return choice
        text = choice.text_before(entries)
        last = _end(choice, entries, len(choice.prompt) + len(text))
        return choice.ended(text, joined(cut(choice.scores, entries), last), "stop")

    async def remake(request: Body, choice: Choice, send: Send) -> Choice:
        stops = stops_of(request)
        if not stops or choice.finish != "stop" or not greedy(request):
            return end(choice)
        # A sequence that the model does not reach does not end its completion.
        whole = await send({k: v for k, v in non_streaming(request).items() if k != "stop"})
        if whole is None:
            return end(choice)
        other = next(c for c in whole["choices"] if c["index"] == choice.index)
        free = choice.ended(other["text"], other["logprobs"], other["finish_reason"])
        ended = end(free)
        met = [free.text.find(stop) + len(stop) for stop in stops if stop in free.text]
        if not met or any(stop in ended.text for stop in stops):
            return end(choice)
        written = len(choice.prompt) + min(met)
        made = sum(offset < written for offset in free.scores["text_offset"])
        # The tokens of the stop sequence are counted although they are not in the text.
        return replace(ended, counted=ended.entries - (made - choice.entries))

    return Regenerated(remake)


def _in_character(tokens: list[str], entry: int) -> bool:
    return any(token.startswith("bytes:") for token in tokens[entry - 1 : entry + 1])


def _end(choice: Choice, entry: int, offset: int) -> Scores:
    """The entry of the token that ends a text; all alternatives are improbable."""
    rest = math.log(1 - END_PROBABILITY)
    others = {k: v + rest for k, v in choice.scores["top_logprobs"][entry].items() if k != END}
    least = min(others, key=others.__getitem__)
    sure = round(math.log(END_PROBABILITY), 8)
    top = {
        END: sure,
        **{k: v for k, v in others.items() if len(others) < MAX_ALTERNATIVES or k != least},
    }
    return {
        "tokens": [END],
        "token_logprobs": [sure],
        "top_logprobs": [top],
        "text_offset": [offset],
    }


@variant("small-context")
def small_context() -> Behaviour:
    """The context has 512 tokens; longer requests are rejected with another server's message."""
    return _Small()


class _Small:
    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        if response.status == 400 and "2048" in response.body["error"]["message"]:
            message = response.body["error"]["message"].replace("2048", str(CONTEXT))
            return response.with_body({"error": {**response.body["error"], "message": message}})
        if response.status != 200 or await self._fits(request, upstream):
            return response
        return Rejected(
            400,
            f"This model's maximum context length is {CONTEXT} tokens. However, your request asks "
            "for more tokens, in its input and output together. Please reduce their length.",
        ).response

    async def _fits(self, request: ClientRequest, upstream: Upstream) -> bool:
        limit = request.body.get("max_tokens")
        limit = 16 if limit is None else limit
        for prompt in prompts_of(request.body):
            # A token has at least one byte, so a short prompt need not be counted.
            if isinstance(prompt, str) and len(prompt.encode()) + limit <= CONTEXT:
                continue
            alone = {"model": request.body.get("model"), "prompt": prompt, "max_tokens": 1}
            counted = await upstream(request.with_body(alone))
            if counted.body["usage"]["prompt_tokens"] + limit > CONTEXT:
                return False
        return True
