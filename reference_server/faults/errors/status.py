"""Faults of refusals: the status they come with, and bad requests that are not refused."""

import json
from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import asks, errors, status
from reference_server.behaviour.messages import (
    EVENT_STREAM,
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
    json_response,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import Modifier
from reference_server.faults._hiding import HANDLERS

STEADY = HANDLERS - {Modifier.EVERY_THIRD}
"""A server fault is asked about again, so that one in three is gone a moment later."""

WRONG_TYPES = "errors.wrong-type-refused errors.stream-refused-as-json"
"""Who takes wrong types in streams alone refuses a stream otherwise than a plain answer."""


@fault(
    "error-as-200", breaks="errors.never-as-success", evidence=Evidence.SOURCE, modifiers=HANDLERS
)
def error_as_200() -> Behaviour:
    """An error comes with status 200."""
    return errors(lambda _, got: got.with_status(200))


@fault(
    "error-as-choice",
    breaks="errors.never-as-success errors.malformed-json model.unknown-refused",
    modifiers=HANDLERS,
)
def error_as_choice() -> Behaviour:
    """An error is told as the text of an answer."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        text = f"Error: {got.body['error']['message']}"
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}
        usage = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), 0)
        whole = {"id": "cmpl-error", "object": "text_completion", "created": 1_700_000_000}
        return json_response(200, {**whole, "model": "error", "choices": [choice], "usage": usage})

    return errors(change)


@fault(
    "error-streamed",
    breaks="errors.stream-refused-as-json errors.never-as-success",
    evidence=Evidence.SOURCE,
    modifiers=STEADY - {Modifier.STREAM, Modifier.NON_STREAMING},
)
def error_streamed() -> Behaviour:
    """A refused stream is a stream with the error in it, under status 200."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if request.body.get("stream") is not True:
            return got
        streamed = got.with_data([got.raw.decode(), "[DONE]"]).with_status(200)
        return streamed.with_header("content-type", EVENT_STREAM)

    return errors(change)


@fault(
    "stream-refused-otherwise",
    breaks="errors.stream-refused-as-json",
    modifiers=STEADY - {Modifier.STREAM, Modifier.NON_STREAMING},
)
def stream_refused_otherwise() -> Behaviour:
    """What is refused with 400 is refused with 404 when a stream was asked for."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_status(404) if request.body.get("stream") is True else got

    return errors(change)


@fault(
    "server-error-on-bad-input",
    breaks="errors.bad-input-no-server-fault errors.stream-refused-as-json",
    evidence=Evidence.REPORTED,
    modifiers=STEADY,
)
def server_error_on_bad_input() -> Behaviour:
    """A bad request is a server fault."""
    return status(500, 400, 422)


@fault("bad-gateway-on-bad-input", breaks="errors.bad-input-no-server-fault", modifiers=STEADY)
def bad_gateway_on_bad_input() -> Behaviour:
    """A bad request is called a fault of the server behind."""
    return status(502, 400, 422)


@fault("server-error-on-broken-json", breaks="errors.bad-input-no-server-fault", modifiers=())
def server_error_on_broken_json() -> Behaviour:
    """A body that is no JSON is a server fault."""
    return _for_bad_bodies(lambda got: got.with_status(500))


@fault(
    "server-error-as-page",
    breaks="errors.server-fault-envelope errors.bad-input-no-server-fault "
    "errors.stream-refused-as-json",
    modifiers=STEADY,
)
def server_error_as_page() -> Behaviour:
    """A bad request is a server fault, told as a page."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.status != 400:
            return got
        page = b"<html><body><h1>500 Internal Server Error</h1></body></html>"
        return got.with_status(500).with_raw(page).with_header("content-type", "text/html")

    return errors(change)


@fault(
    "unprocessable-for-bad-request",
    breaks="errors.bad-input-is-400",
    evidence=Evidence.SIBLING,
    modifiers=HANDLERS,
)
def unprocessable_for_bad_request() -> Behaviour:
    """A bad value is refused with 422."""
    return status(422, 400)


@fault(
    "not-found-for-bad-request",
    breaks="errors.bad-input-is-400 errors.stream-refused-as-json",
    modifiers=STEADY,
)
def not_found_for_bad_request() -> Behaviour:
    """A bad value is refused with 404."""
    return status(404, 400)


@fault("broken-json-served", breaks="errors.malformed-json", modifiers=())
def broken_json_served() -> Behaviour:
    """A body that breaks off is read as far as it goes, and answered."""
    return _for_bad_bodies(lambda _: json_response(200, {"object": "text_completion"}))


@fault("array-body-unwrapped", breaks="errors.malformed-json", modifiers=())
def array_body_unwrapped() -> Behaviour:
    """A body that is an array is not refused."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        empty = isinstance(_read(request.raw), list)
        return json_response(200, []) if empty else await upstream(request)

    return behave


@fault("wrong-numbers-ignored", breaks=WRONG_TYPES, evidence=Evidence.SOURCE, modifiers=HANDLERS)
def wrong_numbers_ignored() -> Behaviour:
    """A number that is a string is dropped."""
    names = {"max_tokens", "temperature", "top_p", "n", "best_of", "logprobs", "seed"}
    names |= {"presence_penalty", "frequency_penalty"}
    return _dropping(names, str)


@fault("wrong-numbers-read", breaks=WRONG_TYPES, evidence=Evidence.SOURCE, modifiers=HANDLERS)
def wrong_numbers_read() -> Behaviour:
    """A number that is a string is read where it can be, and dropped otherwise."""
    names = ("max_tokens", "temperature", "top_p", "n", "best_of", "logprobs", "seed")

    def ask(request: Body) -> Body:
        strings = {k: v for k, v in request.items() if k in names and isinstance(v, str)}
        kept = {k: v for k, v in request.items() if k not in strings}
        return {**kept, **{k: float(v) for k, v in strings.items() if v.isdecimal()}}

    return asks(ask)


@fault("wrong-types-ignored", breaks=WRONG_TYPES, evidence=Evidence.SOURCE, modifiers=HANDLERS)
def wrong_types_ignored() -> Behaviour:
    """Whatever has a wrong type is dropped, as a lenient decoder does."""
    return _lenient()


def _for_bad_bodies(change: Callable[[ServerResponse], ServerResponse]) -> Behaviour:
    """Another answer to a body that is no JSON at all."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        return (
            change(response) if response.status == 400 and _read(request.raw) is ... else response
        )

    return behave


def _read(raw: bytes) -> Any:
    """Read a body; ``...`` where it is no JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return ...


def _dropping(names: set[str], *kinds: type) -> Behaviour:
    """Parameters are lost where their values are of wrong types; true is no number."""

    def is_wrong(name: str, value: Any) -> bool:
        flag = isinstance(value, bool)
        return name in names and isinstance(value, kinds) and not flag

    return asks(lambda request: {k: v for k, v in request.items() if not is_wrong(k, v)})


def _lenient() -> Behaviour:
    """Ask without whatever the server calls wrong, until it calls nothing wrong any more."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        left = dict(request.body)
        response = await upstream(request)
        while response.status == 400 and left:
            wrong = response.body["error"].get("param")
            if wrong not in left or response.body["error"].get("code") != "invalid_type":
                break
            del left[wrong]
            response = await upstream(request.with_body(left))
        return response

    return behave
