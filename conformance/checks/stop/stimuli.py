"""What the checks of ``stop`` send, and how a response with it is compared with one without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.api import Api
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import solid
from conformance.checks._shared.prompts import COUNTING
from conformance.checks._shared.refusals import served_or_rejected
from conformance.checks._shared.requests import greedy, non_streaming, streamed
from conformance.checks._shared.stop_candidates import before, middle_of
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.model import Effect
from conformance.protocol.response import Response

Cut = Callable[[str], str]
"""Cuts a needle from a text that the endpoint generated."""


def limit_of(api: Api) -> int:
    """Return the documented number of stop sequences."""
    limit = api.contract.parameter("stop").max_items
    if limit is None:
        raise NotApplicable("this document sets no limit to the number of stop sequences")
    return limit


async def middle(api: Api) -> str:
    """Cut the needle that several checks share from the shared answer."""
    return middle_of((await non_streaming(api)).text)


async def with_one_too_many(api: Api, limit: int, needle: str) -> Response:
    """Ask with one sequence too many, of which only the last one matches."""
    others = [f"§{number}" for number in range(limit)]
    return await api.complete(**greedy(COUNTING, stop=[*others, needle]))


async def assert_cut(api: Api, prompt: str, cut: Cut) -> None:
    """Assert that a needle from the answer to a prompt, sent as a string, cuts that answer."""
    needle = cut((await non_streaming(api, prompt)).text)
    await assert_stopped_text(api, prompt, needle, needle)


async def assert_stopped_text(
    api: Api, prompt: str, stop: Any, needle: str, *, as_stream: bool = False
) -> None:
    """Assert that the answer with ``stop`` is the free answer, cut just before ``needle``."""
    ask = streamed if as_stream else non_streaming

    async def stopped(fresh: bool) -> str:
        return (await ask(api, prompt, fresh=fresh, stop=stop)).text

    async def cut(fresh: bool) -> str:
        return before((await non_streaming(api, prompt, fresh=fresh)).text, needle)

    # That the sequence is there at all needs no comparison, and says more than a difference.
    expect(await stopped(False), "text", effect=Effect.IGNORED).lacks(needle)
    await expect_agreement(stopped, cut, f"the response without `stop`, up to {needle!r}")


async def assert_unstopped(api: Api, stop: Any, *, as_stream: bool = False, **more: Any) -> None:
    """Assert that the answer with ``stop`` is the answer without."""
    ask = streamed if as_stream else non_streaming
    free = (await non_streaming(api)).text
    for sequence in [stop] if isinstance(stop, str) else stop or []:
        if sequence and sequence in free:
            raise NotApplicable(f"the endpoint's text {shown(free)} contains {sequence!r}")

    async def with_stop(fresh: bool) -> tuple[str, object]:
        choice = (await ask(api, fresh=fresh, stop=stop, **more)).only
        return solid(choice.text), choice.finish_reason

    async def without(fresh: bool) -> tuple[str, object]:
        choice = (await non_streaming(api, fresh=fresh, **more)).only
        return solid(choice.text), choice.finish_reason

    await expect_agreement(with_stop, without, "the response without `stop`")


async def assert_harmless(api: Api, stop: Any) -> None:
    """Assert that an empty ``stop`` is declined, or stops nothing."""
    completion = served_or_rejected(await api.complete(**greedy(COUNTING, stop=stop)))
    if completion is None:
        return
    free = (await non_streaming(api)).text
    if free and not completion.text:
        raise Failure(f"the response without `stop`, {shown(free)}", "an empty text")
    await assert_unstopped(api, stop)
