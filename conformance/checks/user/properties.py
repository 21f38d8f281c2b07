"""Metamorphic relation: ``user`` has no effect on the text."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import GENERATED, Texts, expect_same_responses, texts
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import USERS, Scene, scenes_with
from conformance.message import say


@check("relations.user-changes-nothing", requirement="user.no-effect", **GENERATED)
async def a_user_changes_nothing(api: Api) -> None:
    """For any `user`, the response is the same as without it.

    无论 `user` 取何值，响应都与不带时相同。
    """

    async def relation(trial: Trial, generated: tuple[Scene, str], shape: RequestShape) -> None:
        scene, name = generated

        async def with_user(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, fresh=fresh, user=name)

        async def without(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, fresh=fresh)

        await expect_same_responses(trial, with_user, without, say("the response without `user`"))

    await assert_property(api, lambda: scenes_with(USERS), relation, every_shape(api))
