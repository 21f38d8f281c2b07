"""Faults of error statuses: wrong ones, and bad requests that are accepted."""

import json
from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import errors, rewrites, status
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
from reference_server.behaviour.triggers import Trigger
from reference_server.faults._triggers import HANDLERS

TRIGGERS = HANDLERS - {Trigger.EVERY_THIRD}
"""Excludes `@every-third`: server errors are retried, so one in three disappears."""

WRONG_TYPES = "errors.wrong-type-refused errors.stream-refused-as-json errors.coerced-type-refused"
"""Further requirements: with `@stream`, streams are rejected differently."""


@fault(
    "error-as-200", breaks="errors.never-as-success", evidence=Evidence.SOURCE, triggers=HANDLERS
)
def error_as_200() -> Behaviour:
    """An error has the status 200."""
    return errors(lambda _, got: got.with_status(200))


@fault(
    "error-as-choice",
    breaks="errors.never-as-success errors.malformed-json model.unknown-refused",
    # Whatever is invalid is served.
    also_breaks="*-refused errors.bad-input-is-400 auth.missing-key auth.wrong-key model.required"
    " stop.at-most-four logprobs.above-maximum unknown-key.*",
    triggers=HANDLERS,
)
def error_as_choice() -> Behaviour:
    """An error is returned as the text of a completion."""

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
    triggers=TRIGGERS - {Trigger.STREAM, Trigger.NON_STREAMING},
)
def error_streamed() -> Behaviour:
    """A rejected stream is a stream that contains the error, with status 200."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if request.body.get("stream") is not True:
            return got
        streamed = got.with_data([got.raw.decode(), "[DONE]"]).with_status(200)
        return streamed.with_header("content-type", EVENT_STREAM)

    return errors(change)


@fault(
    "refused-stream-as-events",
    breaks="errors.stream-refused-as-json",
    # The event is no JSON document, and its content type is that of a stream.
    also_breaks="errors.envelope errors.content-type",
    triggers=(),
)
def refused_stream_as_events() -> Behaviour:
    """A rejected stream has its 4xx status, and the error as an event of a stream."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if request.body.get("stream") is not True:
            return got
        streamed = got.with_data([got.raw.decode(), "[DONE]"])
        return streamed.with_header("content-type", EVENT_STREAM)

    return errors(change)


@fault(
    "stream-refused-otherwise",
    breaks="errors.stream-refused-as-json",
    triggers=TRIGGERS - {Trigger.STREAM, Trigger.NON_STREAMING},
)
def stream_refused_otherwise() -> Behaviour:
    """A request that would be rejected with 400 is rejected with 404 if it is streamed."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_status(404) if request.body.get("stream") is True else got

    return errors(change)


@fault(
    "server-error-on-bad-input",
    breaks="errors.bad-input-no-server-fault errors.stream-refused-as-json",
    evidence=Evidence.REPORTED,
    triggers=TRIGGERS,
)
def server_error_on_bad_input() -> Behaviour:
    """A bad request causes a server error."""
    return status(500, 400, 422)


@fault("bad-gateway-on-bad-input", breaks="errors.bad-input-no-server-fault", triggers=TRIGGERS)
def bad_gateway_on_bad_input() -> Behaviour:
    """A bad request is reported as an error of the upstream server."""
    return status(502, 400, 422)


@fault("server-error-on-broken-json", breaks="errors.bad-input-no-server-fault", triggers=())
def server_error_on_broken_json() -> Behaviour:
    """A body that is not JSON causes a server error."""
    return _for_bad_bodies(lambda got: got.with_status(500))


@fault(
    "server-error-as-page",
    breaks="errors.server-fault-envelope errors.bad-input-no-server-fault "
    "errors.stream-refused-as-json",
    triggers=TRIGGERS,
)
def server_error_as_page() -> Behaviour:
    """A bad request causes a server error with an HTML page."""

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
    triggers=HANDLERS,
)
def unprocessable_for_bad_request() -> Behaviour:
    """An invalid value is rejected with 422."""
    return status(422, 400)


@fault("unprocessable-for-range", breaks="errors.bad-input-is-400", triggers=())
def unprocessable_for_range() -> Behaviour:
    """A number out of range is rejected with 422, and a wrong type with 400."""

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        wrong = request.body.get(got.body["error"].get("param") or "")
        is_number = isinstance(wrong, int | float) and not isinstance(wrong, bool)
        return got.with_status(422) if got.status == 400 and is_number else got

    return errors(change)


@fault(
    "not-found-for-bad-request",
    breaks="errors.bad-input-is-400 errors.stream-refused-as-json",
    triggers=TRIGGERS,
)
def not_found_for_bad_request() -> Behaviour:
    """An invalid value is rejected with 404."""
    return status(404, 400)


@fault("broken-json-served", breaks="errors.malformed-json", triggers=())
def broken_json_served() -> Behaviour:
    """A truncated body is parsed up to its end, and served."""
    return _for_bad_bodies(lambda _: json_response(200, {"object": "text_completion"}))


@fault("array-body-unwrapped", breaks="errors.malformed-json", triggers=())
def array_body_unwrapped() -> Behaviour:
    """A body that is an array is accepted."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        empty = isinstance(_read(request.raw), list)
        return json_response(200, []) if empty else await upstream(request)

    return behave


