"""Metamorphic relation: a batch and its prompts alone."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import (
    GENERATED,
    Texts,
    expect_same_responses,
    texts,
    texts_alone,
)
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, batch_shapes
from conformance.generation.strategies import Scene, scenes
from conformance.message import say


@check("relations.batch-as-singles", requirement="prompt.batch-as-singles", **GENERATED)
async def a_batch_is_its_prompts_alone(api: Api) -> None:
    """For any prompts, each gets the same greedy text in a batch as alone.

    无论 prompt 为何，其在批次中得到的贪心文本都与单独发送时相同。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        async def together(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, fresh=fresh)

        async def singly(fresh: bool) -> Texts:
            return await texts_alone(trial.api, scene, shape, fresh=fresh)

        await expect_same_responses(trial, together, singly, say("each prompt's own response"))

    await assert_property(api, scenes, relation, batch_shapes(api))
