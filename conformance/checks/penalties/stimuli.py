"""What the two penalties have in common: both act on tokens that were sampled, and on no others."""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.batched import ask_batched
from conformance.checks._shared.prompts import COLOURS
from conformance.checks._shared.readable_tokens import readable_positions
from conformance.checks._shared.refusals import above, below, expect_rejected
from conformance.checks._shared.requests import choices_of, plain
from conformance.checks._shared.sampling import OPEN_PROMPTS, STORY
from conformance.checks._shared.token_scores import alternatives, scored
from conformance.checks.penalties.arithmetic import Penalised, contradictions
from conformance.completion import Completion
from conformance.judgement import Deviation, Judgement, NotApplicable, Refusal, Thing, shown
from conformance.model import Effect

LAUGHTER = "ha ha ha ha ha ha ha ha ha ha ha ha"
"""A token that fills the prompt: counted there, a penalty of either sign is overwhelming."""


WORDS = "him her it me them you us\n\nShe looked at"
"""Ends where the words that it begins with compete with others for the next place."""


TURNING_AWAY = (f"{LAUGHTER}\n\nOnce upon a time, there", f"{COLOURS}. My favourite is", WORDS)
"""Prompts that go on with something new, unless their own tokens are favoured."""


GOING_ON = (LAUGHTER, COLOURS, WORDS)
"""Prompts that go on with their own tokens, unless those are penalised."""


OPEN_PROMPT = OPEN_PROMPTS[-1]
"""In Chinese the same characters come again soon, and others stand close behind them."""


MAX_TOKENS = 48


PENALTIES = ("presence_penalty", "frequency_penalty")


USUAL_MAXIMUM = 2.0
"""The end of the range in every document that states one."""


async def assert_out_of_range(api: Api, name: str) -> None:
    """Assert that a penalty just above the documented maximum is declined."""
    await expect_rejected(api, **{name: above(api, name, 0.1)})


async def assert_below_range(api: Api, name: str) -> None:
    """Assert that a penalty just below the documented minimum is declined."""
    await expect_rejected(api, **{name: below(api, name, 0.1)})


async def assert_zero_as_none(api: Api, name: str, value: float | None = 0) -> None:
    """Assert that a penalty of 0 gives the answer that comes without one."""

    async def with_zero(fresh: bool) -> str:
        return (await plain(api, COLOURS, fresh=fresh, **{name: value})).text

    async def without(fresh: bool) -> str:
        return (await plain(api, COLOURS, fresh=fresh)).text

    await expect_agreement(with_zero, without, f"the answer without `{name}`")


async def assert_effect(api: Api, name: str, *, highest: float | None = None) -> None:
    """Assert that the ends of a penalty's range give different greedy texts after an open prompt.

    The one end favours what was already sampled, the other disfavours it: over a text in which any
    token comes twice they part. Only where they agree after every prompt is the penalty ignored. A
    document that names the penalty without a range is taken at the range that the others give, and
    an endpoint that declines those values then breaks no promise of that document, unless it
    declines the parameter as such.
    """
    parameter = api.contract.parameter(name)
    lowest = -USUAL_MAXIMUM if parameter.minimum is None else parameter.minimum
    if highest is None:
        highest = USUAL_MAXIMUM if parameter.maximum is None else parameter.maximum
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
    for prompt in reversed(OPEN_PROMPTS):
        favoured = await penalised(api, name, lowest, prompt)
        disfavoured = await penalised(api, name, highest, prompt)
        if favoured.text != disfavoured.text:
            return []
        if favoured.only.finish_reason == "length":
            same.append(favoured.text)
    if not same:
        raise NotApplicable("the endpoint's answers are too short to repeat anything")
    return same


async def penalised(api: Api, name: str, value: float, prompt: str = OPEN_PROMPT) -> Completion:
    """Ask for a greedy text under a penalty, with its scores where they can be had."""
    asked: dict[str, Any] = {name: value, "max_tokens": MAX_TOKENS}
    if api.contract.parameter("logprobs").documented:
        try:
            return await scored(api, prompt, **asked)
        except Refusal:
            pass
    return await plain(api, prompt, **asked)


