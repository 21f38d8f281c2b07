"""A key that nobody knows: declined or ignored, as long as it is done cleanly."""

from __future__ import annotations

from typing import Any

from conformance.answers import ErrorAnswer
from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import greedy, plain
from conformance.checks._characters import solid
from conformance.checks._compare import expect_agreement
from conformance.judgement import expect

UNKNOWN = "no_such_parameter"


@check("unknown-key.harmless", requirement="unknown-key.refused-or-ignored")
async def an_unknown_key_is_declined_or_ignored(api: Api) -> None:
    """A key that nobody knows is declined with an error that names it, or changes nothing."""
    await hold_harmless(api, UNKNOWN, 1)


@check("unknown-key.messages", requirement="unknown-key.refused-or-ignored", tier="deep")
async def messages_are_declined_or_ignored(api: Api) -> None:
    """The `messages` of a chat are declined with an error that names them, or change nothing."""
    await hold_harmless(api, "messages", [{"role": "user", "content": "Say hello."}])


async def hold_harmless(api: Api, key: str, value: Any) -> None:
    """Hold that a key is declined by its name, or that the greedy answer is the one without it."""
    asked = greedy(**{key: value})
    reply = await api.complete(**asked)
    if reply.status != 200:
        error = reply.expect_error(400, 422)
        expect(named_in(error), "the error's message and param").contains(key)
        return

    async def with_key(fresh: bool) -> str:
        return solid((await api.complete(fresh=fresh, **asked)).expect_ok().text)

    async def without(fresh: bool) -> str:
        return solid((await plain(api, fresh=fresh)).text)

    await expect_agreement(with_key, without, f"the answer without `{key}`")


def named_in(error: ErrorAnswer) -> str:
    """Return where an error may name a key."""
    return f"{error.message} {error.param}"
