"""Metamorphic relations between responses with ``echo`` and without."""

from __future__ import annotations

from collections.abc import Callable

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import GENERATED, choices
from conformance.checks._shared.metamorphic_echo import assert_echo_precedes_text
from conformance.checks._shared.metamorphic_scores import TOP_LOGPROBS, expect_same_scores, scored
from conformance.checks._shared.nondeterminism import CERTAIN_LOGPROB
from conformance.checks._shared.token_scores import (
    Scored,
    prompt_tokens_in,
    scored_tokens,
    scores_of,
    tokens_of,
)
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import Scene, scenes
from conformance.judgement import NotApplicable, expect
from conformance.message import say
from conformance.protocol.completion import Choice


@check("relations.echo-then-answer", requirement="echo.own-prompt-in-batch", **GENERATED)
async def an_echo_comes_before_the_completion(api: Api) -> None:
    """For generated prompts, each echo is its own prompt, then the text returned without `echo`.

    对于自动生成的 prompt，回显都是其自身，其后是不带 `echo` 时的文本。
    """
    await assert_echo_precedes_text(api, stream=False)


@check(
    "relations.echo-scores-cover",
    requirement="echo.logprobs-cover-prompt",
    needs=("logprobs",),
    **GENERATED,
)
async def every_echoed_token_is_scored(api: Api) -> None:
    """For generated prompts, scored prompt tokens come first, then one entry per generated token.

    对于自动生成的 prompt，其 token 排在最前且都有得分，其后每个生成的 token 各有一个条目。
    """

    def judge(scene: Scene, prompt: str, choice: Choice) -> None:
        number = prompt_tokens_in(choice, prompt)
        scores = scores_of(choice)
        missing = scores[1:number].count(None)
        expect(missing, say("prompt tokens without a score, after the first")).equals(0)
        if choice.finish_reason == "length":
            more = len(tokens_of(choice)) - number
            expect(more, say("entries after the prompt's")).equals(scene.limit)

    await assert_each_echo(api, judge)


@check(
    "relations.echo-scores-first",
    requirement="echo.first-token-null",
    needs=("logprobs",),
    **GENERATED,
)
async def no_first_token_is_scored(api: Api) -> None:
    """For generated prompts, the first echoed token has no log probability.

    对于自动生成的 prompt，回显的第一个 token 都没有对数概率。
    """

    def judge(_: Scene, __: str, choice: Choice) -> None:
        expect(scores_of(choice)[:1], say("the first of token_logprobs")).equals([None])

    await assert_each_echo(api, judge)


async def assert_each_echo(api: Api, judge: Callable[[Scene, str, Choice], None]) -> None:
    """Judge every choice of responses with ``echo`` and ``logprobs``.

    Args:
        api: sends the requests.
        judge: takes the scene, the choice's prompt and the choice; raises a judgement.

    Raises:
        NotApplicable: no choice could be judged.
        Judgement: ``judge`` raised it.
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        found = await choices(trial.api, scene, shape, echo=True, logprobs=TOP_LOGPROBS)
        skipped: NotApplicable | None = None
        judged = False
        for prompt, choice in found:
            try:
                judge(scene, prompt, choice)
                judged = True
            except NotApplicable as reason:
                skipped = reason
        if skipped is not None and not judged:
            raise skipped

    await assert_property(api, scenes, relation, every_shape(api))


@check(
    "relations.echo-scores-generated",
    requirement="echo.scored-equals-generated",
    needs=("logprobs",),
    **GENERATED,
)
async def an_echo_leaves_the_scores_alone(api: Api) -> None:
    """For generated prompts, the text after an echo has the scores that it has without `echo`.

    对于自动生成的 prompt，回显之后的文本，其得分与不带 `echo` 时相同。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        async def behind_echo(fresh: bool) -> Scored:
            found = await choices(
                trial.api, scene, shape, fresh=fresh, echo=True, logprobs=TOP_LOGPROBS
            )
            pairs: list[tuple[str, float | None]] = []
            for prompt, choice in found:
                pairs += scored_tokens([choice])[prompt_tokens_in(choice, prompt) :]
            return pairs

        async def without(fresh: bool) -> Scored:
            return await scored(trial, scene, shape, stream=False, fresh=fresh)

        # At temperature 0 a server may report the log probabilities after greedy sampling.
        if all(score is None or score >= CERTAIN_LOGPROB for _, score in await without(False)):
            raise NotApplicable(
                say(
                    "the endpoint reports certainty at temperature 0, not the model's probabilities"
                )
            )
        await expect_same_scores(trial, behind_echo, without, say("the scores without `echo`"))

    await assert_property(api, scenes, relation, every_shape(api))
