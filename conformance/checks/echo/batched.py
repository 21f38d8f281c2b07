"""``echo`` in a batch with several choices, non-streaming and streaming."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.batched import BATCHED, BATCHED_STREAM, EVERY_SCRIPT, ask_batched
from conformance.checks._shared.requests import assert_echoed
from conformance.judgement import NotApplicable
from conformance.message import say


@check("all-at-once.echo", requirement="echo.own-prompt-in-batch", **BATCHED)
async def each_choice_echoes_its_prompt(api: Api) -> None:
    """Each choice of a batch with `n: 2` and `echo` begins with its own prompt, unchanged.

    在带 `n: 2` 与 `echo` 的批次中，每个 choice 都以自己的 prompt 开头，与发送时一致。
    """
    await assert_echoes(api, stream=False)


@check("all-at-once.echo-streamed", requirement="echo.own-prompt-in-batch", **BATCHED_STREAM)
async def each_streamed_choice_echoes_its_prompt(api: Api) -> None:
    """Each streamed choice of a batch with `n: 2` and `echo` begins with its own prompt.

    在带 `n: 2` 与 `echo` 的流式批次中，每个 choice 都以自己的 prompt 开头，与发送时一致。
    """
    await assert_echoes(api, stream=True)


async def assert_echoes(api: Api, *, stream: bool) -> None:
    """Assert that each choice is its prompt and the completion of that prompt alone."""
    result = await ask_batched(api, EVERY_SCRIPT, stream=stream)
    if not any(choice.text.startswith(prompt[:5]) for prompt, choice in result):
        raise NotApplicable(say("nothing was echoed (covered by another check)"))
    for prompt, choice in result:
        assert_echoed(choice.text, prompt)
