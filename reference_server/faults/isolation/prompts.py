"""A request continues the prompt of another one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.faults.isolation.crowd import Changing, Visit
from reference_server.faults.isolation.reported import (
    ANOTHER_PROMPT,
    EARLIER,
    OWN_PROMPT,
    OWN_SETTINGS,
    reported_fault,
)

OWN = f"{OWN_PROMPT} {OWN_SETTINGS}"
MIXED = f"{EARLIER} {ANOTHER_PROMPT}"


def _text_prompts(bodies: Sequence[Body], but: Any) -> list[str]:
    prompts = [body.get("prompt") for body in bodies]
    return [prompt for prompt in prompts if isinstance(prompt, str) and prompt and prompt != but]


class _Mixed(Changing):
    """Some requests get the continuation of another prompt in flight."""

    def __init__(self, least: int, share: float) -> None:
        super().__init__()
        self._least, self._share = least, share
        self._chance = random.Random(16)  # noqa: S311 - randomness that can be repeated

    def changed(self, visit: Visit, others: Sequence[Body]) -> Body:
        body = visit.body
        prompts = _text_prompts(others, body.get("prompt"))
        is_text = isinstance(body.get("prompt"), str)
        if len(others) + 1 < self._least or not prompts or not is_text:
            return body
        if self._chance.random() >= self._share:
            return body
        return {**body, "prompt": self._chance.choice(prompts)}


@reported_fault("mixed-up-at-sixteen", breaks=OWN, also_breaks=MIXED)
def mixed_up_at_sixteen() -> Behaviour:
    """With sixteen requests at once, some continue the prompt of another.

    Source: https://github.com/sgl-project/sglang/issues/4593
    """
    return _Mixed(16, 0.2)


@reported_fault("mixed-up-at-four", breaks=OWN, also_breaks=MIXED)
def mixed_up_at_four() -> Behaviour:
    """With four requests at once, the responses are mixed up.

    Source: https://github.com/inferencerlabs/inferencer-feedback/issues/127
    """
    return _Mixed(4, 0.5)


class _Restored(Changing):
    """A new request may continue the prompt of an unrelated one that was finished before."""

    def __init__(self) -> None:
        super().__init__()
        self._finished: list[str] = []
        self._chance = random.Random(27148)  # noqa: S311 - randomness that can be repeated

    async def __call__(self, request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await super().__call__(request, upstream)
        prompt = request.body.get("prompt")
        if response.status == 200 and isinstance(prompt, str) and prompt not in self._finished:
            self._finished.append(prompt)
        return response

    def changed(self, visit: Visit, others: Sequence[Body]) -> Body:  # noqa: ARG002 - any will do
        prompt = visit.body.get("prompt")
        stale = [kept for kept in self._finished if kept != prompt]
        if not stale or not isinstance(prompt, str) or self._chance.random() >= 0.1:
            return visit.body
        return {**visit.body, "prompt": self._chance.choice(stale)}


@reported_fault("stale-prompt-restored", breaks=OWN, also_breaks=MIXED)
def stale_prompt_restored() -> Behaviour:
    """Under load, a request may continue an unrelated prompt that was served before.

    Source: https://github.com/ggml-org/llama.cpp/issues/27148
    """
    return _Restored()
