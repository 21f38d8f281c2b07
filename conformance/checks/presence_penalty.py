"""``presence_penalty``: lowers what was already sampled, once and for all."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._neutral import neutral_values_are_harmless, nulls_are_harmless
from conformance.checks._penalties import (
    hold_below_range,
    hold_effect,
    hold_first_tokens,
    hold_formula,
    hold_formula_in_every_way,
    hold_out_of_range,
    hold_zero_as_none,
    penalised,
)
from conformance.checks._refusals import above, below, expect_declined, where_served

NAME = "presence_penalty"


@check(
    "presence-penalty.effect", requirement="presence-penalty.lowers-repeats", needs=("temperature",)
)
async def the_penalty_changes_the_text(api: Api) -> None:
    """The lowest and the highest `presence_penalty` give different greedy texts.

    最低与最高的 `presence_penalty` 给出不同的贪心文本。
    """
    await hold_effect(api, NAME)


@check(
    "presence-penalty.formula",
    requirement="presence-penalty.lowers-repeats",
    needs=("temperature", "logprobs"),
)
async def the_penalty_follows_its_formula(api: Api) -> None:
    """Each token of a greedy answer is the best by its own score and the `presence_penalty`.

    贪心响应的每个 token，按其自身得分与 `presence_penalty` 计算都是最优的。
    """
    await hold_formula(api, NAME)


@check(
    "presence-penalty.formula-in-every-way",
    requirement="presence-penalty.lowers-repeats",
    tier="deep",
    needs=("temperature", "logprobs", "n", "stream"),
)
async def the_penalty_follows_its_formula_in_every_way(api: Api) -> None:
    """Each choice of a batch, plain and streamed, follows the formula of `presence_penalty`.

    批次中每个 choice，无论流式与否，都遵循 `presence_penalty` 的公式。
    """
    await hold_formula_in_every_way(api, NAME)


@check(
    "presence-penalty.lowest-effect",
    requirement="presence-penalty.lowers-repeats",
    tier="deep",
    needs=("temperature",),
)
async def the_lowest_penalty_is_not_none(api: Api) -> None:
    """The lowest `presence_penalty` gives another greedy text than none: it favours repeats.

    最低的 `presence_penalty` 偏好重复，其贪心文本与不设惩罚时不同。
    """
    await hold_effect(api, NAME, highest=0)


@check("presence-penalty.zero", requirement="presence-penalty.range-served")
async def zero_is_as_good_as_none(api: Api) -> None:
    """`presence_penalty: 0` gives the answer that comes without a penalty.

    `presence_penalty: 0` 的响应与不设惩罚时相同。
    """
    if not await neutral_values_are_harmless(api, NAME):
        await hold_zero_as_none(api, NAME)


@check("presence-penalty.null", requirement="presence-penalty.null-is-none")
async def null_is_as_good_as_none(api: Api) -> None:
    """`presence_penalty: null` gives the answer that comes without a penalty.

    `presence_penalty: null` 的响应与不设惩罚时相同。
    """
    if await nulls_are_harmless(api, NAME):
        return
    async with where_served(api, NAME, 0):
        await hold_zero_as_none(api, NAME, None)


@check("presence-penalty.maximum-served", requirement="presence-penalty.range-served")
async def the_maximum_is_served(api: Api) -> None:
    """The highest documented `presence_penalty` is served.

    文档允许的最高 `presence_penalty` 得到处理。
    """
    await penalised(api, NAME, above(api, NAME, 0))


@check("presence-penalty.minimum-served", requirement="presence-penalty.range-served")
async def the_minimum_is_served(api: Api) -> None:
    """The lowest documented `presence_penalty` is served.

    文档允许的最低 `presence_penalty` 得到处理。
    """
    await penalised(api, NAME, below(api, NAME, 0))


@check("presence-penalty.above-refused", requirement="presence-penalty.out-of-range-refused")
async def above_the_maximum_is_refused(api: Api) -> None:
    """A `presence_penalty` just above the documented maximum is declined.

    略高于文档上限的 `presence_penalty` 会被拒绝。
    """
    await hold_out_of_range(api, NAME)


@check(
    "presence-penalty.below-refused",
    requirement="presence-penalty.out-of-range-refused",
    tier="deep",
)
async def below_the_minimum_is_refused(api: Api) -> None:
    """A `presence_penalty` just below the documented minimum is declined.

    略低于文档下限的 `presence_penalty` 会被拒绝。
    """
    await hold_below_range(api, NAME)


@check(
    "presence-penalty.prompt-not-favoured",
    requirement="presence-penalty.not-on-prompt",
    needs=("temperature",),
)
async def tokens_of_the_prompt_are_not_favoured(api: Api) -> None:
    """A negative `presence_penalty` leaves the first token as it is, whatever the prompt holds.

    无论 prompt 含有什么，负的 `presence_penalty` 都不改变第一个 token。
    """
    await hold_first_tokens(api, NAME, below(api, NAME, 0))


@check(
    "presence-penalty.prompt-not-penalised",
    requirement="presence-penalty.not-on-prompt",
    tier="deep",
    needs=("temperature",),
)
async def tokens_of_the_prompt_are_not_penalised(api: Api) -> None:
    """A positive `presence_penalty` leaves the first token as it is, whatever the prompt holds.

    无论 prompt 含有什么，正的 `presence_penalty` 都不改变第一个 token。
    """
    await hold_first_tokens(api, NAME, above(api, NAME, 0))


@check(
    "presence-penalty.word-refused",
    requirement="errors.wrong-type-refused",
    tier="deep",
    needs=("presence_penalty",),
)
async def a_word_is_no_penalty(api: Api) -> None:
    """A `presence_penalty` given as a word is declined.

    `presence_penalty` 为单词时会被拒绝。
    """
    await expect_declined(api, **{NAME: "high"})
