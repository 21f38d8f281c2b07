"""``model`` in every response of a run."""

from __future__ import annotations

from conformance.checks import invariant
from conformance.checks.model.names import assert_names_model
from conformance.judgement import NotApplicable
from conformance.message import say
from conformance.protocol.trace import RecordedExchange


@invariant(
    "model.named-everywhere",
    requirement="model.named-in-answer",
)
def every_response_names_the_requested_model(exchange: RecordedExchange) -> None:
    """In every response, `model` is the requested name or a form of it.

    本次运行的每个响应中，`model` 都是所请求的名称或其变体。
    """
    request, named = exchange.request.raw.get("model"), exchange.completion.raw.get("model")
    if not isinstance(request, str) or not isinstance(named, str):
        raise NotApplicable(say("model is not a string (covered by another check)"))
    assert_names_model(named, request)
