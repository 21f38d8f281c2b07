"""Metamorphic relation: one more token continues the text."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import GENERATED, Texts, expect_same_responses, texts
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import Scene, scenes
from conformance.message import say


@check("relations.longer-continues-shorter", requirement="max-tokens.longer-extends", **GENERATED)
async def one_more_token_continues_the_text(api: Api) -> None:
    """A greedy response with one more token begins with the shorter response.

    多一个 token 的贪心响应以少一个 token 的响应开头。
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        shorter = await texts(trial.api, scene, shape)

        async def longer(fresh: bool) -> Texts:
            more = await texts(trial.api, scene, shape, fresh=fresh, max_tokens=scene.limit + 1)
            return tuple(text[: len(known)] for text, known in zip(more, shorter, strict=True))

        async def as_before(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, fresh=fresh)

        await expect_same_responses(
            trial, longer, as_before, say("text that begins with the shorter response")
        )

    await assert_property(api, scenes, relation, every_shape(api))
