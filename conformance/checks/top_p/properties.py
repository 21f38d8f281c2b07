"""Metamorphic relation: a null ``top_p`` is the default."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import GENERATED
from conformance.checks._shared.metamorphic_nulls import assert_null_is_absent


@check("relations.null-top-p", requirement="top-p.null-is-default", **GENERATED)
async def a_null_top_p_changes_nothing(api: Api) -> None:
    """For any request, `top_p: null` gives the same greedy response as omitting it.

    对任意请求，`top_p: null` 都给出不带 `top_p` 时的贪心响应。
    """
    await assert_null_is_absent(api, "top_p", 1)
