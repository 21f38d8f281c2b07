"""Faults of ``model``: a request is served although it names no model, or an unknown one."""

from reference_server.behaviour.builders import errors, rewrites
from reference_server.behaviour.messages import Behaviour, Body, ClientRequest, ServerResponse
from reference_server.behaviour.registry import Evidence, fault
from reference_server.faults._triggers import HANDLERS, NON_STREAMING_ONLY

SERVED = ("gpt-3.5-turbo-instruct", "davinci-002")
RETIRED = "text-davinci-003"


@fault(
    "unknown-model-accepted",
    breaks="model.unknown-refused errors.stream-refused-as-json",
    triggers=HANDLERS,
)
def unknown_model_accepted() -> Behaviour:
    """A request for an unknown model is served by another model."""

    def rewrite(request: Body) -> Body:
        known = not isinstance(request.get("model"), str) or request["model"] in SERVED
        return request if known else {**request, "model": SERVED[0]}

    return rewrites(rewrite)


@fault(
    "missing-model-accepted",
    breaks="model.required errors.stream-refused-as-json",
    triggers=HANDLERS,
)
def missing_model_accepted() -> Behaviour:
    """A request without a model, or with null, is served by a model of the server's choice."""
    return rewrites(
        lambda request: request if request.get("model") else {**request, "model": SERVED[0]}
    )


@fault(
    "missing-model-replaced",
    breaks="model.missing-said",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def missing_model_replaced() -> Behaviour:
    """A request without a model is sent on with a model's name, which is unknown: 404 names it.

    Reported of a chat endpoint: https://github.com/rmusser01/tldw_server/issues/2938
    and of a default model in LiteLLM: https://github.com/BerriAI/litellm/issues/21554
    """
    return rewrites(
        lambda request: request if request.get("model") else {**request, "model": RETIRED}
    )


@fault(
    "unknown-model-bad-request",
    breaks="model.unknown-is-404",
    evidence=Evidence.REPORTED,
    triggers=NON_STREAMING_ONLY,
)
def unknown_model_bad_request() -> Behaviour:
    """An unknown model is rejected with 400."""
    return errors(lambda _, got: got.with_status(400) if got.status == 404 else got)


@fault(
    "unknown-model-no-channel",
    breaks="model.unknown-is-404",
    evidence=Evidence.SOURCE,
    triggers=NON_STREAMING_ONLY,
)
def unknown_model_no_channel() -> Behaviour:
    """An unknown model is rejected with 503 and another code, as a lack of channels."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.status != 404:
            return got
        message = f"No available channel for model {request.body.get('model')} in group default"
        inner = {"message": message, "type": "server_error", "param": None}
        return got.with_status(503).with_body({"error": {**inner, "code": "no_channel"}})

    return errors(change)
