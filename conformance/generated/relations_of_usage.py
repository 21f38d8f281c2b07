"""Relations between the bills of answers to what was drawn."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks.registry import check
from conformance.generated.agreement import Trial
from conformance.generated.engine import hold_property
from conformance.generated.relations import DRAWN
from conformance.generated.strategies import Scene, scenes
from conformance.generated.ways import NARROW, WIDE, Way, answer, batches, every_way
from conformance.judgement import NotApplicable, expect


@check("relations.usage-adds-up", requirement="usage.total-is-sum", **DRAWN)
async def the_total_is_the_sum(api: Api) -> None:
    """Whatever is asked, `total_tokens` is the sum of the other two.

    无论请求什么，`total_tokens` 都是另外两项之和。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        usage = (await answer(trial.api, scene, way)).usage
        both = usage.prompt_tokens + usage.completion_tokens
        expect(usage.total_tokens, "usage.total_tokens").equals(both)

    await hold_property(api, scenes, relation, every_way(api))


@check("relations.usage-of-batch", requirement="usage.prompt-sums-batch", **DRAWN)
async def a_batch_is_billed_as_its_prompts(api: Api) -> None:
    """Whatever the prompts, a batch counts as many prompt tokens as they count alone, each once.

    无论 prompt 为何，批次所计的 prompt token 数等于各自单独所计之和，每个只计一次。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        singles = [await answer(trial.api, scene, Way((place,))) for place in way.prompts]
        alone = sum(single.usage.prompt_tokens for single in singles)
        counted = (await answer(trial.api, scene, way)).usage.prompt_tokens
        expect(counted, "usage.prompt_tokens").equals(alone)

    await hold_property(api, scenes, relation, batches(api))


@check("relations.usage-of-choices", requirement="usage.completion-sums-choices", **DRAWN)
async def all_choices_are_billed(api: Api) -> None:
    """Whatever is asked, choices that all end at the limit count as many tokens as all may have.

    无论请求什么，若所有 choice 都止于上限，所计 token 数就是全部允许的 token 数。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        told = await answer(trial.api, scene, way)
        if any(choice.finish_reason != "length" for choice in told.choices):
            raise NotApplicable("the answer ended before the limit")
        expected = len(told.choices) * scene.limit
        expect(told.usage.completion_tokens, "usage.completion_tokens").equals(expected)

    await hold_property(api, scenes, relation, every_way(api))


@check(
    "relations.usage-streamed",
    requirement="usage.stream-equals-plain",
    needs=("stream", "stream_options"),
    **DRAWN,
)
async def a_stream_is_billed_as_its_plain_answer(api: Api) -> None:
    """Whatever is asked, the bill of a stream is that of the plain answer with the same text.

    无论请求什么，流的用量都与文本相同的非流式响应一致。
    """

    async def relation(trial: Trial, scene: Scene, way: Way) -> None:
        plain = await answer(trial.api, scene, way)
        billed = await answer(
            trial.api, scene, way, stream=True, stream_options={"include_usage": True}
        )
        seen, wanted = billed.usage, plain.usage
        expect(seen.prompt_tokens, "usage.prompt_tokens").equals(wanted.prompt_tokens)
        if billed.texts == plain.texts:
            counted = wanted.completion_tokens
            expect(seen.completion_tokens, "usage.completion_tokens").equals(counted)

    await hold_property(api, scenes, relation, (WIDE, NARROW))
