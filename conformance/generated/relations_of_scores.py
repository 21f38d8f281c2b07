"""Relations within and between the log probabilities of answers to what was drawn."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from conformance.api import Api
from conformance.checks._characters import is_whole
from conformance.checks._compare import REPEATS
from conformance.checks._scores import (
    Scored,
    alike,
    expect_scored_alike,
    hold_offsets_advance,
    hold_tokens_make_text,
    positions_of,
    scored_tokens,
    tokens_of,
)
from conformance.checks.logprobs_arrays import hold_parallel, worse_than_best
from conformance.checks.registry import check
from conformance.completion import Choice
from conformance.generated.agreement import Trial
from conformance.generated.engine import hold_property
from conformance.generated.relations import DRAWN
from conformance.generated.strategies import Scene, scenes
from conformance.generated.ways import Way, choices, every_way
from conformance.judgement import Deviation, Inconclusive, NotApplicable, expect, shown

LISTED = 2
"""Alternatives that are asked for."""

ROUNDING = 0.01
"""How far two records of one log probability may lie apart."""


@check("relations.scores-parallel", requirement="logprobs-arrays.four-parallel", **DRAWN)
async def the_arrays_are_parallel(api: Api) -> None:
    """Whatever is asked, every choice has its four arrays, equally long.

    无论请求什么，每个 choice 都有等长的四个数组。
    """
    await hold_of_each(api, lambda choice, _: hold_parallel(choice.logprobs))


@check("relations.scores-join", requirement="logprobs-arrays.tokens-join-to-text", **DRAWN)
async def the_tokens_join_to_the_text(api: Api) -> None:
    """Whatever is asked, the tokens of every choice join to its text, byte for byte.

    无论请求什么，每个 choice 的 token 拼接后都与其文本逐字节一致。
    """
    await hold_of_each(api, lambda choice, _: hold_tokens_make_text(choice))


@check("relations.scores-count", requirement="logprobs-arrays.one-entry-per-token", **DRAWN)
async def every_token_has_an_entry(api: Api) -> None:
    """Whatever is asked, a choice that ended at the limit has one entry for each token.

    无论请求什么，被上限截断的 choice 都为每个 token 列出一个条目。
    """

    def hold(choice: Choice, scene: Scene) -> None:
        if choice.finish_reason == "length":
            expect(len(tokens_of(choice)), "number of tokens").equals(scene.limit)

    await hold_of_each(api, hold)


@check("relations.scores-offsets", requirement="text-offset.advances-by-characters", **DRAWN)
async def offsets_advance_by_characters(api: Api) -> None:
    """Whatever is asked, offsets advance by the characters of each token, not by its bytes.

    无论请求什么，偏移都按每个 token 的字符数前进，而不是字节数。
    """
    await hold_of_each(api, lambda choice, _: hold_offsets_advance(choice))


@check("relations.scores-listed", requirement="logprobs-arrays.sampled-agrees-with-top", **DRAWN)
async def the_token_taken_is_listed_alike(api: Api) -> None:
    """Whatever is asked, a token among the alternatives has the log probability it has by itself.

    无论请求什么，候选中所选 token 的对数概率都与其自身的一致。
    """

    def hold(choice: Choice, _: Scene) -> None:
        for position in positions_of(choice):
            score, listed = position.logprob, (position.top or {}).get(position.token)
            if score is None or listed is None or not is_whole(position.token):
                continue
            if not math.isclose(score, listed, rel_tol=ROUNDING, abs_tol=ROUNDING):
                token = shown(position.token)
                raise Deviation(
                    "a token listed with its own log probability",
                    f"{token} listed with {listed}, scored {score}",
                )

    await hold_of_each(api, hold)


@check("relations.scores-greedy", requirement="logprobs-arrays.greedy-is-top", **DRAWN)
async def greedy_answers_take_the_best(api: Api) -> None:
    """Whatever is asked, no alternative is clearly likelier than the token of a greedy answer.

    无论请求什么，都没有候选明显比贪心响应所选的 token 更可能。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        async def worse(fresh: bool) -> tuple[str, ...]:
            told = await choices(trial.api, scene, way, fresh=fresh, logprobs=LISTED)
            found = [worse_than_best(choice) for _, choice in told]
            return tuple(position.token for position in found if position is not None)

        tokens = await worse(False)
        # Batching and speculation take another token now and then: only what repeats is believed.
        for _ in range(REPEATS if tokens and trial.careful else 0):
            if not await worse(True):
                raise Inconclusive("the endpoint does not repeat its own log probabilities")
        if tokens:
            raise Deviation(
                "the best token at every place of a greedy answer", f"another at {shown(tokens)}"
            )

    await hold_property(api, scenes, relation, every_way(api))


@check(
    "relations.scores-streamed",
    requirement="streaming.logprobs-as-plain",
    needs=("stream",),
    **DRAWN,
)
async def streamed_scores_are_the_plain_ones(api: Api) -> None:
    """Whatever is asked, the scores in a stream's chunks join to those of the plain answer.

    无论请求什么，流的数据块中的得分拼接后都等于非流式响应的得分。
    """
    expected = "a stream's scores that join to the plain answer's"

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        async def in_pieces(fresh: bool) -> Scored:
            return await scored(trial, scene, way, stream=True, fresh=fresh)

        async def at_once(fresh: bool) -> Scored:
            return await scored(trial, scene, way, stream=False, fresh=fresh)

        await expect_scores_alike(trial, in_pieces, at_once, expected)

    await hold_property(api, scenes, relation, every_way(api))


async def scored(trial: Trial, scene: Scene, way: Way, *, stream: bool, fresh: bool) -> Scored:
    """Return the tokens of all choices with their scores."""
    told = await choices(trial.api, scene, way, stream=stream, fresh=fresh, logprobs=LISTED)
    return scored_tokens(choice for _, choice in told)


async def expect_scores_alike(
    trial: Trial,
    left: Callable[[bool], Awaitable[Scored]],
    right: Callable[[bool], Awaitable[Scored]],
    expected: str,
) -> None:
    """Hold that two ways of asking score their tokens alike, with a control in a careful trial.

    Raises:
        Deviation: they do not.
        Inconclusive: one of them does not repeat its own.
    """
    first = await left(False)
    trial.about = trial.api.exchanges[-1].request
    second = await right(False)
    if [token for token, _ in first] == [token for token, _ in second] and alike(
        [score for _, score in first], [score for _, score in second]
    ):
        return
    if trial.careful:
        await expect_scored_alike(left, right, expected)
        return
    raise Deviation(expected, f"{shown(first)} against {shown(second)}")


async def hold_of_each(api: Api, hold: Callable[[Choice, Scene], None]) -> None:
    """Hold something of every scored choice of what was drawn.

    Raises:
        NotApplicable: no choice could be judged.
        Judgement: ``hold`` raised it.
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        passed_over: NotApplicable | None = None
        judged = False
        for _, choice in await choices(trial.api, scene, way, logprobs=LISTED):
            try:
                hold(choice, scene)
                judged = True
            except NotApplicable as reason:
                passed_over = reason
        if passed_over is not None and not judged:
            raise passed_over

    await hold_property(api, scenes, relation, every_way(api))
