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
    """The lowest and the highest `presence_penalty` give different greedy texts."""
    await hold_effect(api, NAME)


@check(
    "presence-penalty.formula",
    requirement="presence-penalty.lowers-repeats",
    needs=("temperature", "logprobs"),
)
async def the_penalty_follows_its_formula(api: Api) -> None:
    """Each token of a greedy answer is the best by its own score and the `presence_penalty`."""
    await hold_formula(api, NAME)


@check(
    "presence-penalty.formula-in-every-way",
    requirement="presence-penalty.lowers-repeats",
    tier="deep",
    needs=("temperature", "logprobs", "n", "stream"),
)
async def the_penalty_follows_its_formula_in_every_way(api: Api) -> None:
    """Each choice of a batch, plain and streamed, follows the formula of `presence_penalty`."""
    await hold_formula_in_every_way(api, NAME)


@check(
    "presence-penalty.lowest-effect",
    requirement="presence-penalty.lowers-repeats",
    tier="deep",
    needs=("temperature",),
)
async def the_lowest_penalty_is_not_none(api: Api) -> None:
    """The lowest `presence_penalty` gives another greedy text than none: it favours repeats."""
    await hold_effect(api, NAME, highest=0)


@check("presence-penalty.zero", requirement="presence-penalty.range-served")
async def zero_is_as_good_as_none(api: Api) -> None:
    """`presence_penalty: 0` gives the answer that comes without a penalty."""
    if not await neutral_values_are_harmless(api, NAME):
        await hold_zero_as_none(api, NAME)


@check("presence-penalty.null", requirement="presence-penalty.null-is-none")
async def null_is_as_good_as_none(api: Api) -> None:
    """`presence_penalty: null` gives the answer that comes without a penalty."""
    if await nulls_are_harmless(api, NAME):
        return
    async with where_served(api, NAME, 0):
        await hold_zero_as_none(api, NAME, None)


@check("presence-penalty.maximum-served", requirement="presence-penalty.range-served")
async def the_maximum_is_served(api: Api) -> None:
    """The highest documented `presence_penalty` is served."""
    await penalised(api, NAME, above(api, NAME, 0))


@check("presence-penalty.minimum-served", requirement="presence-penalty.range-served")
async def the_minimum_is_served(api: Api) -> None:
    """The lowest documented `presence_penalty` is served."""
    await penalised(api, NAME, below(api, NAME, 0))


@check("presence-penalty.above-refused", requirement="presence-penalty.out-of-range-refused")
async def above_the_maximum_is_refused(api: Api) -> None:
    """A `presence_penalty` just above the documented maximum is declined."""
    await hold_out_of_range(api, NAME)


@check(
    "presence-penalty.below-refused",
    requirement="presence-penalty.out-of-range-refused",
    tier="deep",
)
async def below_the_minimum_is_refused(api: Api) -> None:
    """A `presence_penalty` just below the documented minimum is declined."""
    await hold_below_range(api, NAME)


@check(
    "presence-penalty.prompt-not-favoured",
    requirement="presence-penalty.not-on-prompt",
    needs=("temperature",),
)
async def tokens_of_the_prompt_are_not_favoured(api: Api) -> None:
    """A negative `presence_penalty` leaves the first token as it is, whatever the prompt holds."""
    await hold_first_tokens(api, NAME, below(api, NAME, 0))


@check(
    "presence-penalty.prompt-not-penalised",
    requirement="presence-penalty.not-on-prompt",
    tier="deep",
    needs=("temperature",),
)
async def tokens_of_the_prompt_are_not_penalised(api: Api) -> None:
    """A positive `presence_penalty` leaves the first token as it is, whatever the prompt holds."""
    await hold_first_tokens(api, NAME, above(api, NAME, 0))


@check(
    "presence-penalty.word-refused",
    requirement="errors.wrong-type-refused",
    tier="deep",
    needs=("presence_penalty",),
)
async def a_word_is_no_penalty(api: Api) -> None:
    """A `presence_penalty` given as a word is declined."""
    await expect_declined(api, **{NAME: "high"})
