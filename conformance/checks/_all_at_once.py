"""A batch, several choices and an echo in one request, plain or streamed.

Endpoints err where nobody looks: in the second choice, in the other prompt, in a stream. What holds
for one answer must hold for each of these, and one request shows it for all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from conformance.api import Api
from conformance.checks._asking import choices_of, greedy, joined, plain
from conformance.checks._characters import solid
from conformance.checks._compare import expect_agreement
from conformance.checks._prompts import CHINESE, COUNTING
from conformance.completion import Choice
from conformance.judgement import NotApplicable, Refusal, Thing

COPIES = 2

WHOLE: Sequence[dict[str, Any]] = (
    {"n": COPIES, "echo": True},
    {"echo": True},
    {"n": COPIES},
    {},
)
"""What is asked for beside the batch, the most first: a correct server may decline some of it."""

EVERYTHING: dict[str, Any] = {"tier": "deep", "needs": ("n", "echo")}
STREAMED: dict[str, Any] = {"tier": "deep", "needs": ("n", "echo", "stream")}
"""Where such a check belongs, and what it needs."""

PROMPTS = (COUNTING, CHINESE)

ABSENT = object()
"""Stands for a parameter that is not to be sent."""

Texts = tuple[str, ...]


async def free(api: Api, prompt: str, fresh: bool = False, **more: Any) -> str:
    """Return what a single plain answer says."""
    return (await plain(api, prompt, fresh=fresh, **more)).text


async def all_at_once(
    api: Api, prompts: Sequence[str], *, stream: bool, fresh: bool = False, **more: Any
) -> list[tuple[str, Choice]]:
    """Ask for a batch in every way at once, and return each choice beside its prompt.

    What is :data:`ABSENT` among ``more`` is left out of the request.

    Raises:
        NotApplicable: this document knows no batches.
        Refusal: not even the batch alone is served.
    """
    if "strings" not in api.contract.parameter("prompt").forms:
        raise NotApplicable("this document does not mention arrays of prompts")
    for ways in WHOLE:
        known = {name: v for name, v in ways.items() if api.contract.parameter(name).documented}
        if known != ways:
            continue
        asked = {**greedy(list(prompts)), **ways, **more}
        asked = {name: value for name, value in asked.items() if value is not ABSENT}
        try:
            if stream:
                answer = joined(await api.stream(fresh=fresh, **asked))
            else:
                answer = (await api.complete(fresh=fresh, **asked)).expect_ok()
        except Refusal:
            if ways:
                continue
            raise
        size = asked.get("n", 1)
        choices = choices_of(answer, size * len(prompts), Thing.COPIES)
        return [(prompts[i // size], choice) for i, choice in enumerate(choices)]
    raise NotApplicable("this document leaves nothing to ask for")


def generated(prompt: str, choice: Choice) -> str:
    """Return what a choice adds to its prompt, whether that was echoed or not."""
    return solid(choice.text.removeprefix(prompt))


async def hold_each(
    api: Api,
    prompts: Sequence[str],
    expected: Callable[[str, bool], Awaitable[str]],
    words: str,
    *,
    stream: bool,
    of: Collection[str] | None = None,
    **more: Any,
) -> None:
    """Hold that each choice adds to its prompt what ``expected(prompt, fresh)`` returns.

    ``of`` names the prompts whose choices are looked at, all unless given.
    """
    judged = [prompt for prompt in prompts if of is None or prompt in of]

    async def together(fresh: bool) -> Texts:
        told = await all_at_once(api, prompts, stream=stream, fresh=fresh, **more)
        return tuple(generated(prompt, choice) for prompt, choice in told if prompt in judged)

    async def alone(fresh: bool) -> Texts:
        size = len(await together(False)) // len(judged)
        texts = [solid(await expected(prompt, fresh)) for prompt in judged]
        return tuple(text for text in texts for _ in range(size))

    await expect_agreement(together, alone, words)
