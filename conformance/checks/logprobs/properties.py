"""Relations within the log probabilities of generated requests."""

from __future__ import annotations

import math
from collections.abc import Callable

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import REPEATS
from conformance.checks._shared.characters import is_whole
from conformance.checks._shared.metamorphic import GENERATED, choices
from conformance.checks._shared.metamorphic_nulls import assert_null_is_absent
from conformance.checks._shared.metamorphic_scores import TOP_LOGPROBS
from conformance.checks._shared.token_scores import (
    assert_offsets_advance,
    assert_tokens_make_text,
    positions_of,
    tokens_of,
)
from conformance.checks.logprobs.arrays import assert_parallel, worse_than_best
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import Scene, scenes
from conformance.judgement import Failure, Inconclusive, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.completion import Choice

ROUNDING = 0.01
"""How much two values of one log probability may differ, relative and absolute."""


@check("relations.scores-parallel", requirement="logprobs-arrays.four-parallel", **GENERATED)
async def the_arrays_are_parallel(api: Api) -> None:
    """For any request, the four arrays of every choice have the same length.

    对任意请求，每个 choice 都有等长的四个数组。
    """
    await assert_each_choice(api, lambda choice, _: assert_parallel(choice.logprobs))


@check("relations.scores-join", requirement="logprobs-arrays.tokens-join-to-text", **GENERATED)
async def the_tokens_join_to_the_text(api: Api) -> None:
    """For any request, the tokens of every choice join to its text, byte for byte.

    对任意请求，每个 choice 的 token 拼接后都与其文本逐字节一致。
    """
    await assert_each_choice(
        api,
        lambda choice, _: assert_tokens_make_text(
            choice, hides_special=api.contract.hides_special_tokens
        ),
    )


@check("relations.scores-count", requirement="logprobs-arrays.one-entry-per-token", **GENERATED)
async def every_token_has_an_entry(api: Api) -> None:
    """For any request, a choice cut at the limit has one entry for each token.

    对任意请求，被上限截断的 choice 都为每个 token 列出一个条目。
    """

    def judge(choice: Choice, scene: Scene) -> None:
        if choice.finish_reason == "length":
            expect(len(tokens_of(choice)), say("number of tokens")).equals(scene.limit)

    await assert_each_choice(api, judge)


@check("relations.scores-offsets", requirement="text-offset.advances-by-characters", **GENERATED)
async def offsets_advance_by_characters(api: Api) -> None:
    """For any request, offsets advance by the characters of each token, not by its bytes.

    对任意请求，偏移都按每个 token 的字符数前进，而不是字节数。
    """
    await assert_each_choice(api, lambda choice, _: assert_offsets_advance(choice))


@check(
    "relations.scores-listed", requirement="logprobs-arrays.sampled-agrees-with-top", **GENERATED
)
async def the_token_taken_is_listed_alike(api: Api) -> None:
    """For any request, a sampled token is listed with the same log probability.

    对任意请求，候选中所选 token 的对数概率都与其自身的一致。
    """

    def judge(choice: Choice, _: Scene) -> None:
        for position in positions_of(choice):
            score, listed = position.logprob, (position.top or {}).get(position.token)
            if score is None or listed is None or not is_whole(position.token):
                continue
            if not math.isclose(score, listed, rel_tol=ROUNDING, abs_tol=ROUNDING):
                token = shown(position.token)
                raise Failure(
                    say("a token listed with its own log probability"),
                    say(
                        "{token} listed with {listed}, scored {score}",
                        token=token,
                        listed=listed,
                        score=score,
                    ),
                )

    await assert_each_choice(api, judge)


@check("relations.scores-greedy", requirement="logprobs-arrays.greedy-is-top", **GENERATED)
async def greedy_responses_choose_the_best(api: Api) -> None:
    """For any greedy request, no alternative is clearly more probable than the chosen token.

    对任意请求，都没有候选明显比贪心响应所选的 token 更可能。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        async def tokens_below_best(fresh: bool) -> tuple[str, ...]:
            found = await choices(trial.api, scene, shape, fresh=fresh, logprobs=TOP_LOGPROBS)
            worse = [worse_than_best(choice) for _, choice in found]
            return tuple(position.token for position in worse if position is not None)

        tokens = await tokens_below_best(False)
        # Batching and speculative decoding change a token sometimes; only a repeated one counts.
        for _ in range(REPEATS if tokens and trial.careful else 0):
            if not await tokens_below_best(True):
                raise Inconclusive(say("the log probabilities are not deterministic"))
        if tokens:
            raise Failure(
                say("the best token at every position of a greedy response"),
                say("another token at {tokens}", tokens=shown(tokens)),
            )

    await assert_property(api, scenes, relation, every_shape(api))


async def assert_each_choice(api: Api, judge: Callable[[Choice, Scene], None]) -> None:
    """Judge every choice of responses with ``logprobs``.

    Args:
        api: sends the requests.
        judge: takes the choice and the scene; raises a judgement.

    Raises:
        NotApplicable: no choice could be judged.
        Judgement: ``judge`` raised it.
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        skipped: NotApplicable | None = None
        judged = False
        for _, choice in await choices(trial.api, scene, shape, logprobs=TOP_LOGPROBS):
            try:
                judge(choice, scene)
                judged = True
            except NotApplicable as reason:
                skipped = reason
        if skipped is not None and not judged:
            raise skipped

    await assert_property(api, scenes, relation, every_shape(api))


@check("relations.null-logprobs", requirement="logprobs.null-is-none", **GENERATED)
async def null_logprobs_change_nothing(api: Api) -> None:
    """For any request, `logprobs: null` gives the same response as omitting it.

    对任意请求，`logprobs: null` 都给出不带 `logprobs` 时的响应。
    """
    await assert_null_is_absent(api, "logprobs", 1)
