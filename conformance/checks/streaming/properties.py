"""Metamorphic relations between a stream and the response without ``stream``."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import GENERATED, Texts, expect_same_responses, texts
from conformance.checks._shared.metamorphic_echo import assert_echo_precedes_text
from conformance.checks._shared.metamorphic_scores import expect_same_scores, scored
from conformance.checks._shared.metamorphic_stops import assert_stop_cuts
from conformance.checks._shared.token_scores import Scored
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import Scene, scenes
from conformance.message import say


@check(
    "relations.stream-as-plain",
    requirement="streaming.text-equals-plain",
    needs=("stream",),
    **GENERATED,
)
async def a_stream_has_the_non_streaming_text(api: Api) -> None:
    """For any request, each choice of a stream joins to its non-streaming text.

    对任意请求，流中每个 choice 的各片段拼接后都等于非流式的文本。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        async def in_pieces(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, stream=True, fresh=fresh)

        async def batched(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, fresh=fresh)

        await expect_same_responses(
            trial, in_pieces, batched, say("a stream that joins to the non-streaming response")
        )

    await assert_property(api, scenes, relation, every_shape(api))


@check(
    "relations.stop-cuts-stream",
    requirement="streaming.stop-never-leaks",
    needs=("stream",),
    **GENERATED,
)
async def a_stop_cuts_the_stream(api: Api) -> None:
    """In a stream, no part of a stop sequence is sent, and no text before it is lost.

    在流中，停止序列的任何部分都不发出，其前的文本也不丢失。
    """
    await assert_stop_cuts(api, stream=True)


@check("relations.echo-streamed", requirement="streaming.echo-once", needs=("stream",), **GENERATED)
async def a_streamed_echo_precedes_the_completion(api: Api) -> None:
    """In a stream, each choice echoes its own prompt once, before the completion.

    在流中，每个 choice 只回显自己的 prompt 一次，其后是补全。
    """
    await assert_echo_precedes_text(api, stream=True)


@check(
    "relations.scores-streamed",
    requirement="streaming.logprobs-as-plain",
    needs=("stream",),
    **GENERATED,
)
async def streamed_scores_are_the_non_streaming_ones(api: Api) -> None:
    """For any request, the log probabilities of a stream join to the non-streaming ones.

    对任意请求，流的数据块中的得分拼接后都等于非流式响应的得分。
    """
    expected = say("log probabilities of a stream that join to the non-streaming ones")

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        async def in_pieces(fresh: bool) -> Scored:
            return await scored(trial, scene, shape, stream=True, fresh=fresh)

        async def batched(fresh: bool) -> Scored:
            return await scored(trial, scene, shape, stream=False, fresh=fresh)

        await expect_same_scores(trial, in_pieces, batched, expected)

    await assert_property(api, scenes, relation, every_shape(api))
