"""Metamorphic relations: the indexes of choices in a batch, and the prompts that they continue."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.characters import solid
from conformance.checks._shared.metamorphic import GENERATED, choices, texts_alone
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, batch_shapes
from conformance.generation.strategies import Scene, scenes
from conformance.judgement import Failure, shown
from conformance.message import say


@check("relations.index-layout", requirement="index.prompt-major", **GENERATED)
async def choices_lie_prompt_by_prompt(api: Api) -> None:
    """In a generated batch with several choices, choice `p * n + i` continues prompt `p`.

    在随机生成、带多个 choice 的批次中，第 `p * n + i` 个 choice 接续第 `p` 个 prompt。
    """
    await assert_prompt_major(api, stream=False)


@check(
    "relations.index-layout-streamed", requirement="index.each-once", needs=("stream",), **GENERATED
)
async def streamed_choices_lie_prompt_by_prompt(api: Api) -> None:
    """In a streamed generated batch, choice `p * n + i` continues prompt `p`, too.

    在随机生成、带多个 choice 的流式批次中，第 `p * n + i` 个 choice 同样接续第 `p` 个 prompt。
    """
    await assert_prompt_major(api, stream=True)


async def assert_prompt_major(api: Api, *, stream: bool) -> None:
    """Assert that the choices of a batch are ordered by prompt, and continue their prompts."""

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        numbered = await choices(trial.api, scene, shape, stream=stream)
        indexes = [choice.index for _, choice in numbered]
        if indexes != list(range(len(numbered))):
            raise Failure(
                say("index 0 to {last}, each once", last=len(numbered) - 1), shown(indexes)
            )
        found = tuple(solid(choice.text) for _, choice in numbered)
        expected = await texts_alone(trial.api, scene, shape)
        # The same texts in another order are not a near-tie.
        if found != expected and sorted(found) == sorted(expected):
            raise Failure(
                say("the choices of one prompt after those of the other"),
                say("{one} vs. {other}", one=shown(found), other=shown(expected)),
            )

    await assert_property(api, scenes, relation, batch_shapes(api))
