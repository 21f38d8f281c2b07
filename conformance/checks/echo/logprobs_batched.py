"""``echo`` with ``logprobs`` in batches: each prompt has the scores that it has alone."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.requests import choices_of, two_prompts
from conformance.checks._shared.token_scores import (
    Scored,
    Scores,
    expect_alike,
    expect_scored_alike,
    prompt_tokens_in,
    scored_tokens,
    scores_of,
)
from conformance.checks.echo.logprobs import score, score_batch, scoring
from conformance.judgement import Feature, NotApplicable, Refusal
from conformance.message import say
from conformance.protocol.completion import Choice

CHOICES_PER_PROMPT = 2


@check("echo-logprobs.batch-as-singles", requirement="echo.scored-equals-generated", tier="deep")
async def a_score_does_not_depend_on_the_batch(api: Api) -> None:
    """Each prompt of a batch has the scores that it has alone.

    批次中每个 prompt 的得分与单独计分时相同。
    """
    prompts = two_prompts(api)

    async def together(fresh: bool) -> Scored:
        return scored_tokens(await score_batch(api, prompts, fresh=fresh))

    async def alone(fresh: bool) -> Scored:
        responses = [await score(api, prompt, fresh=fresh) for prompt in prompts]
        return scored_tokens(response.only for response in responses)

    await expect_scored_alike(together, alone, say("each prompt's scores as they are alone"))


@check(
    "echo-logprobs.copies-asked-otherwise",
    requirement="echo.scored-equals-generated",
    tier="deep",
    needs=("n",),
)
async def a_score_does_not_depend_on_the_number_of_choices(api: Api) -> None:
    """With several choices, the prompts of a batch have the scores of a batch with one choice each.

    批次带多个 choice 时，各 prompt 的得分与每个 prompt 只有一个 choice 时相同。
    """
    prompts = two_prompts(api)

    async def choices_per_prompt(fresh: bool) -> Scores:
        request = {**scoring(prompts, 0), "n": CHOICES_PER_PROMPT}
        try:
            completion = (await api.complete(fresh=fresh, **request)).expect_ok()
        except Refusal:
            raise NotApplicable(
                say("several choices of a greedy response may be rejected")
            ) from None
        choices = choices_of(completion, CHOICES_PER_PROMPT * len(prompts), Feature.N_CHOICES)
        return _of_prompts(choices, [p for p in prompts for _ in range(CHOICES_PER_PROMPT)])

    async def with_one_more(fresh: bool) -> Scores:
        choices = await score_batch(api, prompts, fresh=fresh)
        each = [_of_prompts([c], [p]) for c, p in zip(choices, prompts, strict=True)]
        return tuple(
            value for scores in each for _ in range(CHOICES_PER_PROMPT) for value in scores
        )

    await expect_alike(
        choices_per_prompt, with_one_more, say("the same scores of the same prompts")
    )


def _of_prompts(choices: Sequence[Choice], prompts: Sequence[str]) -> tuple[float | None, ...]:
    return tuple(
        value
        for choice, prompt in zip(choices, prompts, strict=True)
        for value in scores_of(choice)[: prompt_tokens_in(choice, prompt)]
    )
