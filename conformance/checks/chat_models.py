"""Models that only serve chat, on an endpoint that is none for them."""

from __future__ import annotations

from conformance.api import Api
from conformance.checks import check
from conformance.checks._asking import LITTLE
from conformance.checks._refusals import as_refused
from conformance.judgement import NotApplicable, expect

CHAT_MODEL = "gpt-4o"
"""A name that many endpoints know, of a model that was never served on this one."""


@check("model.chat-only-refused", requirement="model.chat-only-refused")
async def a_chat_model_is_refused_as_one(api: Api) -> None:
    """A model that the endpoint calls one for chat is refused with 404 and param `model`.

    接口自称用于聊天的模型，以 404 和 param `model` 拒绝。
    """
    if api.model == CHAT_MODEL:
        raise NotApplicable("this is the model under judgement")
    reply = await api.post({"model": CHAT_MODEL, **LITTLE})
    if reply.status not in {400, 404, 422}:
        raise NotApplicable(f"status {reply.status}, which says nothing of what the model serves")
    error = as_refused(reply)
    if "chat" not in error.message.replace(CHAT_MODEL, "").lower():
        raise NotApplicable("the endpoint does not say that it knows the model as one for chat")
    expect(error.status, "status").equals(404)
    expect(error.param, "error.param").equals("model")