@fault("wrong-numbers-ignored", breaks=WRONG_TYPES, evidence=Evidence.SOURCE, triggers=HANDLERS)
def wrong_numbers_ignored() -> Behaviour:
    """A number sent as a string is dropped."""
    names = {"max_tokens", "temperature", "top_p", "n", "best_of", "logprobs", "seed"}
    names |= {"presence_penalty", "frequency_penalty"}
    return _dropping(names, str)


@fault("wrong-numbers-read", breaks=WRONG_TYPES, evidence=Evidence.SOURCE, triggers=HANDLERS)
def wrong_numbers_read() -> Behaviour:
    """A number sent as a string is parsed, and dropped if that fails."""
    names = ("max_tokens", "temperature", "top_p", "n", "best_of", "logprobs", "seed")

    def rewrite(request: Body) -> Body:
        strings = {k: v for k, v in request.items() if k in names and isinstance(v, str)}
        kept = {k: v for k, v in request.items() if k not in strings}
        return {**kept, **{k: float(v) for k, v in strings.items() if v.isdecimal()}}

    return rewrites(rewrite)


@fault(
    "numbers-coerced",
    breaks="errors.coerced-type-refused",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def numbers_coerced() -> Behaviour:
    """A number in a string, and true or false for a number, are converted; words are rejected.

    Reported for vLLM, of ``stream``: https://github.com/vllm-project/vllm/issues/1273
    and for ATOM: https://github.com/ROCm/ATOM/pull/789
    """
    whole = ("max_tokens", "n", "best_of", "logprobs", "seed")
    names = {*whole, "temperature", "top_p", "presence_penalty", "frequency_penalty"}

    def read(name: str, value: Any) -> Any:
        if isinstance(value, bool):
            return int(value)
        if not isinstance(value, str):
            return value
        try:
            return int(value) if name in whole else float(value)
        except ValueError:
            return value

    return rewrites(
        lambda request: {k: read(k, v) if k in names else v for k, v in request.items()}
    )


@fault("array-body-as-object", breaks="errors.array-body-said", triggers=())
def array_body_as_object() -> Behaviour:
    """A body that is an empty array is read as an object without members, which needs a model."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        if _read(request.raw) != []:
            return await upstream(request)
        return await upstream(request.with_raw(b"{}"))

    return behave


@fault("wrong-types-ignored", breaks=WRONG_TYPES, evidence=Evidence.SOURCE, triggers=HANDLERS)
def wrong_types_ignored() -> Behaviour:
    """Every value of a wrong type is dropped."""
    return _lenient()


def _for_bad_bodies(change: Callable[[ServerResponse], ServerResponse]) -> Behaviour:
    """Respond differently to a body that is not JSON."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        response = await upstream(request)
        return (
            change(response) if response.status == 400 and _read(request.raw) is ... else response
        )

    return behave


def _read(raw: bytes) -> Any:
    """Parse a body; ``...`` if it is not JSON."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return ...


def _dropping(names: set[str], *kinds: type) -> Behaviour:
    """Drop parameters whose values have wrong types; true is not a number."""

    def is_wrong(name: str, value: Any) -> bool:
        flag = isinstance(value, bool)
        return name in names and isinstance(value, kinds) and not flag

    return rewrites(lambda request: {k: v for k, v in request.items() if not is_wrong(k, v)})


def _lenient() -> Behaviour:
    """Drop what the server rejects, one parameter at a time, until it accepts the request."""

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
