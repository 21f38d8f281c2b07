"""The shapes of request that a property is tested in: a batch with choices, a batch, one prompt.

A fault may affect only the second choice or the second prompt, so the largest shape comes first. If
part of it is rejected, the next shape is tried; if a simpler shape fails too, that one is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.api import Api
from conformance.generation.strategies import Scene
from conformance.judgement import NotApplicable
from conformance.message import say

CHOICES_PER_PROMPT = 2
"""The value of ``n`` in the shapes with several choices."""


@dataclass(frozen=True, slots=True)
class RequestShape:
    """Which prompts of a scene are sent, and how many choices are requested for each.

    Attributes:
        prompts: positions in the scene: 0 is the narrow prompt, 1 the wide one.
        is_batch: whether the prompts are sent as an array.
        n: choices for each prompt.
    """

    prompts: tuple[int, ...]
    is_batch: bool = False
    n: int = 1

    def prompts_of(self, scene: Scene) -> tuple[str, ...]:
        """Return the prompts that are sent."""
        both = (scene.narrow, scene.wide)
        return tuple(both[place] for place in self.prompts)

    def body(self, scene: Scene, **more: Any) -> dict[str, Any]:
        """Return the body of a greedy request; ``more`` adds members or replaces them."""
        prompts = self.prompts_of(scene)
        several = {"n": self.n} if self.n > 1 else {}
        prompt = list(prompts) if self.is_batch else prompts[0]
        greedy = {"prompt": prompt, "max_tokens": scene.limit, "temperature": 0}
        return {**greedy, **several, **more}


BATCH_WITH_CHOICES = RequestShape((0, 1), is_batch=True, n=CHOICES_PER_PROMPT)
BATCH = RequestShape((0, 1), is_batch=True)
WIDE = RequestShape((1,))
NARROW = RequestShape((0,))


def batch_shapes(api: Api) -> Sequence[RequestShape]:
    """Return the documented shapes that send both prompts, the largest first.

    Raises:
        NotApplicable: the document does not mention arrays of prompts.
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention arrays of prompts"))
    return (BATCH_WITH_CHOICES, BATCH) if api.contract.parameter("n").documented else (BATCH,)


def every_shape(api: Api) -> Sequence[RequestShape]:
    """Return all documented shapes, the largest first."""
    try:
        return (*batch_shapes(api), WIDE, NARROW)
    except NotApplicable:
        return (WIDE, NARROW)
