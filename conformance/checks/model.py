"""``model``: which model answers; without one, or with one that nobody serves, nothing does."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import LITTLE
from conformance.checks._refusals import as_refused
from conformance.judgement import Deviation, expect

NOBODY = "no-such-model-7f3a9c"
"""A name that no endpoint serves."""

DECLINED = (400, 403, 404, 422)
"""How endpoints decline a model: as a bad request, as forbidden to this key, or as not found."""


@check("model.missing-refused", requirement="model.required", tier="smoke")
async def a_request_without_model_is_refused(api: Api) -> None:
    """A request that names no model is refused.

    未指明模型的请求会被拒绝。
    """
    (await api.post(LITTLE)).expect_error(*DECLINED)


@check("model.null-refused", requirement="model.required", tier="deep")
async def a_model_of_null_is_refused(api: Api) -> None:
    """`model: null` names no model, and is refused.

    `model: null` 未指明模型，会被拒绝。
    """
    (await api.post({"model": None, **LITTLE})).expect_error(*DECLINED)


@check("model.unknown-refused", requirement="model.unknown-refused", tier="smoke")
async def an_unknown_model_is_refused(api: Api) -> None:
    """A model that does not exist is refused, not answered by another one.

    不存在的模型会被拒绝，而不是由其他模型代答。
    """
    (await api.post({"model": NOBODY, **LITTLE})).expect_error(*DECLINED)


@check("model.unknown-is-404", requirement="model.unknown-is-404", tier="smoke")
async def an_unknown_model_is_not_found(api: Api) -> None:
    """The refusal of an unknown model is a 404 with code `model_not_found`.

    对未知模型的拒绝是带错误码 `model_not_found` 的 404。
    """
    reply = await api.post({"model": NOBODY, **LITTLE})
    if reply.status >= 500 and (await api.complete(**LITTLE)).exchange.status == 200:
        # The wire has asked three times, and whoever is overloaded would not serve this one.
        raise Deviation("status 404", f"status {reply.status}, while other models are served")
    error = as_refused(reply, *DECLINED)
    expect(error.status, "status").equals(404)
    expect(error.code, "error.code").equals("model_not_found")


@check("model.unknown-refused-in-stream", requirement="model.unknown-refused", tier="deep")
async def an_unknown_model_is_refused_in_a_stream(api: Api) -> None:
    """A model that does not exist is refused when a stream was asked for as well.

    要求流式时，不存在的模型同样会被拒绝。
    """
    asked = {"model": NOBODY, "stream": True, **LITTLE}
    (await api.post(asked)).expect_error(*DECLINED)


@check("model.similar-name-refused", requirement="model.unknown-refused", tier="deep")
async def a_name_that_only_resembles_one_is_refused(api: Api) -> None:
    """The served model's name with a foreign ending is another name, and is refused.

    在可用模型的名称后加上别的结尾就是另一个名称，会被拒绝。
    """
    (await api.post({"model": f"{api.model}-{NOBODY}", **LITTLE})).expect_error(*DECLINED)
