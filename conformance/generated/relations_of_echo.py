"""Relations between answers with an echo and without, their texts and their scores."""

from __future__ import annotations

from collections.abc import Callable

from conformance.api import Api
from conformance.checks._asking import hold_echoed
from conformance.checks._characters import solid
from conformance.checks._scores import Scored, scored_tokens, scores_of, tokens_of
from conformance.checks._steadiness import CERTAIN
from conformance.checks.echo_logprobs import prompt_tokens_in
from conformance.checks.registry import check
from conformance.completion import Choice
from conformance.generated.agreement import Trial
from conformance.generated.engine import hold_property
from conformance.generated.relations import DRAWN
from conformance.generated.relations_of_scores import LISTED, expect_scores_alike, scored
from conformance.generated.strategies import Scene, scenes
from conformance.generated.ways import Texts, Way, choices, every_way, texts
from conformance.judgement import Deviation, NotApplicable, expect, shown


@check("relations.echo-then-answer", requirement="echo.own-prompt-in-batch", **DRAWN)
async def an_echo_comes_before_the_answer(api: Api) -> None:
    """Whatever the prompts, each echo is its own prompt, and the answer without `echo` follows it.

    无论 prompt 为何，回显都是其自身，其后是不带 `echo` 时的响应。
    """
    await hold_echo(api, stream=False)


@check("relations.echo-streamed", requirement="streaming.echo-once", needs=("stream",), **DRAWN)
async def a_streamed_echo_comes_before_the_answer(api: Api) -> None:
    """In a stream, too, each echo is its own prompt, once, and the answer follows it.

    流式时亦然：回显都是其自身的 prompt，只出现一次，其后是响应。
    """
    await hold_echo(api, stream=True)


async def hold_echo(api: Api, *, stream: bool) -> None:
    """Hold that a text with ``echo`` is the prompt, and then the text without."""

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        without = await texts(trial.api, scene, way)

        async def behind_echo(fresh: bool) -> Texts:
            told = await choices(trial.api, scene, way, stream=stream, fresh=fresh, echo=True)
            for (prompt, choice), free in zip(told, without, strict=True):
                hold_own_echo(choice.text, prompt, free)
            return tuple(solid(choice.text.removeprefix(prompt)) for prompt, choice in told)

        async def as_without(fresh: bool) -> Texts:
            return await texts(trial.api, scene, way, fresh=fresh)

        await trial.expect_alike(behind_echo, as_without, "the answer without `echo` behind it")

    await hold_property(api, scenes, relation, every_way(api))


def hold_own_echo(text: str, prompt: str, free: str) -> None:
    """Hold that a text begins with its prompt.

    Raises:
        Absence: it is the free answer, so that nothing was echoed.
        Deviation: something else was.
    """
    if solid(text) == free:
        hold_echoed(text, prompt)
    if not text.startswith(prompt):
        raise Deviation("the prompt, letter by letter", f"{shown(text)} for {shown(prompt)}")


@check(
    "relations.echo-scores-cover",
    requirement="echo.logprobs-cover-prompt",
    needs=("logprobs",),
    **DRAWN,
)
async def every_echoed_token_is_scored(api: Api) -> None:
    """Whatever the prompts, their tokens come first, each scored, then one for each generated.

    无论 prompt 为何，其 token 排在最前且都有得分，其后每个生成的 token 各有一个条目。
    """

    def hold(scene: Scene, prompt: str, choice: Choice) -> None:
        number = prompt_tokens_in(choice, prompt)
        scores = scores_of(choice)
        missing = scores[1:number].count(None)
        expect(missing, "prompt tokens without a score, after the first").equals(0)
        if choice.finish_reason == "length":
            more = len(tokens_of(choice)) - number
            expect(more, "entries after the prompt's").equals(scene.limit)

    await hold_of_echoes(api, hold)


@check(
    "relations.echo-scores-first", requirement="echo.first-token-null", needs=("logprobs",), **DRAWN
)
async def no_first_token_is_scored(api: Api) -> None:
    """Whatever the prompts, the first echoed token has no log probability.

    无论 prompt 为何，回显的第一个 token 都没有对数概率。
    """

    def hold(_: Scene, __: str, choice: Choice) -> None:
        expect(scores_of(choice)[:1], "the first of token_logprobs").equals([None])

    await hold_of_echoes(api, hold)


async def hold_of_echoes(api: Api, hold: Callable[[Scene, str, Choice], None]) -> None:
    """Hold something of every choice of what was drawn, echoed and scored.

    Raises:
        NotApplicable: no choice could be judged.
        Judgement: ``hold`` raised it.
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        told = await choices(trial.api, scene, way, echo=True, logprobs=LISTED)
        passed_over: NotApplicable | None = None
        judged = False
        for prompt, choice in told:
            try:
                hold(scene, prompt, choice)
                judged = True
            except NotApplicable as reason:
                passed_over = reason
        if passed_over is not None and not judged:
            raise passed_over

    await hold_property(api, scenes, relation, every_way(api))


@check(
    "relations.echo-scores-generated",
    requirement="echo.scored-equals-generated",
    needs=("logprobs",),
    **DRAWN,
)
async def an_echo_leaves_the_scores_alone(api: Api) -> None:
    """Whatever the prompts, what follows an echo has the scores that it has without.

    无论 prompt 为何，回显之后的内容，其得分与不回显时相同。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        async def behind_echo(fresh: bool) -> Scored:
            told = await choices(trial.api, scene, way, fresh=fresh, echo=True, logprobs=LISTED)
            pairs: list[tuple[str, float | None]] = []
            for prompt, choice in told:
                pairs += scored_tokens([choice])[prompt_tokens_in(choice, prompt) :]
            return pairs

        async def without(fresh: bool) -> Scored:
            return await scored(trial, scene, way, stream=False, fresh=fresh)

        # At temperature 0 a server may report what sampling made of the scores.
        if all(score is None or score >= CERTAIN for _, score in await without(False)):
            raise NotApplicable(
                "the endpoint reports certainty at temperature 0, whatever the model's"
            )
        await expect_scores_alike(trial, behind_echo, without, "the scores without `echo`")

    await hold_property(api, scenes, relation, every_way(api))
