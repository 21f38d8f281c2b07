"""``presence_penalty`` and ``frequency_penalty``: both make sampled tokens less probable.

The first applies once per token, the second with every repetition. The checks are the same for
both, so each check here is registered twice.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.batched import ask_batched
from conformance.checks._shared.named_checks import check_of_each
from conformance.checks._shared.nondeterminism import NEAR_TIE_NATS, lead_in
from conformance.checks._shared.prompts import COLOURS
from conformance.checks._shared.readable_tokens import readable_positions
from conformance.checks._shared.refusals import above, below
from conformance.checks._shared.requests import choices_of, non_streaming
from conformance.checks._shared.sampling import OPEN_PROMPTS, STORY
from conformance.checks._shared.token_scores import alternatives, positions_of
from conformance.checks.penalties.arithmetic import Penalised, contradictions
from conformance.checks.penalties.stimuli import (
    GOING_ON,
    LEAVING,
    MAX_TOKENS,
    OPEN_PROMPT,
    PENALTIES,
    TURNING_AWAY,
    USUAL_MAXIMUM,
    USUAL_PROMPT,
    as_factor,
    ends_of,
    penalised,
    under_penalty,
)
from conformance.judgement import (
    Failure,
    Feature,
    Inconclusive,
    Judgement,
    NotApplicable,
    Refusal,
    shown,
)
from conformance.message import say
from conformance.model import Effect

check_of_both = partial(check_of_each, PENALTIES)


@check_of_both("effect", requirement="lowers-repeats", needs=("temperature",), sees_effect=True)
async def the_penalty_changes_the_text(api: Api, name: str) -> None:
    """The lowest and the highest `{name}` give different greedy texts.

    最低与最高的 `{name}` 给出不同的贪心文本。
    """
    await assert_effect(api, name)


@check_of_both(
    "lowest-effect",
    requirement="lowers-repeats",
    tier="deep",
    needs=("temperature",),
    sees_effect=True,
)
async def the_lowest_penalty_is_not_none(api: Api, name: str) -> None:
    """The lowest `{name}` favours repeats: the greedy text differs from that without a penalty.

    最低的 `{name}` 偏好重复，其贪心文本与不设惩罚时不同。
    """
    await assert_effect(api, name, highest=0)


@check_of_both("formula", requirement="lowers-repeats", needs=("temperature", "logprobs"))
async def the_penalty_follows_its_formula(api: Api, name: str) -> None:
    """Each token of a greedy response is the best by its score and the `{name}`.

    贪心响应的每个 token，按其自身得分与 `{name}` 计算都是最优的。
    """
    responses = [await under_penalty(api, name, end) for end in ends_of(api, name)]
    assert_no_contradiction(responses, name)


@check_of_both(
    "formula-in-every-way",
    requirement="lowers-repeats",
    tier="deep",
    needs=("temperature", "logprobs", "n", "stream"),
)
async def the_penalty_follows_its_formula_in_every_way(api: Api, name: str) -> None:
    """Each choice of a streamed batch follows the formula of `{name}`.

    流式批次中每个 choice 都遵循 `{name}` 的公式。
    """
    ends = ends_of(api, name)
    # Single responses that follow the formula show how scores are to be read.
    lowest, highest = ends
    pairs = [(lowest, OPEN_PROMPT), *((highest, prompt) for prompt in LEAVING[name])]
    single = [await under_penalty(api, name, value, prompt) for value, prompt in pairs]
    together = []
    for value in ends:
        request: dict[str, Any] = {name: value, "max_tokens": MAX_TOKENS}
        request["logprobs"] = alternatives(api)
        result = await ask_batched(api, [STORY, OPEN_PROMPT], stream=True, **request)
        # Only the last tokens were generated; echoed ones precede them.
        together += [
            Penalised(readable_positions(choice)[-MAX_TOKENS:], prompt, **as_factor(name, value))
            for prompt, choice in result
            if choice.finish_reason == "length"
        ]
    assert_no_contradiction([*single, *together], name)


@check_of_both("maximum-served", requirement="range-served")
async def the_maximum_is_served(api: Api, name: str) -> None:
    """The highest documented `{name}` is accepted.

    文档允许的最高 `{name}` 会被接受。
    """
    await penalised(api, name, above(api, name, 0))


@check_of_both("minimum-served", requirement="range-served")
async def the_minimum_is_served(api: Api, name: str) -> None:
    """The lowest documented `{name}` is accepted.

    文档允许的最低 `{name}` 会被接受。
    """
    await penalised(api, name, below(api, name, 0))


@check_of_both("prompt-not-favoured", requirement="not-on-prompt", needs=("temperature",))
async def tokens_of_the_prompt_are_not_favoured(api: Api, name: str) -> None:
    """A negative `{name}` does not change the first token, for any prompt.

    无论 prompt 含有什么，负的 `{name}` 都不改变第一个 token。
    """
    await assert_first_tokens(api, name, below(api, name, 0))


@check_of_both(
    "prompt-not-penalised", requirement="not-on-prompt", tier="deep", needs=("temperature",)
)
async def tokens_of_the_prompt_are_not_penalised(api: Api, name: str) -> None:
    """A positive `{name}` does not change the first token, for any prompt.

    无论 prompt 含有什么，正的 `{name}` 都不改变第一个 token。
    """
    await assert_first_tokens(api, name, above(api, name, 0))


async def assert_effect(api: Api, name: str, *, highest: float | None = None) -> None:
    """Assert that the ends of a penalty's range give different greedy texts after an open prompt.

    One end favours sampled tokens, the other disfavours them, so texts with any repeated token
    differ. The penalty counts as ignored only if the texts agree for every prompt. If a document
    states no range, the range of the other documents is used; an endpoint may then reject the
    values, but not the parameter.
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
        # Either the value or the parameter was rejected: 0 is in every range.
        none: dict[str, Any] = {name: 0}
        await non_streaming(api, COLOURS, **none)
        raise NotApplicable(
            say(
                "{refusal}; this document states no range of {parameter}",
                refusal=refusal.said,
                parameter=name,
            )
        ) from None
    if same:
        raise Failure(
            say(
                "different texts at {name} {lowest} and {highest}",
                name=name,
                lowest=f"{lowest:g}",
                highest=f"{highest:g}",
            ),
            say("the same at both: {text}", text=shown(same)),
            effect=Effect.IGNORED,
        )


