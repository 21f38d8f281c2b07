"""What the two penalties have in common: both act on tokens that were sampled, and on no others."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._asking import choices_of, plain, streamed
from conformance.checks._compare import expect_agreement
from conformance.checks._penalty_arithmetic import Penalised, contradictions
from conformance.checks._prompts import COLOURS
from conformance.checks._refusals import above, below, expect_declined
from conformance.checks._sampling import OPEN_PROMPTS, STORY
from conformance.checks._scores import alternatives, scored
from conformance.checks._tokens import readable_positions
from conformance.completion import Completion
from conformance.judgement import Deviation, NotApplicable, Refusal, Thing, shown
from conformance.model import Effect

LAUGHTER = "ha ha ha ha ha ha ha ha ha ha ha ha"
"""A token that fills the prompt: counted there, a penalty of either sign is overwhelming."""

WORDS = "him her it me them you us\n\nShe looked at"
"""Ends where the words that it begins with compete with others for the next place."""

TURNING_AWAY = (f"{LAUGHTER}\n\nOnce upon a time, there", f"{COLOURS}. My favourite is", WORDS)
"""Prompts that go on with something new, unless their own tokens are favoured."""

GOING_ON = (LAUGHTER, COLOURS, WORDS)
"""Prompts that go on with their own tokens, unless those are penalised."""


USUAL = 2.0
"""The end of the range in every document that states one."""


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
    token comes twice they part. Only where they agree after every prompt is the penalty ignored. A
    document that names the penalty without a range is taken at the range that the others give, and
    an endpoint that declines those values then breaks no promise of that document, unless it
    declines the parameter as such.
    """
    parameter = api.contract.parameter(name)
    lowest = -USUAL if parameter.minimum is None else parameter.minimum
    if highest is None:
        highest = USUAL if parameter.maximum is None else parameter.maximum
    try:
        same = await _same_at_both(api, name, lowest, highest)
    except Refusal as refusal:
        if None not in (parameter.minimum, parameter.maximum):
            raise
        # The value may be what is declined, or the parameter: 0 is in every range.
        none: dict[str, Any] = {name: 0}
        await plain(api, COLOURS, **none)
        raise NotApplicable(f"{refusal}; this document states no range of {name}") from None
    if same:
        raise Deviation(
            f"other texts at {name} {lowest:g} than at {highest:g}",
            f"the same at both: {shown(same)}",
            effect=Effect.IGNORED,
        )


async def _same_at_both(api: Api, name: str, lowest: float, highest: float) -> list[str]:
    """Return the texts that came alike at both values, or nothing as soon as one differs.

    Raises:
        NotApplicable: no answer was long enough to repeat anything.
    """
    same: list[str] = []
    for prompt in OPEN_PROMPTS:
        favoured = await penalised(api, name, lowest, prompt)
        disfavoured = await penalised(api, name, highest, prompt)
        if favoured.text != disfavoured.text:
            return []
        if favoured.only.finish_reason == "length":
            same.append(favoured.text)
    if not same:
        raise NotApplicable("the endpoint's answers are too short to repeat anything")
    return same


async def penalised(api: Api, name: str, value: float, prompt: str = STORY) -> Completion:
    """Ask for a greedy text under a penalty, with its scores where they can be had."""
    asked: dict[str, Any] = {name: value, "max_tokens": 24}
    if api.contract.parameter("logprobs").documented:
        try:
            return await scored(api, prompt, **asked)
        except Refusal:
            pass
    return await plain(api, prompt, **asked)


async def hold_formula(api: Api, name: str) -> None:
    """Hold that greedy answers at both ends of a penalty's range follow its formula."""
    lowest, highest = ends_of(api, name)
    answers = [
        *under_penalty(await penalised(api, name, lowest), name, lowest),
        *under_penalty(await penalised(api, name, highest), name, highest),
    ]
    hold_no_contradiction(answers, name)


async def hold_formula_in_every_way(api: Api, name: str) -> None:
    """Hold that every choice of a batch, plain and streamed, follows a penalty's formula."""
    highest = ends_of(api, name)[1]
    prompts = [STORY, OPEN_PROMPTS[2]]
    asked: dict[str, Any] = {name: highest, "max_tokens": 24, "logprobs": alternatives(api)}
    try:
        answers = [await ask(api, prompts, n=2, **asked) for ask in (plain, streamed)]
    except Refusal:
        answers = [await ask(api, prompts, **asked) for ask in (plain, streamed)]
    single = under_penalty(await penalised(api, name, highest), name, highest)
    for answer in answers:
        size = len(answer.choices) // len(prompts) or 1
        for number, choice in enumerate(answer.choices):
            prompt = prompts[number // size % len(prompts)]
            # That the single answer obeys tells how scores are to be read.
            own = Penalised(readable_positions(choice), prompt, **{short(name): highest})
            hold_no_contradiction([*single, own], name)


def ends_of(api: Api, name: str) -> tuple[float, float]:
    """Return the documented range of a penalty."""
    parameter = api.contract.parameter(name)
    if parameter.minimum is None or parameter.maximum is None:
        raise NotApplicable(f"this document states no range of {name}")
    return parameter.minimum, parameter.maximum


def short(name: str) -> str:
    """Return a penalty's name without the word."""
    return name.removesuffix("_penalty")


def under_penalty(answer: Completion, name: str, value: float) -> list[Penalised]:
    """Return the choices of an answer to the open prompt for their arithmetic to be held."""
    return [Penalised(readable_positions(c), STORY, **{short(name): value}) for c in answer.choices]


def hold_no_contradiction(answers: list[Penalised], name: str) -> None:
    """Hold that no reading of the scores is needed by which tokens were not the best."""
    if found := contradictions(answers):
        raise Deviation(
            f"each token the best by its score and `{name}`",
            f"{len(found)} that are not: {found[0]}",
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
