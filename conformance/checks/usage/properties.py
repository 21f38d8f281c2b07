"""Metamorphic relations between the ``usage`` of responses."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import GENERATED, completion
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import (
    NARROW,
    WIDE,
    RequestShape,
    batch_shapes,
    every_shape,
)
from conformance.generation.strategies import Scene, scenes
from conformance.judgement import NotApplicable, expect
from conformance.message import say


@check("relations.usage-adds-up", requirement="usage.total-is-sum", **GENERATED)
async def the_total_is_the_sum(api: Api) -> None:
    """For any request, `total_tokens` is the sum of the other two.

    对任意请求，`total_tokens` 都是另外两项之和。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        usage = (await completion(trial.api, scene, shape)).usage
        both = usage.prompt_tokens + usage.completion_tokens
        expect(usage.total_tokens, "usage.total_tokens").equals(both)

    await assert_property(api, scenes, relation, every_shape(api))


@check("relations.usage-of-batch", requirement="usage.prompt-sums-batch", **GENERATED)
async def a_batch_counts_its_prompts(api: Api) -> None:
    """For any prompts, a batch counts each prompt once, with as many tokens as alone.

    无论 prompt 为何，批次所计的 prompt token 数等于各自单独所计之和，每个只计一次。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        singles = [
            await completion(trial.api, scene, RequestShape((place,))) for place in shape.prompts
        ]
        alone = sum(single.usage.prompt_tokens for single in singles)
        counted = (await completion(trial.api, scene, shape)).usage.prompt_tokens
        expect(counted, "usage.prompt_tokens").equals(alone)

    await assert_property(api, scenes, relation, batch_shapes(api))


@check("relations.usage-of-choices", requirement="usage.completion-sums-choices", **GENERATED)
async def all_choices_are_counted(api: Api) -> None:
    """For any request, choices that all end at the limit count all the allowed tokens.

    对任意请求，若所有 choice 都止于上限，所计 token 数就是全部允许的 token 数。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        response = await completion(trial.api, scene, shape)
        if any(choice.finish_reason != "length" for choice in response.choices):
            raise NotApplicable(say("the response ended before the limit"))
        expected = len(response.choices) * scene.limit
        expect(response.usage.completion_tokens, "usage.completion_tokens").equals(expected)

    await assert_property(api, scenes, relation, every_shape(api))


@check(
    "relations.usage-streamed",
    requirement="usage.stream-equals-plain",
    needs=("stream", "stream_options"),
    **GENERATED,
)
async def a_stream_has_the_non_streaming_usage(api: Api) -> None:
    """For any request, a stream has the usage of the non-streaming response with the same text.

    对任意请求，流的用量都与文本相同的非流式响应一致。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        non_streaming = await completion(trial.api, scene, shape)
        stated = await completion(
            trial.api, scene, shape, stream=True, stream_options={"include_usage": True}
        )
        seen, wanted = stated.usage, non_streaming.usage
        expect(seen.prompt_tokens, "usage.prompt_tokens").equals(wanted.prompt_tokens)
        if stated.texts == non_streaming.texts:
            counted = wanted.completion_tokens
            expect(seen.completion_tokens, "usage.completion_tokens").equals(counted)

    await assert_property(api, scenes, relation, (WIDE, NARROW))
