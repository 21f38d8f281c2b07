"""What the two penalties have in common: both act on tokens that were sampled, and on no others."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._asking import choices_of, plain
from conformance.checks._compare import expect_agreement
from conformance.checks._prompts import COLOURS
from conformance.checks._refusals import above, below, expect_declined
from conformance.checks._sampling import OPEN_PROMPTS
from conformance.completion import Completion
from conformance.judgement import Deviation, NotApplicable, Thing, shown
from conformance.model import Effect

LAUGHTER = "ha ha ha ha ha ha ha ha ha ha ha ha"
"""A token that fills the prompt: counted there, a penalty of either sign is overwhelming."""

WORDS = "him her it me them you us\n\nShe looked at"
"""Ends where the words that it begins with compete with others for the next place."""

TURNING_AWAY = (f"{LAUGHTER}\n\nOnce upon a time, there", f"{COLOURS}. My favourite is", WORDS)
"""Prompts that go on with something new, unless their own tokens are favoured."""

GOING_ON = (LAUGHTER, COLOURS, WORDS)
"""Prompts that go on with their own tokens, unless those are penalised."""


async def hold_out_of_range(api: Api, name: str) -> None:
    """Hold that a penalty just above the documented maximum is declined."""
    await expect_declined(api, **{name: above(api, name, 0.1)})


async def hold_below_range(api: Api, name: str) -> None:
    """Hold that a penalty just below the documented minimum is declined."""
    await expect_declined(api, **{name: below(api, name, 0.1)})


async def hold_zero_as_none(api: Api, name: str, value: float | None = 0) -> None:
    """Hold that a penalty of 0 gives the answer that comes without one."""

    async def with_zero(fresh: bool) -> str:
        return (await plain(api, COLOURS, fresh=fresh, **{name: value})).text

    async def without(fresh: bool) -> str:
        return (await plain(api, COLOURS, fresh=fresh)).text

    await expect_agreement(with_zero, without, f"the answer without `{name}`")


async def hold_effect(api: Api, name: str, *, highest: float | None = None) -> None:
    """Hold that the ends of a penalty's range give different greedy texts after an open prompt.

    The one end favours what was already sampled, the other disfavours it: over a text in which any
    token comes twice they part. Only where they agree after every prompt is the penalty ignored.
    """
    lowest, highest = below(api, name, 0), above(api, name, 0) if highest is None else highest
    same: list[str] = []
    for prompt in OPEN_PROMPTS:
        favoured = await _with(api, prompt, {name: lowest})
        penalised = await _with(api, prompt, {name: highest})
        if favoured.text != penalised.text:
            return
        if favoured.only.finish_reason == "length":
            same.append(favoured.text)
    if not same:
        raise NotApplicable("the endpoint's answers are too short to repeat anything")
    raise Deviation(
        f"other texts at {name} {lowest:g} than at {highest:g}",
        f"the same at both: {shown(same)}",
        effect=Effect.IGNORED,
    )


async def hold_first_tokens(api: Api, name: str, value: float) -> None:
    """Hold that the first token is the same with a penalty as without: nothing was sampled yet."""
    prompts = list(TURNING_AWAY if value < 0 else GOING_ON)

    async def penalised(fresh: bool) -> tuple[str, ...]:
        return await _first_tokens(api, prompts, fresh, {name: value})

    async def free(fresh: bool) -> tuple[str, ...]:
        return await _first_tokens(api, prompts, fresh, {})

    await expect_agreement(penalised, free, "the first tokens that come without a penalty")


async def _first_tokens(
    api: Api, prompts: list[str], fresh: bool, penalty: dict[str, Any]
) -> tuple[str, ...]:
    answer = await plain(api, prompts, fresh=fresh, max_tokens=1, **penalty)
    return tuple(choice.text for choice in choices_of(answer, len(prompts), Thing.BATCH))


async def _with(api: Api, prompt: str, penalty: dict[str, Any]) -> Completion:
    return await plain(api, prompt, max_tokens=24, **penalty)
