"""What the checks of ``stop`` send, and how a response with it is compared with one without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.refusals import served_or_rejected
from conformance.checks._shared.requests import greedy, non_streaming, shared, streamed, with_tokens
from conformance.checks._shared.stop_candidates import before, middle_of
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.model import Effect
from conformance.protocol.response import Response

Cut = Callable[[str], str]
"""Returns a stop sequence from a text that the endpoint generated."""


def limit_of(api: Api) -> int:
    """Return the documented number of stop sequences.

    Raises:
        NotApplicable: the document states none.
    """
    limit = api.contract.parameter("stop").max_items
    if limit is None:
        raise NotApplicable(say("this document sets no limit to the number of stop sequences"))
    return limit


async def middle(api: Api) -> str:
    """Return the sequence that several checks share, from the shared response."""
    return middle_of((await non_streaming(api)).text)


async def with_one_too_many(api: Api, limit: int, needle: str) -> Response:
    """Send one sequence more than ``limit``, of which only the last one matches."""
    others = [f"§{number}" for number in range(limit)]
    return await api.complete(**greedy(COUNTING, stop=[*others, needle]))


async def assert_cut(api: Api, prompt: str, cut: Cut) -> None:
    """Assert that a sequence from the response to a prompt, sent as a string, cuts that text."""
    needle = cut((await shared(api, prompt)).text)
    await assert_stopped_text(api, prompt, needle, needle)


async def assert_stopped_text(
    api: Api,
    prompt: str,
    stop: Any,
    needle: str,
    *,
    as_stream: bool = False,
    listing_tokens: bool = False,
) -> None:
    """Assert that the text with ``stop`` is the text without, cut just before ``needle``.

    ``listing_tokens`` requests its tokens as well, for the invariants of tokens behind a stop.
    """
    ask = streamed if as_stream else non_streaming

    async def stopped(fresh: bool) -> str:
        if listing_tokens:
            return (await with_tokens(ask, api, prompt, fresh=fresh, stop=stop)).text
        return (await ask(api, prompt, fresh=fresh, stop=stop)).text

    async def cut(fresh: bool) -> str:
        return before((await shared(api, prompt, fresh=fresh)).text, needle)

    # Finding the sequence itself needs no comparison, and is a clearer failure.
    expect(await stopped(False), say("text"), effect=Effect.IGNORED).lacks(needle)
    await expect_agreement(
        stopped, cut, say("the response without `stop`, up to {needle}", needle=repr(needle))
    )


async def assert_unstopped(
    api: Api, stop: Any, *, as_stream: bool = False, prompt: str = COUNTING
) -> None:
    """Assert that ``stop`` has no effect."""
    ask = streamed if as_stream else non_streaming
    free = (await shared(api, prompt)).text
    for sequence in [stop] if isinstance(stop, str) else stop or []:
        if sequence and sequence in free:
            raise NotApplicable(
                say(
                    "the endpoint's text {text} contains {sequence}",
                    text=shown(free),
                    sequence=repr(sequence),
                )
            )

    async def with_stop(fresh: bool) -> tuple[str, object]:
        choice = (await ask(api, prompt, fresh=fresh, stop=stop)).only
        return solid(choice.text), choice.finish_reason

    async def without(fresh: bool) -> tuple[str, object]:
        choice = (await shared(api, prompt, fresh=fresh)).only
        return solid(choice.text), choice.finish_reason

    await expect_agreement(with_stop, without, say("the response without `stop`"))


async def assert_harmless(api: Api, stop: Any) -> None:
    """Assert that an empty ``stop`` is rejected or has no effect."""
    completion = served_or_rejected(await api.complete(**greedy(COUNTING, stop=stop)))
    if completion is None:
        return
    free = (await non_streaming(api)).text
    if free and not completion.text:
        raise Failure(
            say("the response without `stop`, {text}", text=shown(free)), say("an empty text")
        )
    await assert_unstopped(api, stop)
