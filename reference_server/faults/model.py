"""Faults of ``model``: an answer where no model was named, or nobody serves the one that was."""

from reference_server.behaviour.builders import asks, errors
from reference_server.behaviour.messages import Answer, Asked, Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.faults._hiding import HANDLERS, PLAINLY

SERVED = ("gpt-3.5-turbo-instruct", "davinci-002")


@fault(
    "unknown-model-accepted",
    breaks="model.unknown-refused errors.stream-refused-as-json",
    modifiers=HANDLERS,
)
def unknown_model_accepted() -> Behaviour:
    """A model that nobody serves is answered by another one."""

    def ask(asked: Body) -> Body:
        known = not isinstance(asked.get("model"), str) or asked["model"] in SERVED
        return asked if known else {**asked, "model": SERVED[0]}

    return asks(ask)


@fault(
    "missing-model-accepted",
    breaks="model.required errors.stream-refused-as-json",
    modifiers=HANDLERS,
)
def missing_model_accepted() -> Behaviour:
    """A request without a model, or with null, is answered by a model of the server's choice."""
    return asks(lambda asked: asked if asked.get("model") else {**asked, "model": SERVED[0]})


@fault(
    "unknown-model-bad-request",
    breaks="model.unknown-is-404",
    evidence=Evidence.REPORTED,
    modifiers=PLAINLY,
)
def unknown_model_bad_request() -> Behaviour:
    """An unknown model is refused with 400."""
    return errors(lambda _, got: got.with_status(400) if got.status == 404 else got)


@fault(
    "unknown-model-no-channel",
    breaks="model.unknown-is-404",
    evidence=Evidence.SOURCE,
    modifiers=PLAINLY,
)
def unknown_model_no_channel() -> Behaviour:
    """An unknown model is called a lack of channels: a 503 with another code."""

    def change(asked: Asked, got: Answer) -> Answer:
        if got.status != 404:
            return got
        message = f"No available channel for model {asked.body.get('model')} in group default"
        inner = {"message": message, "type": "server_error", "param": None}
        return got.with_status(503).with_body({"error": {**inner, "code": "no_channel"}})

    return errors(change)
