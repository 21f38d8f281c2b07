"""``max_tokens`` in a batch with several choices and an echo: zero, omitted and null."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.batched import (
    BATCHED,
    BATCHED_STREAM,
    OMITTED,
    PROMPTS,
    ask_batched,
    assert_each_as_alone,
    free_text,
)
from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import AWKWARD, COUNTING
from conformance.checks.max_tokens.directed import (
    assert_as_default,
    documented_default,
    needle_beyond,
)
from conformance.judgement import Failure, NotApplicable, expect
from conformance.message import say

NEEDED: dict[str, Any] = {"tier": "deep", "needs": ("n", "echo", "stop", "stream")}


@check("all-at-once.default-limit", requirement="max-tokens.default-sixteen", **NEEDED)
async def the_default_limits_each_choice(api: Api) -> None:
    """Without `max_tokens`, each choice of a batch with `n: 2` and `echo` has default length.

    未设置 `max_tokens` 时，带 `n: 2` 与 `echo` 的批次中每个 choice 都具有默认长度。
    """
    await assert_limited(api, {})


@check("all-at-once.null-limit", requirement="max-tokens.null-is-default", **NEEDED)
async def null_limits_each_choice_by_the_default(api: Api) -> None:
    """With `max_tokens: null`, each choice of a batch with `n: 2` and `echo` has default length.

    设置 `max_tokens: null` 时，带 `n: 2` 与 `echo` 的批次中每个 choice 都具有默认长度。
    """
    if not api.contract.parameter("max_tokens").nullable:
        raise NotApplicable(say("this document does not allow null for max_tokens"))
    await assert_limited(api, {"max_tokens": None})


@check("all-at-once.zero", requirement="max-tokens.zero-with-echo", **BATCHED)
async def zero_generates_nothing_for_any_choice(api: Api) -> None:
    """With `max_tokens: 0` and `echo`, each choice of a batch is its prompt only.

    设置 `max_tokens: 0` 与 `echo` 时，批次中每个 choice 都只含其 prompt。
    """
    await assert_nothing_added(api, stream=False)


@check("all-at-once.zero-streamed", requirement="max-tokens.zero-with-echo", **BATCHED_STREAM)
async def zero_streams_nothing_but_prompts(api: Api) -> None:
    """With `max_tokens: 0` and `echo`, each streamed choice of a batch is its prompt only.

    设置 `max_tokens: 0` 与 `echo` 时，流式批次中每个 choice 都只含其 prompt。
    """
    await assert_nothing_added(api, stream=True)


async def assert_limited(api: Api, request: dict[str, None]) -> None:
    """Assert that each choice of a batch has the documented number of tokens."""
    default = documented_default(api)
    try:
        # A stream can be closed early; without a limit, four choices here would be expensive.
        await assert_as_default(api, request)
    except Failure:
        raise NotApplicable(
            say("streams do not end at the default either (covered by another check)")
        ) from None
    # Stop sequences from just beyond the default end the texts of an endpoint without a default.
    stops = {prompt: stop for prompt in PROMPTS if (stop := await beyond(api, default, prompt))}
    texts = {prompt: solid(await free_text(api, prompt, max_tokens=default)) for prompt in stops}
    if not stops or any(stop in text for stop in stops.values() for text in texts.values()):
        raise NotApplicable(
            say("no response has new text beyond {default} tokens", default=default)
        )

    async def alone(prompt: str, fresh: bool) -> str:
        return await free_text(api, prompt, fresh, max_tokens=default)

    prompts = (*stops, *stops)[:2]
    limit: dict[str, Any] = {"max_tokens": OMITTED, **request}
    words = say("each choice of {default} tokens, as the document says", default=default)
    await assert_each_as_alone(
        api, prompts, alone, words, stream=False, stop=list(stops.values()), **limit
    )


async def beyond(api: Api, limit: int, prompt: str) -> str | None:
    """Return a stop sequence that first occurs beyond ``limit`` tokens, or None."""
    try:
        return await needle_beyond(api, limit, prompt)
    except NotApplicable:
        return None


async def assert_nothing_added(api: Api, *, stream: bool) -> None:
    """Assert that each text is its prompt and nothing else."""
    # Without an echo, a limit of 0 is another request, which no document promises to serve.
    result = await ask_batched(
        api, (AWKWARD, COUNTING), stream=stream, kept=("echo",), max_tokens=0
    )
    if not any(choice.text.startswith(prompt[:5]) for prompt, choice in result):
        raise NotApplicable(say("nothing was echoed (covered by another check)"))
    for prompt, choice in result:
        expect(choice.text, say("text of {choice}", choice=choice.where)).equals(prompt)