async def assert_formula(api: Api, name: str) -> None:
    """Assert that greedy answers at both ends of a penalty's range follow its formula."""
    assert_no_contradiction([await under_penalty(api, name, e) for e in ends_of(api, name)], name)


async def assert_formula_in_every_way(api: Api, name: str) -> None:
    """Assert that every choice of a batch with an echo, plain and streamed, follows the formula."""
    ends = ends_of(api, name)
    # That single answers obey the formula tells how scores are to be read.
    single = [await under_penalty(api, name, end) for end in ends]
    single.append(await under_penalty(api, name, ends[1], STORY))
    for stream in (False, True):
        together = []
        for value in ends:
            asked: dict[str, Any] = {name: value, "max_tokens": MAX_TOKENS}
            asked["logprobs"] = alternatives(api)
            told = await ask_batched(api, [STORY, OPEN_PROMPT], stream=stream, **asked)
            # Only the last tokens were generated; those of an echo come before them.
            together += [
                Penalised(
                    readable_positions(choice)[-MAX_TOKENS:], prompt, **as_factor(name, value)
                )
                for prompt, choice in told
                if choice.finish_reason == "length"
            ]
        assert_no_contradiction([*single, *together], name)


def ends_of(api: Api, name: str) -> tuple[float, float]:
    """Return the documented range of a penalty."""
    parameter = api.contract.parameter(name)
    if parameter.minimum is None or parameter.maximum is None:
        raise NotApplicable(f"this document states no range of {name}")
    return parameter.minimum, parameter.maximum


def as_factor(name: str, value: float) -> dict[str, float]:
    """Write a penalty as the arithmetic names it."""
    return {name.removesuffix("_penalty"): value}


async def under_penalty(api: Api, name: str, value: float, prompt: str = OPEN_PROMPT) -> Penalised:
    """Ask for a greedy answer under a penalty, for its arithmetic to be held."""
    answer = await penalised(api, name, value, prompt)
    return Penalised(readable_positions(answer.only), prompt, **as_factor(name, value))


def assert_no_contradiction(answers: list[Penalised], name: str) -> None:
    """Assert that no reading of the scores is needed by which tokens were not the best."""
    if found := contradictions(answers):
        raise Deviation(
            f"each token the best by its score and `{name}`",
            f"{len(found)} that are not: {found[0]}",
        )


async def assert_first_tokens(api: Api, name: str, value: float) -> None:
    """Assert that a penalty does not change the first token: nothing was sampled before it."""
    prompts = list(TURNING_AWAY if value < 0 else GOING_ON)
    # Both penalties at once come first: what they leave alone together each leaves alone.
    both = {one: value for one in PENALTIES if api.contract.parameter(one).documented}
    if len(both) == len(PENALTIES) and await _are_left_alone(api, prompts, both):
        return

    async def penalised(fresh: bool) -> tuple[str, ...]:
        return await _first_tokens(api, prompts, fresh, {name: value})

    async def free(fresh: bool) -> tuple[str, ...]:
        return await _first_tokens(api, prompts, fresh, {})

    await expect_agreement(penalised, free, "the first tokens that come without a penalty")


async def _are_left_alone(api: Api, prompts: list[str], penalties: dict[str, Any]) -> bool:
    try:
        seen = await _first_tokens(api, prompts, False, penalties)
        return seen == await _first_tokens(api, prompts, False, {})
    except Judgement:
        return False


async def _first_tokens(
    api: Api, prompts: list[str], fresh: bool, penalty: dict[str, Any]
) -> tuple[str, ...]:
    answer = await plain(api, prompts, fresh=fresh, max_tokens=1, **penalty)
    return tuple(choice.text for choice in choices_of(answer, len(prompts), Thing.BATCH))
