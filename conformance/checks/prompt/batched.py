"""``prompt`` in a batch with several choices and an echo, streaming or not."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.batched import (
    BATCHED,
    BATCHED_STREAM,
    EVERY_SCRIPT,
    assert_each_as_alone,
    free_text,
)
from conformance.message import say


@check("all-at-once.prompt", requirement="prompt.batch-as-singles", **BATCHED)
async def each_prompt_of_a_batch_equals_the_prompt_alone(api: Api) -> None:
    """In a batch with `n: 2` and `echo`, each choice is the same as for its prompt alone.

    在带 `n: 2` 与 `echo` 的批次中，每个 choice 都像单独请求那样续写自己的 prompt。
    """
    await assert_prompts(api, stream=False)


@check("all-at-once.prompt-streamed", requirement="prompt.batch-as-singles", **BATCHED_STREAM)
async def each_streamed_prompt_equals_the_prompt_alone(api: Api) -> None:
    """In a streamed batch with `n: 2` and `echo`, each choice is the same as without streaming.

    在带 `n: 2` 与 `echo` 的流式批次中，每个 choice 都与单独的非流式响应一致。
    """
    await assert_prompts(api, stream=True)


async def assert_prompts(api: Api, *, stream: bool) -> None:
    """Assert that prompts get the same responses together as alone, with and without an echo."""

    async def alone(prompt: str, fresh: bool) -> str:
        return await free_text(api, prompt, fresh)

    words = say("each choice like the response to its prompt alone")
    await assert_each_as_alone(api, EVERY_SCRIPT, alone, words, stream=stream)
