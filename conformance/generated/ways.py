"""How the properties ask about a scene: in a batch with copies, in a batch, or for one prompt.

A fault may hide in the second choice or in the other prompt, so the fullest way comes first. What
a correct server may decline of it leaves the next; what fails in a simpler way is told of that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.api import Api
from conformance.checks._shared.characters import solid
from conformance.checks._shared.requests import choices_of, collect_stream
from conformance.completion import Choice, Completion
from conformance.generated.strategies import Scene
from conformance.judgement import NotApplicable, Thing

Texts = tuple[str, ...]

COPIES = 2
"""Choices of each prompt, where several are asked for."""


@dataclass(frozen=True, slots=True)
class Way:
    """Which prompts of a scene are sent, and how many choices of each are asked for.

    Attributes:
        prompts: their places in the scene.
        is_batch: whether they are sent as an array.
        copies: choices of each.
    """

    prompts: tuple[int, ...]
    is_batch: bool = False
    copies: int = 1

    def prompts_of(self, scene: Scene) -> tuple[str, ...]:
        """The prompts that are sent."""
        both = (scene.narrow, scene.wide)
        return tuple(both[place] for place in self.prompts)

    def body(self, scene: Scene, **more: Any) -> dict[str, Any]:
        """The request for greedy answers, with what a property adds to it or puts in its place."""
        prompts = self.prompts_of(scene)
        several = {"n": self.copies} if self.copies > 1 else {}
        prompt = list(prompts) if self.is_batch else prompts[0]
        asked = {"prompt": prompt, "max_tokens": scene.limit, "temperature": 0}
        return {**asked, **several, **more}


BATCH_OF_COPIES = Way((0, 1), is_batch=True, copies=COPIES)
BATCH = Way((0, 1), is_batch=True)
WIDE = Way((1,))
NARROW = Way((0,))


def batches(api: Api) -> Sequence[Way]:
    """Return the ways that send both prompts, as far as the document mentions them.

    Raises:
        NotApplicable: it mentions no arrays of prompts.
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable("this document does not mention arrays of prompts")
    return (BATCH_OF_COPIES, BATCH) if api.contract.parameter("n").documented else (BATCH,)


def every_way(api: Api) -> Sequence[Way]:
    """Return all ways to ask that the document mentions, the fullest first."""
    try:
        return (*batches(api), WIDE, NARROW)
    except NotApplicable:
        return (WIDE, NARROW)


async def answer(
    api: Api, scene: Scene, way: Way, *, stream: bool = False, fresh: bool = False, **more: Any
) -> Completion:
    """Ask about a scene in one way.

    Raises:
        Judgement: the answer is no completion.
    """
    body = way.body(scene, **more)
    if stream:
        return collect_stream(await api.stream(fresh=fresh, **body))
    return (await api.complete(fresh=fresh, **body)).expect_ok()


async def choices(
    api: Api, scene: Scene, way: Way, *, stream: bool = False, fresh: bool = False, **more: Any
) -> Sequence[tuple[str, Choice]]:
    """Ask about a scene in one way, and return each choice beside its prompt.

    Raises:
        Absence: there are fewer choices than were asked for, or more.
        Judgement: the answer is no completion.
    """
    completion = await answer(api, scene, way, stream=stream, fresh=fresh, **more)
    prompts = way.prompts_of(scene)
    thing = Thing.COPIES if way.copies > 1 else Thing.BATCH if way.is_batch else Thing.CHOICES
    found = choices_of(completion, len(prompts) * way.copies, thing)
    return [(prompts[place // way.copies], choice) for place, choice in enumerate(found)]


async def texts(
    api: Api, scene: Scene, way: Way, *, stream: bool = False, fresh: bool = False, **more: Any
) -> Texts:
    """Ask about a scene in one way, and return the choices' texts as far as they can be compared.

    Raises:
        Judgement: as :func:`choices`.
    """
    told = await choices(api, scene, way, stream=stream, fresh=fresh, **more)
    return tuple(solid(choice.text) for _, choice in told)


async def alone(api: Api, scene: Scene, way: Way, *, fresh: bool = False) -> Texts:
    """Return the texts that the prompts of a way get alone, each as often as there are choices.

    Raises:
        Judgement: as :func:`choices`.
    """
    singles = [(await texts(api, scene, Way((place,)), fresh=fresh))[0] for place in way.prompts]
    return tuple(text for text in singles for _ in range(way.copies))
