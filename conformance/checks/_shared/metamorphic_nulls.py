"""Metamorphic relation: a null has the effect of leaving the parameter out.

All nulls that a document allows are sent in one request, which all of these checks share. Only if
its response differs or it is rejected, each null is sent alone.
"""

from __future__ import annotations

from typing import Any

from conformance.api import Api
from conformance.checks._shared.metamorphic import Texts, expect_same_responses, texts
from conformance.checks._shared.neutral_values import NULLABLE
from conformance.checks._shared.refusals import where_served
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import Scene, scenes
from conformance.judgement import Judgement
from conformance.message import say


async def assert_null_is_absent(api: Api, name: str, served: Any) -> None:
    """Assert that null for a parameter has the effect of leaving it out.

    Args:
        api: sends the requests.
        name: the parameter.
        served: a value of it, to find out whether the endpoint serves the parameter at all.
    """

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        without = await texts(trial.api, scene, shape)
        nulls = nullable(trial.api)
        if name in nulls and await change_nothing(trial.api, scene, shape, nulls, without):
            return

        null: dict[str, Any] = {name: None}

        async def with_null(fresh: bool) -> Texts:
            async with where_served(trial.api, name, served):
                return await texts(trial.api, scene, shape, fresh=fresh, **null)

        async def as_without(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, fresh=fresh)

        await expect_same_responses(
            trial, with_null, as_without, say("the response without the parameter")
        )

    await assert_property(api, scenes, relation, every_shape(api))


def nullable(api: Api) -> dict[str, None]:
    """Return null for every parameter for which the document allows it.

    Without ``n``, of which a shape has its own value.
    """
    names = [name for name in NULLABLE if api.contract.parameter(name).nullable and name != "n"]
    if "temperature.with-top-p-served" not in api.contract.requirements:
        names = [name for name in names if name != "top_p"]
    return dict.fromkeys(names)


async def change_nothing(
    api: Api, scene: Scene, shape: RequestShape, nulls: dict[str, None], without: Texts
) -> bool:
    """Return whether all nulls together leave the texts as they are without."""
    more: dict[str, Any] = dict(nulls)
    try:
        return await texts(api, scene, shape, **more) == without
    except Judgement:
        return False
