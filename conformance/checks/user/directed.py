"""``user``: it is for the endpoint's logs and not for the model."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.ab_compare import expect_agreement
from conformance.checks._shared.neutral_values import neutral_values_are_harmless
from conformance.checks._shared.requests import non_streaming
from conformance.message import say


@check("user.chinese", requirement="user.no-effect")
async def a_user_changes_nothing(api: Api) -> None:
    """A request with a `user` in Chinese gets the same greedy text and usage as without.

    带中文 `user` 的请求，其贪心文本与用量都与不带时相同。

    Where it is put into a header or a log, text beyond ASCII breaks first.
    """
    if not await neutral_values_are_harmless(api, "user"):
        await assert_no_effect(api, "用户一二三 🍎")


async def assert_no_effect(api: Api, user: str) -> None:
    """Assert that a greedy response is the same with and without ``user``."""

    async def ask(*, fresh: bool, **more: str) -> tuple[str, int | None]:
        response = await non_streaming(api, fresh=fresh, **more)
        return response.text, response.usage.prompt_tokens if response.has_usage else None

    async def with_user(fresh: bool) -> tuple[str, int | None]:
        return await ask(fresh=fresh, user=user)

    async def without(fresh: bool) -> tuple[str, int | None]:
        return await ask(fresh=fresh)

    await expect_agreement(with_user, without, say("the response without `user`"))
