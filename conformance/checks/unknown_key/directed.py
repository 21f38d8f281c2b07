"""An unknown key: rejected with its name, or ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.characters import solid
from conformance.checks._shared.error_bodies import is_named
from conformance.checks._shared.requests import greedy, non_streaming
from conformance.judgement import either, expect
from conformance.message import say
from conformance.protocol.completion import Completion

UNKNOWN = "no_such_parameter"

MESSAGES: Mapping[str, Any] = {"messages": [{"role": "user", "content": "Say hello."}]}
"""The prompt of the chat endpoint."""


@check("unknown-key.harmless", requirement="unknown-key.refused-or-ignored")
async def an_unknown_key_is_rejected_or_ignored(api: Api) -> None:
    """An unknown key is rejected with an error that names it, or has no effect.

    未知的键要么以指出该键的错误拒绝，要么不产生任何影响。
    """
    await assert_harmless(api, {UNKNOWN: 1, **MESSAGES})


@check("unknown-key.messages", requirement="unknown-key.refused-or-ignored", tier="deep")
async def messages_are_rejected_or_ignored(api: Api) -> None:
    """Chat `messages` are rejected with an error that names them, or have no effect.

    聊天的 `messages` 要么以指出它的错误拒绝，要么不产生任何影响。
    """
    await assert_harmless(api, MESSAGES)


async def assert_harmless(api: Api, keys: Mapping[str, Any]) -> None:
    """Assert that a key is rejected by name or does not change the greedy response."""
    request = greedy(**keys)
    response = await api.complete(**request)
    if response.status != 200:
        error = response.expect_error(400, 422)
        if not any(is_named(key, error.words) for key in keys):
            named = f"{error.message} {error.param}"
            expect(named, say("message and param of the error")).satisfies(
                lambda _: False, say("naming {keys}", keys=either(*keys))
            )
        return

    async def with_key(fresh: bool) -> tuple[str, int | None]:
        return reported((await api.complete(fresh=fresh, **request)).expect_ok())

    async def without(fresh: bool) -> tuple[str, int | None]:
        return reported(await non_streaming(api, fresh=fresh))

    await expect_agreement(
        with_key, without, say("the response without `{parameter}`", parameter=tuple(keys))
    )


def reported(completion: Completion) -> tuple[str, int | None]:
    """Return a response's text and its prompt_tokens, which include everything that was read."""
    usage = completion.usage.prompt_tokens if completion.has_usage else None
    return solid(completion.text), usage
