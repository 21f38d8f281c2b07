"""``logit_bias`` in a batch with several choices and an echo, streaming or not."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.batched import PROMPTS, ask_batched, generated_text
from conformance.checks._shared.prompts import CHINESE
from conformance.checks._shared.token_ids import (
    FORCED_TOKENS,
    ONE_ID,
    OTHER_ID,
    banning,
    forced,
    forcing,
    natural_token,
)
from conformance.judgement import expect
from conformance.message import say


@check(
    "all-at-once.forced",
    requirement="logit-bias.forces",
    tier="deep",
    needs=("n", "echo", "logit_bias"),
)
async def a_token_is_forced_into_each_choice(api: Api) -> None:
    """In a batch with `n: 2` and `echo`, a bias of 100 makes each choice repeat one token.

    在带 `n: 2` 与 `echo` 的批次中，偏置 100 使每个 choice 全由同一个 token 组成。
    """
    await assert_forced(api, stream=False)


@check(
    "all-at-once.forced-streamed",
    requirement="logit-bias.forces",
    tier="deep",
    needs=("n", "echo", "logit_bias", "stream"),
)
async def a_token_is_forced_into_each_streamed_choice(api: Api) -> None:
    """In a streamed batch with `n: 2`, a bias of 100 makes each choice repeat one token.

    在 `n: 2` 的流式批次中，偏置 100 使每个 choice 全由同一个 token 组成。
    """
    await assert_forced(api, stream=True)


async def assert_forced(api: Api, *, stream: bool) -> None:
    """Assert that the second of two biased tokens, the forced one, fills every choice."""
    # The first of the two biases forces in a stream, the second in a non-streaming response.
    token = ONE_ID if stream else OTHER_ID
    fragment = (await forced(api, token)).lstrip()
    result = await ask_batched(
        api, PROMPTS, stream=stream, max_tokens=FORCED_TOKENS, logit_bias=forcing(token)
    )
    for prompt, choice in result:
        # The forced text may begin with a space in one of the two and not in the other.
        seen = generated_text(prompt, choice).lstrip()
        expect(seen, say("generated text of {choice}", choice=choice.where)).equals(fragment)


@check(
    "all-at-once.banned-streamed",
    requirement="logit-bias.bans",
    tier="deep",
    needs=("n", "echo", "logit_bias", "stream"),
)
async def a_token_is_banned_from_each_streamed_choice(api: Api) -> None:
    """In a streamed batch with `n: 2`, no choice begins with a banned token.

    在 `n: 2` 的流式批次中，没有任何 choice 以被禁的 token 开头。
    """
    banned_from, fragment, token = await natural_token(api)
    result = await ask_batched(
        api, (banned_from, CHINESE), stream=True, max_tokens=1, logit_bias=banning(token)
    )
    for prompt, choice in result:
        if prompt == banned_from:
            expect(
                generated_text(prompt, choice),
                say("generated text of {choice}", choice=choice.where),
            ).differs_from(fragment)
