"""``user``: who is asking; it goes to the endpoint's records and not to the model."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import plain
from conformance.checks._compare import expect_agreement
from conformance.checks._neutral import neutral_values_are_harmless
from conformance.checks._refusals import expect_declined


@check("user.no-effect", requirement="user.no-effect")
async def a_user_changes_nothing(api: Api) -> None:
    """A request with `user` gets the greedy text, and the bill, that it gets without.

    带 `user` 的请求，其贪心文本与用量都与不带时相同。
    """
    if not await neutral_values_are_harmless(api, "user"):
        await hold_no_effect(api, "user-1234")


@check("user.chinese", requirement="user.no-effect")
async def a_chinese_user_changes_nothing(api: Api) -> None:
    """A `user` in Chinese changes the answer as little as one in ASCII.

    中文的 `user` 与 ASCII 的一样，不改变响应。
    """
    if not await neutral_values_are_harmless(api, "user"):
        await hold_no_effect(api, "用户一二三 🍎")


@check("user.object-refused", requirement="errors.wrong-type-refused", tier="deep", needs=("user",))
async def an_object_is_no_user(api: Api) -> None:
    """A `user` given as an object is declined.

    `user` 为对象时会被拒绝。
    """
    await expect_declined(api, user={"id": 1})


async def hold_no_effect(api: Api, user: str) -> None:
    """Hold that a greedy answer is the same with ``user`` as without."""

    async def ask(*, fresh: bool, **more: str) -> tuple[str, int | None]:
        answer = await plain(api, fresh=fresh, **more)
        return answer.text, answer.usage.prompt_tokens if answer.has_usage else None

    async def with_user(fresh: bool) -> tuple[str, int | None]:
        return await ask(fresh=fresh, user=user)

    async def without(fresh: bool) -> tuple[str, int | None]:
        return await ask(fresh=fresh)

    await expect_agreement(with_user, without, "the answer without `user`")
