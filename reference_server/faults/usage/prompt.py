"""Faults of the bill: prompt tokens that nobody sent."""

import math
from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import asks, usage
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Modifier
from reference_server.faults._bill import IN_USAGE, added_up, by_length, by_words, prompts

GROWS = "usage.prompt-grows-with-text"
COUNTED = f"{GROWS} usage.stream-equals-plain usage.prompt-sums-batch"
"""Who bills streams or batches alone otherwise is told from the plain answer."""


@fault("hidden-prompt-billed", breaks=COUNTED, evidence=Evidence.SIBLING, modifiers=IN_USAGE)
def hidden_prompt_billed() -> Behaviour:
    """Every prompt is billed with twelve tokens that were not sent."""
    return _prompt(lambda _, counted: counted + 12)


@fault("long-hidden-prompt-billed", breaks=COUNTED, evidence=Evidence.SIBLING, modifiers=IN_USAGE)
def long_hidden_prompt_billed() -> Behaviour:
    """Every prompt is billed with thousands of tokens that were not sent."""
    return _prompt(lambda _, counted: counted + 2_417)


@fault(
    "hidden-prompt-injected",
    breaks=f"prompt.verbatim {COUNTED}",
    evidence=Evidence.SIBLING,
    modifiers=IN_USAGE,
)
def hidden_prompt_injected() -> Behaviour:
    """An instruction stands before every prompt, which is billed with it."""
    return _wrapped(lambda text: f"You are a helpful assistant. Continue the text.\n{text}")


@fault(
    "usage-multiplied",
    breaks=f"usage.completion-at-limit usage.completion-sums-choices {COUNTED}",
    modifiers=IN_USAGE,
)
def usage_multiplied() -> Behaviour:
    """All counts are doubled."""
    return usage(lambda _, stated_usage: {name: 2 * count for name, count in stated_usage.items()})


@fault("prompt-multiplied", breaks=COUNTED, modifiers=IN_USAGE)
def prompt_multiplied() -> Behaviour:
    """Prompts are billed with half as many tokens on top."""
    return _prompt(lambda _, counted: math.ceil(1.5 * counted))


@fault("prompt-rounded-up", breaks=COUNTED, modifiers=IN_USAGE)
def prompt_rounded_up() -> Behaviour:
    """Prompts are billed by the block of sixteen tokens."""
    return _prompt(lambda _, counted: 16 * math.ceil(counted / 16))


@fault("prompt-least-hundred", breaks=COUNTED, modifiers=IN_USAGE)
def prompt_least_hundred() -> Behaviour:
    """A prompt costs a hundred tokens at least."""
    return _prompt(lambda _, counted: max(100, counted))


@fault("prompt-zero", breaks=COUNTED, modifiers=IN_USAGE)
def prompt_zero() -> Behaviour:
    """Prompts are billed with no token."""
    return _prompt(lambda *_: 0)


@fault("prompt-constant", breaks=COUNTED, modifiers=IN_USAGE)
def prompt_constant() -> Behaviour:
    """Every prompt is billed with the same seven tokens."""
    return _prompt(lambda *_: 7)


@fault("prompt-by-length", breaks=COUNTED, evidence=Evidence.SOURCE, modifiers=IN_USAGE)
def prompt_by_length() -> Behaviour:
    """Prompts of text are billed as a quarter of their characters."""
    return _anew(by_length)


@fault("prompt-by-words", breaks=COUNTED, evidence=Evidence.SOURCE, modifiers=IN_USAGE)
def prompt_by_words() -> Behaviour:
    """Prompts of text are counted by another model's tokens."""
    return _anew(by_words)


@fault("prompt-by-characters", breaks=COUNTED, modifiers=IN_USAGE)
def prompt_by_characters() -> Behaviour:
    """Prompts of text are billed with one token a character."""
    return _anew(len)


@fault("prompt-by-bytes", breaks=COUNTED, modifiers=IN_USAGE)
def prompt_by_bytes() -> Behaviour:
    """Prompts of text are billed with one token a byte."""
    return _anew(lambda text: len(text.encode()))


@fault(
    "prompt-times-n",
    breaks="usage.prompt-counted-once",
    modifiers=IN_USAGE,
)
def prompt_times_n() -> Behaviour:
    """A prompt is billed once for each of its choices."""
    return _prompt(lambda request, counted: counted * (request.get("n") or 1))


@fault(
    "prompt-of-first",
    breaks="usage.prompt-sums-batch",
    modifiers=IN_USAGE - {Modifier.BATCH},
)
def prompt_of_first() -> Behaviour:
    """A batch is billed with its first prompt alone."""
    return _First()


@fault("prompt-padded", breaks="usage.prompt-sums-batch", modifiers=IN_USAGE - {Modifier.BATCH})
def prompt_padded() -> Behaviour:
    """Every prompt of a batch is billed with the length of the longest one."""

    def of(request: Body, counted: int) -> int:
        several = prompts(request)
        return len(several) * max(map(len, several)) if len(several) > 1 else counted

    return _prompt(of)


@fault("prompt-with-answer", breaks=COUNTED, modifiers=IN_USAGE)
def prompt_with_answer() -> Behaviour:
    """What was asked for is billed with the prompt in advance."""
    return _prompt(lambda request, counted: counted + (request.get("max_tokens") or 0))


@fault("prompt-cached-free", breaks=GROWS, modifiers=IN_USAGE - {Modifier.EVERY_THIRD})
def prompt_cached_free() -> Behaviour:
    """A prompt that was seen before is billed with one token."""
    seen: set[str] = set()

    def of(request: Body, counted: int) -> int:
        key = repr(request.get("prompt"))
        known = key in seen
        seen.add(key)
        return 1 if known else counted

    return _prompt(of)


class _First:
    """Asks for the first prompt alone, to bill it."""

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        prompt = request.body.get("prompt")
        response = await upstream(request)
        several = isinstance(prompt, list) and len(prompt) > 1 and not isinstance(prompt[0], int)
        if not several or response.status != 200 or not isinstance(prompt, list):
            return response
        non_streaming = {
            k: v for k, v in request.body.items() if k not in {"stream", "stream_options"}
        }
        first = await upstream(request.with_body({**non_streaming, "prompt": prompt[0]}))
        counted = first.body["usage"]["prompt_tokens"]

        async def known(_: ClientRequest) -> ServerResponse:
            return response

        return await _prompt(lambda *_: counted)(request, known)


def _prompt(change: Callable[[Body, int], int]) -> Behaviour:
    """Another count of the prompt's tokens: ``(asked, counted)``; the total is right for it."""
    return usage(
        lambda request, stated_usage: added_up(
            stated_usage, prompt_tokens=change(request, stated_usage["prompt_tokens"])
        )
    )


def _anew(count: Callable[[str], int]) -> Behaviour:
    def of(request: Body, counted: int) -> int:
        several = prompts(request)
        return sum(map(count, several)) if several else counted

    return _prompt(of)


def _wrapped(wrap: Callable[[str], str]) -> Behaviour:
    """Another text reaches the model, in place of each prompt that is text."""

    def of(prompt: Any) -> Any:
        if isinstance(prompt, list):
            return [of(one) for one in prompt]
        return wrap(prompt) if isinstance(prompt, str) else prompt

    return asks(
        lambda request: (
            {**request, "prompt": of(request["prompt"])} if "prompt" in request else request
        )
    )
