"""``frequency_penalty``: lowers what was already sampled, more each time."""

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

NAME = "frequency_penalty"


@check(
    "frequency-penalty.effect",
    requirement="frequency-penalty.lowers-repeats",
    needs=("temperature",),
)
async def the_penalty_changes_the_text(api: Api) -> None:
    """The lowest and the highest `frequency_penalty` give different greedy texts.

    最低与最高的 `frequency_penalty` 给出不同的贪心文本。
    """
    await hold_effect(api, NAME)


@check(
    "frequency-penalty.formula",
    requirement="frequency-penalty.lowers-repeats",
    needs=("temperature", "logprobs"),
)
async def the_penalty_follows_its_formula(api: Api) -> None:
    """Each token of a greedy answer is the best by its own score and the `frequency_penalty`.

    贪心响应的每个 token，按其自身得分与 `frequency_penalty` 计算都是最优的。
    """
    await hold_formula(api, NAME)


@check(
    "frequency-penalty.formula-in-every-way",
    requirement="frequency-penalty.lowers-repeats",
    tier="deep",
    needs=("temperature", "logprobs", "n", "stream"),
)
async def the_penalty_follows_its_formula_in_every_way(api: Api) -> None:
    """Each choice of a batch, plain and streamed, follows the formula of `frequency_penalty`.

    批次中每个 choice，无论流式与否，都遵循 `frequency_penalty` 的公式。
    """
    await hold_formula_in_every_way(api, NAME)


@check(
    "frequency-penalty.lowest-effect",
    requirement="frequency-penalty.lowers-repeats",
    tier="deep",
    needs=("temperature",),
)
async def the_lowest_penalty_is_not_none(api: Api) -> None:
    """The lowest `frequency_penalty` gives another greedy text than none: it favours repeats.

    最低的 `frequency_penalty` 偏好重复，其贪心文本与不设惩罚时不同。
    """
    await hold_effect(api, NAME, highest=0)


@check("frequency-penalty.zero", requirement="frequency-penalty.range-served")
async def zero_is_as_good_as_none(api: Api) -> None:
    """`frequency_penalty: 0` gives the answer that comes without a penalty.

    `frequency_penalty: 0` 的响应与不设惩罚时相同。
    """
    if not await neutral_values_are_harmless(api, NAME):
        await hold_zero_as_none(api, NAME)


@check("frequency-penalty.null", requirement="frequency-penalty.null-is-none")
async def null_is_as_good_as_none(api: Api) -> None:
    """`frequency_penalty: null` gives the answer that comes without a penalty.

    `frequency_penalty: null` 的响应与不设惩罚时相同。
    """
    if await nulls_are_harmless(api, NAME):
        return
    async with where_served(api, NAME, 0):
        await hold_zero_as_none(api, NAME, None)


@check("frequency-penalty.maximum-served", requirement="frequency-penalty.range-served")
async def the_maximum_is_served(api: Api) -> None:
    """The highest documented `frequency_penalty` is served.

    文档允许的最高 `frequency_penalty` 得到处理。
    """
    await penalised(api, NAME, above(api, NAME, 0))


@check("frequency-penalty.minimum-served", requirement="frequency-penalty.range-served")
async def the_minimum_is_served(api: Api) -> None:
    """The lowest documented `frequency_penalty` is served.

    文档允许的最低 `frequency_penalty` 得到处理。
    """
    await penalised(api, NAME, below(api, NAME, 0))


@check(
    "frequency-penalty.above-refused",
    requirement="frequency-penalty.out-of-range-refused",
    tier="deep",
)
async def above_the_maximum_is_refused(api: Api) -> None:
    """A `frequency_penalty` just above the documented maximum is declined.

    略高于文档上限的 `frequency_penalty` 会被拒绝。
    """
    await hold_out_of_range(api, NAME)


@check(
    "frequency-penalty.below-refused",
    requirement="frequency-penalty.out-of-range-refused",
    tier="deep",
)
async def below_the_minimum_is_refused(api: Api) -> None:
    """A `frequency_penalty` just below the documented minimum is declined.

    略低于文档下限的 `frequency_penalty` 会被拒绝。
    """
    await hold_below_range(api, NAME)


@check(
    "frequency-penalty.prompt-not-favoured",
    requirement="frequency-penalty.not-on-prompt",
    needs=("temperature",),
)
async def tokens_of_the_prompt_are_not_favoured(api: Api) -> None:
    """A negative `frequency_penalty` leaves the first token as it is, whatever the prompt holds.

    无论 prompt 含有什么，负的 `frequency_penalty` 都不改变第一个 token。
    """
    await hold_first_tokens(api, NAME, below(api, NAME, 0))


@check(
    "frequency-penalty.prompt-not-penalised",
    requirement="frequency-penalty.not-on-prompt",
    tier="deep",
    needs=("temperature",),
)
async def tokens_of_the_prompt_are_not_penalised(api: Api) -> None:
    """A positive `frequency_penalty` leaves the first token as it is, whatever the prompt holds.

    无论 prompt 含有什么，正的 `frequency_penalty` 都不改变第一个 token。
    """
    await hold_first_tokens(api, NAME, above(api, NAME, 0))


@check(
    "frequency-penalty.word-refused",
    requirement="errors.wrong-type-refused",
    tier="deep",
    needs=("frequency_penalty",),
)
async def a_word_is_no_penalty(api: Api) -> None:
    """A `frequency_penalty` given as a word is declined.

    `frequency_penalty` 为单词时会被拒绝。
    """
    await expect_declined(api, **{NAME: "high"})
