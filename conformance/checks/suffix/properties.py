"""Metamorphic relation: a null ``suffix`` is no suffix."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import GENERATED
from conformance.checks._shared.metamorphic_nulls import assert_null_is_absent


@check("relations.null-suffix", requirement="suffix.null-is-none", **GENERATED)
async def a_null_suffix_changes_nothing(api: Api) -> None:
    """For any request, `suffix: null` gives the same response as omitting it.

    对任意请求，`suffix: null` 都给出不带 `suffix` 时的响应。
    """
    await assert_null_is_absent(api, "suffix", ".")
