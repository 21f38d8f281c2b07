"""``logprobs``: the log probabilities of the tokens, and of their likeliest alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.neutral_values import nulls_are_harmless
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.refusals import (
    assert_usual_status,
    below,
    expect_rejected,
    served_or_rejected,
    where_served,
)
from conformance.checks._shared.requests import ONE_TOKEN_REQUEST, non_streaming, streamed
from conformance.checks._shared.sampling import STORY
from conformance.checks._shared.token_scores import (
    alternatives,
    assert_alternatives_count,
    assert_tokens_make_text,
    positions_of,
    scored,
    scores_of,
    shares,
    tokens_of,
)
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say

TWO_SCORED_CHOICES: Mapping[str, Any] = {
    "prompt": STORY,
    "max_tokens": 8,
    "temperature": 1,
    "n": 2,
    "logprobs": 2,
}
"""Two samples that practically never agree, so their tokens cannot be confused."""

MANY = 20
"""Alternatives that servers list by default at most."""


@check("logprobs.returned", requirement="logprobs.returned", tier="smoke", sees_effect=True)
async def scores_come_when_asked_for(api: Api) -> None:
    """With `logprobs`, the choice has a log probability for each of its tokens.

    设置 `logprobs` 时，choice 的每个 token 都带有对数概率。
    """
    choice = (await scored(api)).only
    expect(len(tokens_of(choice)), say("number of tokens")).at_least(1)
    scores = scores_of(choice)
    expect(scores, "token_logprobs").satisfies(
        lambda values: bool(values) and None not in values,
        say("a number for every generated token"),
    )


@check(
    "logprobs.returned-for-each-choice",
    requirement="logprobs.returned",
    needs=("n",),
    sees_effect=True,
)
async def each_choice_has_its_own_scores(api: Api) -> None:
    """With `n: 2`, each choice has the tokens of its own text.

    设置 `n: 2` 时，每个 choice 都带有自己文本的 token。
    """
    for choice in (await api.complete(**TWO_SCORED_CHOICES)).expect_ok().choices:
        assert_tokens_make_text(choice, hides_special=api.contract.hides_special_tokens)


@check(
    "logprobs.returned-in-stream",
    requirement="logprobs.returned",
    needs=("stream",),
    sees_effect=True,
)
async def scores_come_in_a_stream(api: Api) -> None:
    """With `logprobs` and `stream`, the chunks have log probabilities.

    同时设置 `logprobs` 与 `stream` 时，数据块带有对数概率。
    """
    choice = (await streamed(api, logprobs=alternatives(api))).only
    if choice.text:
        expect(len(scores_of(choice)), say("number of token_logprobs")).at_least(1)


@check("logprobs.count", requirement="logprobs.alternatives-count", tier="smoke", sees_effect=True)
async def as_many_alternatives_as_asked_for(api: Api) -> None:
    """`logprobs: N` lists N alternatives at each position, or N + 1 with the sampled token.

    `logprobs: N` 在每个位置列出 N 个候选，加上所采样的 token 可为 N + 1 个。
    """
    wanted = alternatives(api)
    assert_alternatives_count(positions_of((await scored(api)).only), wanted)


@check(
    "logprobs.count-in-stream",
    requirement="logprobs.alternatives-count",
    needs=("stream",),
    sees_effect=True,
)
async def as_many_alternatives_in_a_stream(api: Api) -> None:
    """In a stream, `logprobs: N` also lists N or N + 1 alternatives at each position.

    在流中，`logprobs: N` 同样在每个位置列出 N 个或 N + 1 个候选。
    """
    wanted = alternatives(api)
    choice = (await streamed(api, logprobs=wanted)).only
    assert_alternatives_count(positions_of(choice), wanted)


@check(
    "logprobs.count-two", requirement="logprobs.alternatives-count", tier="deep", sees_effect=True
)
async def two_alternatives(api: Api) -> None:
    """`logprobs: 2` lists two alternatives at each position, or three with the sampled token.

    `logprobs: 2` 在每个位置列出两个候选，加上所采样的 token 可为三个。
    """
    choice = (
        (await api.complete(**{**ONE_TOKEN_REQUEST, "max_tokens": 4}, logprobs=2)).expect_ok().only
    )
    assert_alternatives_count(positions_of(choice), 2)


@check("logprobs.zero", requirement="logprobs.zero-gives-sampled", sees_effect=True)
async def zero_alternatives_still_score(api: Api) -> None:
    """`logprobs: 0` gives the log probabilities of the sampled tokens.

    `logprobs: 0` 给出所采样 token 的对数概率。
    """
    choice = (await api.complete(**ONE_TOKEN_REQUEST, logprobs=0)).expect_ok().only
    scores = scores_of(choice)
    if choice.text:
        expect(len(scores), say("number of token_logprobs")).at_least(1)
        expect(scores, "token_logprobs").lacks(None)


@check("logprobs.zero-lists-none", requirement="logprobs.zero-gives-sampled", sees_effect=True)
async def zero_lists_no_alternatives(api: Api) -> None:
    """`logprobs: 0` lists no token other than the sampled one.

    `logprobs: 0` 除所采样的 token 外不列出其他 token。
    """
    choice = (await api.complete(**ONE_TOKEN_REQUEST, logprobs=0)).expect_ok().only
    maps = choice.logprobs.raw.get("top_logprobs")
    # No document defines the form of an empty list of alternatives: null is accepted, too.
    sizes = [len(top) for top in maps if isinstance(top, Mapping)] if maps else []
    expect(max(sizes, default=0), say("alternatives listed")).at_most(1)


@check("logprobs.above-maximum", requirement="logprobs.above-maximum")
async def one_too_many_is_not_ignored(api: Api) -> None:
    """One alternative more than documented is rejected, capped or returned, not ignored.

    候选数比文档上限多一个时，应拒绝、截为上限或如数返回，而不是悄悄丢弃。
    """
    maximum = api.contract.parameter("logprobs").maximum
    if maximum is None:
        raise NotApplicable(say("this document sets no maximum of logprobs"))
    response = await api.complete(**ONE_TOKEN_REQUEST, logprobs=int(maximum) + 1)
    if response.status == 200:
        _ = response.expect_ok().choices[0].logprobs
    else:
        response.expect_error(400, 422)


@check("logprobs.far-above-maximum", requirement="logprobs.above-maximum", tier="deep")
async def far_too_many_are_not_ignored(api: Api) -> None:
    """A hundred alternatives are rejected, capped or returned, not ignored.

    要求一百个候选时，应拒绝、截为上限或如数返回，而不是悄悄丢弃。
    """
    response = await api.complete(**ONE_TOKEN_REQUEST, logprobs=100)
    if response.status == 200:
        _ = response.expect_ok().choices[0].logprobs
    else:
        response.expect_error(400, 422)


@check("logprobs.absent", requirement="logprobs.absent-unless-asked", tier="smoke")
async def no_scores_unless_asked_for(api: Api) -> None:
    """Without `logprobs`, the choice has no log probabilities.

    未设置 `logprobs` 时，choice 不含对数概率。
    """
    assert_no_scores((await non_streaming(api)).only.raw.get("logprobs"))


@check(
    "logprobs.absent-in-stream",
    requirement="logprobs.absent-unless-asked",
    tier="smoke",
    needs=("stream",),
)
async def no_scores_in_a_stream_unless_asked_for(api: Api) -> None:
    """Without `logprobs`, the chunks of a stream have no log probabilities.

    未设置 `logprobs` 时，流的数据块不含对数概率。
    """
    assert_no_scores((await streamed(api)).only.raw.get("logprobs"))


@check("logprobs.null", requirement="logprobs.null-is-none")
async def null_asks_for_no_scores(api: Api) -> None:
    """With `logprobs: null`, the request is accepted and has no log probabilities.

    设置 `logprobs: null` 时请求会被接受，且不含对数概率。
    """
    if await nulls_are_harmless(api, "logprobs"):
        return
    async with where_served(api, "logprobs", 1):
        choice = (await api.complete(**ONE_TOKEN_REQUEST, logprobs=None)).expect_ok().only
    assert_no_scores(choice.raw.get("logprobs"))


@check("logprobs.true", requirement="logprobs.boolean")
async def true_asks_for_scores(api: Api) -> None:
    """With `logprobs: true`, the choice has the log probabilities of its tokens.

    设置 `logprobs: true` 时，choice 带有其 token 的对数概率。
    """
    choice = (await api.complete(**ONE_TOKEN_REQUEST, logprobs=True)).expect_ok().only
    if choice.text:
        expect(len(scores_of(choice)), say("number of token_logprobs")).at_least(1)


@check(
    "logprobs.negative-refused",
    requirement="errors.bad-input-is-400",
    tier="deep",
    needs=("logprobs",),
    subject="logprobs",
)
async def a_negative_number_is_refused(api: Api) -> None:
    """`logprobs` below its documented minimum, which is 0 for most, is rejected with 400.

    `logprobs` 低于文档所述的最小值（多为 0）时，以 400 拒绝。
    """
    error = await expect_rejected(api, logprobs=int(below(api, "logprobs", 1)))
    await assert_usual_status(api, error, 400)


def assert_no_scores(logprobs: object) -> None:
    """Assert that there are no log probabilities; empty arrays count as none."""
    if any(logprobs.values()) if isinstance(logprobs, Mapping) else logprobs:
        raise Failure(
            say("logprobs null or absent"), say("logprobs = {value}", value=shown(logprobs))
        )


@check("logprobs.twenty", requirement="logprobs.twenty-listed")
async def twenty_alternatives_are_listed(api: Api) -> None:
    """With `logprobs: 20`, twenty alternatives are listed, or the request is rejected.

    设置 `logprobs: 20` 时，列出二十个备选 token，或拒绝请求。
    """
    await assert_many_listed(api, MANY, MANY)


@check("logprobs.minus-one", requirement="logprobs.minus-one-lists-all", tier="deep")
async def minus_one_lists_all(api: Api) -> None:
    """With `logprobs: -1`, more than twenty tokens are listed, or the request is rejected.

    设置 `logprobs: -1` 时，列出二十个以上的 token，或拒绝请求。
    """
    await assert_many_listed(api, -1, MANY + 1)


async def assert_many_listed(api: Api, requested: int, least: int) -> None:
    """Assert that a token has at least so many alternatives; parts of characters may share one.

    Raises:
        NotApplicable: so many are rejected.
    """
    response = await api.complete(prompt=COUNTING, max_tokens=1, temperature=0, logprobs=requested)
    completion = served_or_rejected(response)
    if completion is None:
        raise NotApplicable(say("so many alternatives are rejected"))
    positions = positions_of(completion.only)
    if not positions:
        raise NotApplicable(say("the response has no tokens"))
    listed = len(positions[0].top or ())
    if listed < least and not shares(positions[0]):
        raise Failure(
            say("at least {count} alternatives", count=least),
            say("{count} alternatives", count=listed),
        )
