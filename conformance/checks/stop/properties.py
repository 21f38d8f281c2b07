"""Metamorphic relations of ``stop``."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.metamorphic import GENERATED
from conformance.checks._shared.metamorphic_nulls import assert_null_is_absent
from conformance.checks._shared.metamorphic_stops import assert_stop_cuts


@check("relations.stop-cuts", requirement="stop.earliest-match", **GENERATED)
async def a_stop_cuts_the_free_text(api: Api) -> None:
    """A stop sequence from any part of a response ends the text just before it.

    无论停止序列取自自由响应的何处，文本都恰在其前结束。
    """
    await assert_stop_cuts(api, stream=False)


@check("relations.null-stop", requirement="stop.null-is-none", **GENERATED)
async def a_null_stop_stops_nothing(api: Api) -> None:
    """For any request, `stop: null` gives the same response as omitting it.

    对任意请求，`stop: null` 都给出不带 `stop` 时的响应。
    """
    await assert_null_is_absent(api, "stop", "§")
