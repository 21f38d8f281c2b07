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


@check(
    "relations.stream-as-plain",
    requirement="streaming.text-equals-plain",
    needs=("stream",),
    **GENERATED,
)
async def a_stream_is_its_plain_answer(api: Api) -> None:
    """Whatever is asked, the pieces of each choice of a stream join to the text of the plain one.

    无论请求什么，流中每个 choice 的各片段拼接后都等于非流式的文本。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        async def in_pieces(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, stream=True, fresh=fresh)

        async def batched(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, fresh=fresh)

        await expect_same_responses(
            trial, in_pieces, batched, "a stream that joins to the plain answer"
        )

    await assert_property(api, scenes, relation, every_shape(api))


@check(
    "relations.stop-cuts-stream",
    requirement="streaming.stop-never-leaks",
    needs=("stream",),
    **GENERATED,
)
async def a_stop_cuts_the_stream(api: Api) -> None:
    """In a stream, too, nothing of a stop sequence shows, and nothing before it is lost.

    流式时亦然：停止序列丝毫不出现，其前的内容也不丢失。
    """
    await assert_stop_cuts(api, stream=True)


@check("relations.echo-streamed", requirement="streaming.echo-once", needs=("stream",), **GENERATED)
async def a_streamed_echo_comes_before_the_answer(api: Api) -> None:
    """In a stream, too, each echo is its own prompt, once, and the answer follows it.

    流式时亦然：回显都是其自身的 prompt，只出现一次，其后是响应。
    """
    await assert_echo_precedes_text(api, stream=True)


@check(
    "relations.scores-streamed",
    requirement="streaming.logprobs-as-plain",
    needs=("stream",),
    **GENERATED,
)
async def streamed_scores_are_the_plain_ones(api: Api) -> None:
    """Whatever is asked, the scores in a stream's chunks join to those of the plain answer.

    无论请求什么，流的数据块中的得分拼接后都等于非流式响应的得分。
    """
    expected = "a stream's scores that join to the plain answer's"

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        async def in_pieces(fresh: bool) -> Scored:
            return await scored(trial, scene, shape, stream=True, fresh=fresh)

        async def batched(fresh: bool) -> Scored:
            return await scored(trial, scene, shape, stream=False, fresh=fresh)

        await expect_same_scores(trial, in_pieces, batched, expected)

    await assert_property(api, scenes, relation, every_shape(api))
