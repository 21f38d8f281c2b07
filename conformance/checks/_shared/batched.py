"""A batch, several choices and an echo in one request, streaming or not.

Many endpoints are correct in the first choice of a non-streaming response and wrong in the second
choice, for another prompt, or in a stream. One request tests all of these.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import AWKWARD, CHINESE, COUNTING
from conformance.checks._shared.requests import (
    choices_of,
    collect_stream,
    greedy,
    non_streaming,
    shared,
)
from conformance.judgement import Feature, NotApplicable, Refusal
from conformance.message import Message, say
from conformance.protocol.completion import Choice

CHOICES_PER_PROMPT = 2

COMBINATIONS: Sequence[dict[str, Any]] = (
    {"n": CHOICES_PER_PROMPT, "echo": True},
    {"echo": True},
    {"n": CHOICES_PER_PROMPT},
    {},
)
"""Members added to a batch, the most first: a conforming server may reject some of them."""

BATCHED: dict[str, Any] = {"tier": "deep", "needs": ("n", "echo")}

BATCHED_STREAM: dict[str, Any] = {"tier": "deep", "needs": ("n", "echo", "stream")}
"""Arguments of ``@check`` for a check of batches."""

PROMPTS = (COUNTING, CHINESE)

OMITTED = object()
"""Stands for a parameter that is not sent."""

Texts = tuple[str, ...]

QUESTION = "问:一加一等于几?答:"
"""A prompt whose completion is short and often ends before the limit."""

EVERY_SCRIPT = (*PROMPTS, AWKWARD, QUESTION)


async def free_text(api: Api, prompt: str, fresh: bool = False, **more: Any) -> str:
    """Return the text of a non-streaming response to one prompt."""
    if more:
        return (await non_streaming(api, prompt, fresh=fresh, **more)).text
    return (await shared(api, prompt, fresh=fresh)).text


async def ask_batched(
    api: Api,
    prompts: Sequence[str],
    *,
    stream: bool,
    fresh: bool = False,
    kept: Collection[str] = (),
    **more: Any,
) -> list[tuple[str, Choice]]:
    """Request a batch with as many added members as are served; return prompts and choices.

    Members of ``more`` that are :data:`OMITTED` are left out of the request. ``kept`` names the
    members of :data:`COMBINATIONS` without which the request says something else.

    Raises:
        NotApplicable: the document does not mention batches.
        Refusal: the batch is rejected with no more than the kept members, too.
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable(say("this document does not mention arrays of prompts"))
    refused: Refusal | None = None
    for shapes in COMBINATIONS:
        if not shapes.keys() >= set(kept):
            continue
        known = {name: v for name, v in shapes.items() if api.contract.parameter(name).documented}
        if known != shapes:
            continue
        request = {**greedy(list(prompts)), **shapes, **more}
        request = {name: value for name, value in request.items() if value is not OMITTED}
        try:
            if stream:
                completion = collect_stream(await api.stream(fresh=fresh, **request))
            else:
                completion = (await api.complete(fresh=fresh, **request)).expect_ok()
        except Refusal as refusal:
            refused = refusal
            continue
        size = request.get("n", 1)
        choices = choices_of(completion, size * len(prompts), Feature.N_CHOICES)
        return [(prompts[i // size], choice) for i, choice in enumerate(choices)]
    raise refused or NotApplicable(say("no request is possible under this document"))


def generated_text(prompt: str, choice: Choice) -> str:
    """Return what a choice adds to its prompt, whether the prompt was echoed or not."""
    return solid(choice.text.removeprefix(prompt))


async def assert_each_as_alone(
    api: Api,
    prompts: Sequence[str],
    expected: Callable[[str, bool], Awaitable[str]],
    words: Message,
    *,
    stream: bool,
    of: Collection[str] | None = None,
    **more: Any,
) -> None:
    """Assert that each choice adds to its prompt what ``expected(prompt, fresh)`` returns.

    ``of`` selects the prompts whose choices are compared; all by default.
    """
    judged = [prompt for prompt in prompts if of is None or prompt in of]

    async def together(fresh: bool) -> Texts:
        result = await ask_batched(api, prompts, stream=stream, fresh=fresh, **more)
        return tuple(
            generated_text(prompt, choice) for prompt, choice in result if prompt in judged
        )

    async def alone(fresh: bool) -> Texts:
        size = len(await together(False)) // len(judged)
        texts = [solid(await expected(prompt, fresh)) for prompt in judged]
        return tuple(text for text in texts for _ in range(size))

    await expect_agreement(together, alone, words)
