"""Metamorphic relation: an echoed text is the prompt, then the text that comes without ``echo``."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks._shared.characters import solid
from conformance.checks._shared.metamorphic import Texts, choices, expect_same_responses, texts
from conformance.checks._shared.requests import assert_echoed
from conformance.generation.property_runner import Trial, assert_property
from conformance.generation.request_shapes import RequestShape, every_shape
from conformance.generation.strategies import Scene, scenes
from conformance.judgement import Failure, shown
from conformance.message import say


async def assert_echo_precedes_text(api: Api, *, stream: bool) -> None:
    """Assert that each text with ``echo`` is its prompt, then the text without ``echo``."""

    async def relation(trial: Trial, scene: Scene, shape: RequestShape) -> None:
        without = await texts(trial.api, scene, shape)

        async def behind_echo(fresh: bool) -> Texts:
            found = await choices(trial.api, scene, shape, stream=stream, fresh=fresh, echo=True)
            for (prompt, choice), free in zip(found, without, strict=True):
                assert_begins_with_prompt(choice.text, prompt, free)
            return tuple(solid(choice.text.removeprefix(prompt)) for prompt, choice in found)

        async def as_without(fresh: bool) -> Texts:
            return await texts(trial.api, scene, shape, fresh=fresh)

        await expect_same_responses(
            trial, behind_echo, as_without, say("the prompt, then the response without `echo`")
        )

    await assert_property(api, scenes, relation, every_shape(api))


def assert_begins_with_prompt(text: str, prompt: str, free: str) -> None:
    """Assert that a text begins with its prompt; ``free`` is the text without ``echo``.

    Raises:
        Missing: the text is the one without ``echo``, so nothing was echoed.
        Failure: something else was echoed.
    """
    if solid(text) == free:
        assert_echoed(text, prompt)
    if not text.startswith(prompt):
        raise Failure(
            say("the prompt, unchanged"),
            say("{texts} for {request}", texts=shown(text), request=shown(prompt)),
        )