async def _same_at_both(api: Api, name: str, lowest: float, highest: float) -> list[str]:
    """Return the texts that are the same at both values; empty as soon as one differs.

    Raises:
        NotApplicable: no response was long enough to repeat anything.
    """
    same: list[str] = []
    # Without a penalty, a run goes on as with one that favours it.
    first = USUAL_PROMPT[name] if highest else OPEN_PROMPT
    for prompt in dict.fromkeys((first, *reversed(OPEN_PROMPTS))):
        favoured = await penalised(api, name, lowest, prompt)
        disfavoured = await penalised(api, name, highest, prompt)
        if favoured.text != disfavoured.text:
            return []
        if favoured.only.finish_reason == "length":
            same.append(favoured.text)
    if not same:
        raise NotApplicable(say("the endpoint's responses are too short to contain repeats"))
    return same


def assert_no_contradiction(responses: list[Penalised], name: str) -> None:
    """Assert that every token is the best by some reading of the scores."""
    if found := contradictions(responses):
        raise Failure(
            say("the best token by score and `{parameter}` at each position", parameter=name),
            say(
                "{count} tokens that are not, first: {first}", count=len(found), first=found[0].said
            ),
        )


async def assert_first_tokens(api: Api, name: str, value: float) -> None:
    """Assert that a penalty does not change the first token: nothing was sampled before it."""
    prompts = list(TURNING_AWAY if value < 0 else GOING_ON)
    # Both penalties are sent together first: if that changes nothing, neither does each alone.
    both = {one: value for one in PENALTIES if api.contract.parameter(one).documented}
    if len(both) == len(PENALTIES) and await _are_left_alone(api, prompts, both):
        return

    async def penalised(fresh: bool) -> tuple[str, ...]:
        return await _first_tokens(api, prompts, fresh, {name: value})

    async def free(fresh: bool) -> tuple[str, ...]:
        return await _first_tokens(api, prompts, fresh, {})

    try:
        await expect_agreement(penalised, free, say("the first tokens without a penalty"))
    except Failure:
        seen, known = await penalised(False), await free(False)
        lead = await _lead_where_they_differ(api, prompts, seen, known)
        if lead is None or lead >= NEAR_TIE_NATS:
            raise
        raise Inconclusive(
            say(
                "{difference}; before they diverge, two tokens are {lead} nats apart, "
                "and below {near_tie_nats} this is a near-tie",
                difference=say("{one} vs. {other}", one=shown(seen), other=shown(known)),
                lead=f"{lead:.2f}",
                near_tie_nats=NEAR_TIE_NATS,
            )
        ) from None


async def _lead_where_they_differ(
    api: Api, prompts: list[str], seen: tuple[str, ...], known: tuple[str, ...]
) -> float | None:
    """Return by how many nats the best first token leads, the most of all prompts that differ."""
    try:
        response = await non_streaming(api, prompts, max_tokens=1, logprobs=alternatives(api))
        choices = choices_of(response, len(prompts), Feature.BATCH)
        rows = zip(choices, seen, known, strict=True)
        leads = [lead_in([positions_of(choice)[:1]]) for choice, a, b in rows if a != b]
        return None if None in leads else max(one for one in leads if one is not None)
    except Judgement:
        return None


async def _are_left_alone(api: Api, prompts: list[str], penalties: dict[str, Any]) -> bool:
    try:
        seen = await _first_tokens(api, prompts, False, penalties)
        return seen == await _first_tokens(api, prompts, False, {})
    except Judgement:
        return False


async def _first_tokens(
    api: Api, prompts: list[str], fresh: bool, penalty: dict[str, Any]
) -> tuple[str, ...]:
    one_token: dict[str, Any] = {"fresh": fresh, "max_tokens": 1, **penalty}
    if "strings" not in api.contract.parameter("prompt").forms:
        return tuple([(await non_streaming(api, one, **one_token)).text for one in prompts])
    response = await non_streaming(api, prompts, **one_token)
    return tuple(choice.text for choice in choices_of(response, len(prompts), Feature.BATCH))
