"""Every parameter in a batch with several choices and an echo, plain and streamed: all at once."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._all_at_once import (
    EVERYTHING,
    PROMPTS,
    STREAMED,
    all_at_once,
    free,
    generated,
    hold_each,
)
from conformance.checks._asking import LIMIT, hold_echoed, plain
from conformance.checks._characters import solid
from conformance.checks._prompts import AWKWARD, CHINESE, COUNTING
from conformance.checks._vocabulary import FEW, ONE, OTHER, banning, forced, forcing, natural_token
from conformance.judgement import NotApplicable, expect

QUESTION = "问:一加一等于几?答:"
"""A model answers it in few words, and then often ends."""

EVERY_SCRIPT = (*PROMPTS, AWKWARD, QUESTION)

REASONS = ("stop", "length", "content_filter")


# ── The prompt and its echo ──────────────────────────────────────────────────────────────────────


@check("all-at-once.prompt", requirement="prompt.batch-as-singles", **EVERYTHING)
async def each_prompt_is_answered_as_alone(api: Api) -> None:
    """Each choice of a batch with `n: 2` and `echo` continues its own prompt as a single answer.

    在带 `n: 2` 与 `echo` 的批次中，每个 choice 都像单独请求那样续写自己的 prompt。
    """
    await hold_prompts(api, stream=False)


@check("all-at-once.prompt-streamed", requirement="prompt.batch-as-singles", **STREAMED)
async def each_streamed_prompt_is_answered_as_alone(api: Api) -> None:
    """Each streamed choice of a batch with `n: 2` and `echo` is like a single plain answer.

    在带 `n: 2` 与 `echo` 的流式批次中，每个 choice 都与单独的非流式响应一致。
    """
    await hold_prompts(api, stream=True)


async def hold_prompts(api: Api, *, stream: bool) -> None:
    """Hold that prompts are answered together, with an echo and without, as they are alone."""

    async def alone(prompt: str, fresh: bool) -> str:
        return await free(api, prompt, fresh)

    words = "each choice like the answer to its prompt alone"
    await hold_each(api, EVERY_SCRIPT, alone, words, stream=stream)


@check("all-at-once.echo", requirement="echo.own-prompt-in-batch", **EVERYTHING)
async def each_choice_echoes_its_prompt(api: Api) -> None:
    """Each choice of a batch with `n: 2` and `echo` begins with its own prompt, as it was sent.

    在带 `n: 2` 与 `echo` 的批次中，每个 choice 都以自己的 prompt 开头，与发送时一致。
    """
    await hold_echoes(api, stream=False)


@check("all-at-once.echo-streamed", requirement="echo.own-prompt-in-batch", **STREAMED)
async def each_streamed_choice_echoes_its_prompt(api: Api) -> None:
    """Each streamed choice of a batch with `n: 2` and `echo` begins with its own prompt.

    在带 `n: 2` 与 `echo` 的流式批次中，每个 choice 都以自己的 prompt 开头，与发送时一致。
    """
    await hold_echoes(api, stream=True)


async def hold_echoes(api: Api, *, stream: bool) -> None:
    """Hold that each choice is its prompt and what a single answer adds to it."""
    told = await all_at_once(api, EVERY_SCRIPT, stream=stream)
    if not any(choice.text.startswith(prompt[:5]) for prompt, choice in told):
        raise NotApplicable("nothing was echoed, which is judged by itself")
    for prompt, choice in told:
        hold_echoed(choice.text, prompt)


@check("all-at-once.natural-end", requirement="finish-reason.stop-at-natural-end", **EVERYTHING)
async def each_choice_that_ends_by_itself_says_so(api: Api) -> None:
    """Each choice of a batch that is over before its limit, as it is alone, was not cut.

    单独请求时在上限之前结束的 choice，在批次中也不标为被截断。
    """
    await hold_ended(api, stream=False)


@check(
    "all-at-once.natural-end-streamed",
    requirement="finish-reason.stop-at-natural-end",
    **STREAMED,
)
async def each_streamed_choice_that_ends_by_itself_says_so(api: Api) -> None:
    """Each streamed choice of a batch that is over before its limit was not cut.

    流式批次中在上限之前结束的 choice，不标为被截断。
    """
    await hold_ended(api, stream=True)


async def hold_ended(api: Api, *, stream: bool) -> None:
    """Hold that choices with the text of an answer below its limit do not claim to be cut."""
    alone = await plain(api, QUESTION)
    if not alone.has_usage or not 0 < alone.usage.completion_tokens < LIMIT:
        raise NotApplicable("the answer to the question does not end by itself")
    for prompt, choice in await all_at_once(api, EVERY_SCRIPT, stream=stream):
        if prompt == QUESTION and generated(prompt, choice) == solid(alone.text):
            reason = f"finish_reason of {choice.where}"
            expect(choice.finish_reason, reason).one_of("stop", "content_filter")


@check("all-at-once.reason-known", requirement="finish-reason.known-value", **EVERYTHING)
async def each_choice_has_a_known_reason(api: Api) -> None:
    """Each choice of a batch with `n: 2` and `echo` has a finish_reason, and a known one.

    在带 `n: 2` 与 `echo` 的批次中，每个 choice 都有 finish_reason，且是已知的值。
    """
    await hold_known(api, stream=False)


@check("all-at-once.reason-known-streamed", requirement="finish-reason.known-value", **STREAMED)
async def each_streamed_choice_has_a_known_reason(api: Api) -> None:
    """Each streamed choice of a batch with `n: 2` and `echo` ends with a known finish_reason.

    在带 `n: 2` 与 `echo` 的流式批次中，每个 choice 都以已知的 finish_reason 结束。
    """
    await hold_known(api, stream=True)


async def hold_known(api: Api, *, stream: bool) -> None:
    """Hold that each choice says why it ended."""
    for _, choice in await all_at_once(api, EVERY_SCRIPT, stream=stream):
        expect(choice.finish_reason, f"finish_reason of {choice.where}").one_of(*REASONS)


# ── How long ─────────────────────────────────────────────────────────────────────────────────────


@check("all-at-once.zero", requirement="max-tokens.zero-with-echo", **EVERYTHING)
async def zero_generates_nothing_for_any_choice(api: Api) -> None:
    """With `max_tokens: 0` and `echo` each choice of a batch is its prompt and nothing else.

    设置 `max_tokens: 0` 与 `echo` 时，批次中每个 choice 都只是其 prompt，别无他物。
    """
    await hold_nothing_added(api, stream=False)


@check("all-at-once.zero-streamed", requirement="max-tokens.zero-with-echo", **STREAMED)
async def zero_streams_nothing_but_prompts(api: Api) -> None:
    """With `max_tokens: 0` and `echo` each streamed choice of a batch is its prompt alone.

    设置 `max_tokens: 0` 与 `echo` 时，流式批次中每个 choice 都只是其 prompt。
    """
    await hold_nothing_added(api, stream=True)


async def hold_nothing_added(api: Api, *, stream: bool) -> None:
    """Hold that texts are prompts."""
    told = await all_at_once(api, (AWKWARD, COUNTING), stream=stream, max_tokens=0)
    if not any(choice.text.startswith(prompt[:5]) for prompt, choice in told):
        raise NotApplicable("nothing was echoed, which is judged by itself")
    for prompt, choice in told:
        expect(choice.text, f"text of {choice.where}").equals(prompt)


# ── Biases ───────────────────────────────────────────────────────────────────────────────────────


@check(
    "all-at-once.forced",
    requirement="logit-bias.forces",
    tier="deep",
    needs=("n", "echo", "logit_bias"),
)
async def a_token_is_forced_into_each_choice(api: Api) -> None:
    """A bias of 100 fills each choice of a batch with `n: 2` and `echo` with one token.

    在带 `n: 2` 与 `echo` 的批次中，偏置 100 使每个 choice 全由同一个 token 组成。
    """
    await hold_forced(api, stream=False)


@check(
    "all-at-once.forced-streamed",
    requirement="logit-bias.forces",
    tier="deep",
    needs=("n", "echo", "logit_bias", "stream"),
)
async def a_token_is_forced_into_each_streamed_choice(api: Api) -> None:
    """A bias of 100 fills each streamed choice of a batch with `n: 2` with one token.

    在 `n: 2` 的流式批次中，偏置 100 使每个 choice 全由同一个 token 组成。
    """
    await hold_forced(api, stream=True)


async def hold_forced(api: Api, *, stream: bool) -> None:
    """Hold that the second of two biased tokens, the forced one, fills every choice."""
    # Of the two biases the first one forces in a stream, and the second one in a plain answer.
    token = ONE if stream else OTHER
    piece = (await forced(api, token)).lstrip()
    told = await all_at_once(api, PROMPTS, stream=stream, max_tokens=FEW, logit_bias=forcing(token))
    for prompt, choice in told:
        # What was forced may begin with a space here and not there.
        seen = generated(prompt, choice).lstrip()
        expect(seen, f"what {choice.where} adds").equals(piece)


@check(
    "all-at-once.banned-streamed",
    requirement="logit-bias.bans",
    tier="deep",
    needs=("n", "echo", "logit_bias", "stream"),
)
async def a_token_is_banned_from_each_streamed_choice(api: Api) -> None:
    """No streamed choice of a batch with `n: 2` begins with a token that is banned.

    在 `n: 2` 的流式批次中，没有任何 choice 以被禁的 token 开头。
    """
    banned_from, piece, token = await natural_token(api)
    told = await all_at_once(
        api, (banned_from, CHINESE), stream=True, max_tokens=1, logit_bias=banning(token)
    )
    for prompt, choice in told:
        if prompt == banned_from:
            expect(generated(prompt, choice), f"what {choice.where} adds").differs_from(piece)
