"""``model``: which model responds; requests without one, or with an unknown one, are rejected."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.error_bodies import other_models_in
from conformance.checks._shared.refusals import (
    MODEL_REJECTED_STATUSES,
    UNKNOWN_MODEL,
    as_rejected,
    assert_usual_status,
)
from conformance.checks._shared.requests import MINIMAL_REQUEST, non_streaming, streamed
from conformance.checks.model.names import assert_names_model
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say

NOT_FOUND = "model_not_found"

CHAT_MODEL = "gpt-4o"
"""A name that many endpoints know, of a chat-only model."""


@check("model.missing-refused", requirement="model.required", tier="smoke")
async def a_request_without_model_is_refused(api: Api) -> None:
    """A request without a model is rejected.

    未指明模型的请求会被拒绝。
    """
    (await api.post(MINIMAL_REQUEST)).expect_error(*MODEL_REJECTED_STATUSES)


@check("model.missing-said", requirement="model.missing-said", tier="smoke")
async def the_error_without_model_names_no_other(api: Api) -> None:
    """The error for a request without a model does not say that another model is unknown.

    未指明模型时，错误不会说另一个模型不存在。
    """
    error = as_rejected(await api.post(MINIMAL_REQUEST), *MODEL_REJECTED_STATUSES)
    if error.status != 404 and NOT_FOUND not in error.words:
        raise NotApplicable(say("the error does not say that a model is unknown"))
    if other_models_in(error.words, {api.model, NOT_FOUND}):
        raise Failure(say("an error about the missing model"), shown(error.raw))


@check("model.null-refused", requirement="model.required", tier="deep")
async def a_model_of_null_is_refused(api: Api) -> None:
    """`model: null` is rejected.

    `model: null` 未指明模型，会被拒绝。
    """
    (await api.post({"model": None, **MINIMAL_REQUEST})).expect_error(*MODEL_REJECTED_STATUSES)


@check("model.unknown-refused", requirement="model.unknown-refused", tier="smoke", sees_effect=True)
async def an_unknown_model_is_refused(api: Api) -> None:
    """A request for an unknown model is rejected, not served by another model.

    请求不存在的模型会被拒绝，而不是由其他模型响应。
    """
    (await api.post({"model": UNKNOWN_MODEL, **MINIMAL_REQUEST})).expect_error(
        *MODEL_REJECTED_STATUSES
    )


@check("model.unknown-is-404", requirement="model.unknown-is-404", tier="smoke")
async def an_unknown_model_is_not_found(api: Api) -> None:
    """An unknown model is rejected with 404 and code `model_not_found`.

    未知模型以 404 和错误码 `model_not_found` 拒绝。
    """
    response = await api.post({"model": UNKNOWN_MODEL, **MINIMAL_REQUEST})
    if response.status >= 500 and (await api.complete(**MINIMAL_REQUEST)).exchange.status == 200:
        # The transport has retried already, and an overloaded server would not serve this one.
        raise Failure(
            say("status {status}", status=404),
            say("status {status}, while other models are served", status=response.status),
        )
    error = as_rejected(response, *MODEL_REJECTED_STATUSES)
    await assert_usual_status(api, error, 404)
    expect(error.code, "error.code").equals("model_not_found")


@check(
    "model.unknown-refused-in-stream",
    requirement="model.unknown-refused",
    tier="deep",
    sees_effect=True,
)
async def an_unknown_model_is_refused_in_a_stream(api: Api) -> None:
    """A streaming request for an unknown model is also rejected.

    以流式请求不存在的模型，同样会被拒绝。
    """
    request = {"model": UNKNOWN_MODEL, "stream": True, **MINIMAL_REQUEST}
    (await api.post(request)).expect_error(*MODEL_REJECTED_STATUSES)


@check(
    "model.similar-name-refused",
    requirement="model.unknown-refused",
    tier="deep",
    sees_effect=True,
)
async def a_name_that_only_resembles_one_is_refused(api: Api) -> None:
    """The model's name with an unknown suffix is a different name and is rejected.

    在模型名称后加上未知的后缀即为另一个名称，会被拒绝。
    """
    (await api.post({"model": f"{api.model}-{UNKNOWN_MODEL}", **MINIMAL_REQUEST})).expect_error(
        *MODEL_REJECTED_STATUSES
    )


@check("model.named-in-answer", requirement="model.named-in-answer", tier="smoke")
async def the_response_names_the_requested_model(api: Api) -> None:
    """`model` is the requested name, or a dated or longer form of it.

    `model` 是所请求的名称，或其带日期或更长的形式。
    """
    assert_names_model((await non_streaming(api)).raw.get("model"), api.model)


@check(
    "model.named-in-stream", requirement="model.named-in-answer", tier="smoke", needs=("stream",)
)
async def the_stream_names_the_model_asked_for(api: Api) -> None:
    """In the chunks of a stream, `model` is also the requested name.

    流的数据块中，`model` 也是所请求的名称。
    """
    assert_names_model((await streamed(api)).raw.get("model"), api.model)


@check("model.chat-only-refused", requirement="model.chat-only-refused", tier="deep")
async def a_chat_model_is_refused_as_one(api: Api) -> None:
    """A model that the endpoint lists as chat-only is rejected with 404 and param `model`.

    接口列为仅支持聊天的模型，以 404 和 param `model` 拒绝。
    """
    if api.model == CHAT_MODEL:
        raise NotApplicable(say("this is the model under judgement"))
    response = await api.post({"model": CHAT_MODEL, **MINIMAL_REQUEST})
    if response.status not in {400, 404, 422}:
        raise NotApplicable(
            say(
                "status {status}, which does not show what the model supports",
                status=response.status,
            )
        )
    error = as_rejected(response)
    if "chat" not in error.message.replace(CHAT_MODEL, "").lower():
        raise NotApplicable(say("the endpoint does not identify the model as a chat model"))
    expect(error.status, say("status")).equals(404)
    expect(error.param, "error.param").equals("model")
