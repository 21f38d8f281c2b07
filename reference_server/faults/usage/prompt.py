"""Faults of ``usage``: a wrong count of prompt tokens."""

import math
from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import rewrites, usage
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._usage import IN_USAGE, added_up, by_length, by_words, prompts

GROWS = "usage.prompt-grows-with-text"
COUNTED = f"{GROWS} usage.stream-equals-plain usage.prompt-sums-batch usage.prompt-by-tokenizer"
"""Requirements broken by a wrong count in streams or batches alone."""


@fault("hidden-prompt-billed", breaks=COUNTED, evidence=Evidence.SIBLING, triggers=IN_USAGE)
def hidden_prompt_billed() -> Behaviour:
    """``prompt_tokens`` includes twelve additional tokens for each prompt."""
    return _prompt(lambda _, counted: counted + 12)


@fault("long-hidden-prompt-billed", breaks=COUNTED, evidence=Evidence.SIBLING, triggers=IN_USAGE)
def long_hidden_prompt_billed() -> Behaviour:
    """``prompt_tokens`` includes thousands of additional tokens for each prompt."""
    return _prompt(lambda _, counted: counted + 2_417)


@fault(
    "hidden-prompt-injected",
    breaks=f"prompt.verbatim {COUNTED}",
    evidence=Evidence.SIBLING,
    triggers=IN_USAGE,
)
def hidden_prompt_injected() -> Behaviour:
    """An instruction is put before every prompt and counted with it."""
    return _wrapped(lambda text: f"You are a helpful assistant. Continue the text.\n{text}")


@fault(
    "usage-multiplied",
    breaks=f"usage.completion-at-limit usage.completion-sums-choices {COUNTED}",
    triggers=IN_USAGE,
)
def usage_multiplied() -> Behaviour:
    """All counts are doubled."""
    return usage(lambda _, stated_usage: {name: 2 * count for name, count in stated_usage.items()})


@fault("prompt-multiplied", breaks=COUNTED, triggers=IN_USAGE)
def prompt_multiplied() -> Behaviour:
    """``prompt_tokens`` is half as high again."""
    return _prompt(lambda _, counted: math.ceil(1.5 * counted))


@fault("prompt-rounded-up", breaks=COUNTED, triggers=IN_USAGE)
def prompt_rounded_up() -> Behaviour:
    """``prompt_tokens`` is rounded up to blocks of sixteen tokens."""
    return _prompt(lambda _, counted: 16 * math.ceil(counted / 16))


@fault("prompt-least-hundred", breaks=COUNTED, triggers=IN_USAGE)
def prompt_least_hundred() -> Behaviour:
    """A prompt counts as at least a hundred tokens."""
    return _prompt(lambda _, counted: max(100, counted))


@fault("prompt-zero", breaks=COUNTED, triggers=IN_USAGE)
def prompt_zero() -> Behaviour:
    """``prompt_tokens`` is 0."""
    return _prompt(lambda *_: 0)


@fault("prompt-constant", breaks=COUNTED, triggers=IN_USAGE)
def prompt_constant() -> Behaviour:
    """``prompt_tokens`` is seven for every prompt."""
    return _prompt(lambda *_: 7)


@fault("prompt-by-length", breaks=COUNTED, evidence=Evidence.SOURCE, triggers=IN_USAGE)
def prompt_by_length() -> Behaviour:
    """Prompts of text count as a quarter of their characters."""
    return _anew(by_length)


@fault("prompt-by-words", breaks=COUNTED, evidence=Evidence.SOURCE, triggers=IN_USAGE)
def prompt_by_words() -> Behaviour:
    """Prompts of text are counted with another model's tokenizer."""
    return _anew(by_words)


@fault("prompt-by-characters", breaks=COUNTED, triggers=IN_USAGE)
def prompt_by_characters() -> Behaviour:
    """Prompts of text count as one token per character."""
    return _anew(len)


@fault("prompt-by-bytes", breaks=COUNTED, triggers=IN_USAGE)
def prompt_by_bytes() -> Behaviour:
    """Prompts of text count as one token per byte."""
    return _anew(lambda text: len(text.encode()))


@fault(
    "prompt-times-n",
    breaks="usage.prompt-counted-once",
    triggers=IN_USAGE,
)
def prompt_times_n() -> Behaviour:
    """A prompt is counted once for each of its choices."""
    return _prompt(lambda request, counted: counted * (request.get("n") or 1))


@fault(
    "prompt-of-first",
    breaks="usage.prompt-sums-batch",
    triggers=IN_USAGE - {Trigger.BATCH},
)
def prompt_of_first() -> Behaviour:
    """Only the first prompt of a batch is counted."""
    return _First()


@fault("prompt-padded", breaks="usage.prompt-sums-batch", triggers=IN_USAGE - {Trigger.BATCH})
def prompt_padded() -> Behaviour:
    """Every prompt of a batch counts as much as the longest one."""

    def of(request: Body, counted: int) -> int:
        several = prompts(request)
        return len(several) * max(map(len, several)) if len(several) > 1 else counted

    return _prompt(of)


@fault("prompt-with-answer", breaks=COUNTED, triggers=IN_USAGE)
def prompt_with_answer() -> Behaviour:
    """``prompt_tokens`` includes ``max_tokens``."""
    return _prompt(lambda request, counted: counted + (request.get("max_tokens") or 0))


@fault(
    "prompt-cached-free",
    breaks=GROWS,
    # The stream repeats a prompt that was sent before.
    also_breaks="usage.stream-equals-plain",
    triggers=IN_USAGE - {Trigger.EVERY_THIRD},
)
def prompt_cached_free() -> Behaviour:
    """A prompt that the server received before counts as one token."""
    seen: set[str] = set()

    def of(request: Body, counted: int) -> int:
        key = repr(request.get("prompt"))
        known = key in seen
        seen.add(key)
        return 1 if known else counted

    return _prompt(of)


class _First:
    """Requests the first prompt of a batch alone, and returns its count."""

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
    """Change the count of prompt tokens: ``(request, count)``; the total is adjusted."""
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
    """Send another text to the model instead of each prompt that is text."""

    def of(prompt: Any) -> Any:
        if isinstance(prompt, list):
            return [of(one) for one in prompt]
        return wrap(prompt) if isinstance(prompt, str) else prompt

    return rewrites(
        lambda request: (
            {**request, "prompt": of(request["prompt"])} if "prompt" in request else request
        )
    )
