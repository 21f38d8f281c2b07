"""Faults of error responses: the envelope and its fields."""

import json
from collections.abc import Mapping
from typing import Any

from reference_server.behaviour.builders import error, errors
from reference_server.behaviour.messages import (
    EVENT_STREAM,
    Behaviour,
    ClientRequest,
    ServerResponse,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.faults._triggers import HANDLERS

UPSTREAM = "Post https://10.3.7.12:8443/v1/completions: dial tcp 10.3.7.12:8443: i/o timeout"
TRACE = (
    'Traceback (most recent call last):\n  File "/srv/app/handlers.py", line 88, in create\n'
    "    limit = int(body['max_tokens'])\nValueError: invalid literal"
)
PANIC = "panic: interface conversion\n\ngoroutine 118 [running]:\nmain.relay(0xc000)"

UNEXPLAINED = "max-tokens.context-overflow-names-counts unknown-key.refused-or-ignored"
"""What any other message in place of the server's breaks: it names no count and no parameter."""


def _enveloped(envelope: Mapping[str, Any]) -> Rewrite:
    return Rewrite(refusal=lambda _, old: {k: _filled(v, old) for k, v in envelope.items()})


def _filled(value: Any, old: Mapping[str, Any]) -> Any:
    return old["error"]["message"] if value is ... else value


@fault(
    "bare-error-envelope",
    breaks="errors.envelope",
    evidence=Evidence.REPORTED,
    triggers=HANDLERS,
)
def bare_error_envelope() -> Behaviour:
    """The error is ``{"detail": …}``, the format of a web framework."""
    return _enveloped({"detail": ...})


@fault(
    "error-object-error", breaks="errors.envelope", evidence=Evidence.REPORTED, triggers=HANDLERS
)
def error_object_error() -> Behaviour:
    """The error is ``{"object": "error", "message": …}``, without an inner object."""
    return _enveloped(
        {"object": "error", "message": ..., "type": "BadRequestError", "param": None, "code": 400}
    )


@fault("error-string", breaks="errors.envelope", evidence=Evidence.SOURCE, triggers=HANDLERS)
def error_string() -> Behaviour:
    """``error`` is a string instead of an object."""
    return _enveloped({"error": ..., "error_type": "validation"})


@fault("error-in-code-and-msg", breaks="errors.envelope", triggers=HANDLERS)
def error_in_code_and_msg() -> Behaviour:
    """The error is ``{"code": …, "msg": …}``."""
    return _enveloped({"code": 10013, "msg": ..., "data": None})


@fault("error-message-empty", breaks="errors.envelope", triggers=HANDLERS)
def error_message_empty() -> Behaviour:
    """``message`` is an empty string."""
    return error(message="")


@fault("error-message-missing", breaks="errors.envelope", triggers=HANDLERS)
def error_message_missing() -> Behaviour:
    """The error has no ``message``."""
    return error(message=...)


@fault("error-message-object", breaks="errors.envelope", triggers=HANDLERS)
def error_message_object() -> Behaviour:
    """``message`` is an object."""
    return error(message={"en": "bad request"})


@fault("error-param-missing", breaks="errors.four-members", triggers=HANDLERS)
def error_param_missing() -> Behaviour:
    """The error has no ``param``."""
    return error(param=...)


@fault("error-code-missing", breaks="errors.four-members", triggers=HANDLERS)
def error_code_missing() -> Behaviour:
    """The error has no ``code``."""
    return error(code=...)


@fault("error-code-object", breaks="errors.four-members", triggers=HANDLERS)
def error_code_object() -> Behaviour:
    """``code`` is an object."""
    return error(code={"value": "invalid_value"})


@fault("error-type-missing", breaks="errors.four-members", triggers=HANDLERS)
def error_type_missing() -> Behaviour:
    """The error has no ``type``."""
    return error(type=...)


@fault(
    "nonstandard-error-type",
    breaks="errors.bad-input-type",
    evidence=Evidence.SOURCE,
    triggers=HANDLERS,
)
def nonstandard_error_type() -> Behaviour:
    """``type`` is specific to the relay, and ``param`` is an empty string."""
    return error(type="new_api_error", param="")


@fault(
    "error-unexplained",
    breaks="errors.bad-input-param",
    also_breaks=UNEXPLAINED,
    triggers=HANDLERS,
)
def error_unexplained() -> Behaviour:
    """The error for an invalid value does not identify the value."""
    return error(message="The request is invalid.", param=None)


@fault(
    "upstream-leak",
    breaks="errors.no-leak",
    also_breaks=UNEXPLAINED,
    evidence=Evidence.SOURCE,
    triggers=HANDLERS,
)
def upstream_leak() -> Behaviour:
    """The error contains the address of the upstream server."""
    return error(message=UPSTREAM)


@fault(
    "trace-leak",
    breaks="errors.no-leak",
    also_breaks=UNEXPLAINED,
    triggers=HANDLERS,
)
def trace_leak() -> Behaviour:
    """The error contains a stack trace."""
    return error(message=TRACE)


@fault(
    "panic-leak",
    breaks="errors.no-leak",
    also_breaks=UNEXPLAINED,
    triggers=HANDLERS,
)
def panic_leak() -> Behaviour:
    """The error contains a stack trace of a program in another language."""
    return error(message=PANIC)


@fault(
    "key-leak",
    breaks="errors.no-leak",
    also_breaks=UNEXPLAINED,
    evidence=Evidence.SOURCE,
    triggers=HANDLERS,
)
def key_leak() -> Behaviour:
    """The error contains the key of the upstream server."""
    return error(message="Incorrect API key provided: sk-A1b2C3d4E5f6G7h8I9j0K1l2M3n4.")


@fault(
    "host-leak",
    breaks="errors.no-leak",
    also_breaks=UNEXPLAINED,
    evidence=Evidence.SOURCE,
    triggers=HANDLERS,
)
def host_leak() -> Behaviour:
    """The error contains an internal host name."""
    return error(
        message='Post "http://vllm-7b.inference.svc.cluster.local:8000/v1/completions": EOF'
    )


@fault("html-error", breaks="errors.envelope", evidence=Evidence.REPORTED, triggers=HANDLERS)
def html_error() -> Behaviour:
    """An error is an HTML page."""
    return errors(_page)


@fault("text-error", breaks="errors.envelope", triggers=HANDLERS)
def text_error() -> Behaviour:
    """An error is a line of plain text."""

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_raw(b"Bad Request\n").with_header("content-type", "text/plain")

    return errors(change)


@fault("empty-error", breaks="errors.envelope", triggers=HANDLERS)
def empty_error() -> Behaviour:
    """An error has no body."""
    return errors(lambda _, got: got.with_raw(b""))


@fault("error-as-html", breaks="errors.content-type", triggers=HANDLERS)
def error_as_html() -> Behaviour:
    """An error in JSON has the content type ``text/html``."""
    return errors(lambda _, got: got.with_header("content-type", "text/html; charset=utf-8"))


@fault(
    "json-error-as-event-stream",
    breaks="errors.content-type errors.stream-refused-as-json",
    evidence=Evidence.SIBLING,
    triggers=HANDLERS,
)
def json_error_as_event_stream() -> Behaviour:
    """An error in JSON has the content type ``text/event-stream``."""
    return errors(lambda _, got: got.with_header("content-type", "text/event-stream"))


def _page(_: ClientRequest, got: ServerResponse) -> ServerResponse:
    page = f"<html><head><title>{got.status}</title></head><body><h1>Error</h1></body></html>"
    return got.with_raw(page.encode()).with_header("content-type", "text/html")


@fault(
    "error-param-place",
    breaks="errors.param-names-request",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def error_param_place() -> Behaviour:
    """``param`` is a place in a body that is not JSON, and a name that the request does not have.

    Reported for vLLM: https://github.com/vllm-project/vllm/pull/46038
    and https://github.com/vllm-project/vllm/pull/33425
    """

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        place = None
        try:
            json.loads(request.raw)
        except json.JSONDecodeError as error:
            place = f"body.{error.pos}"
        except (ValueError, RecursionError):
            place = "body"
        if b"context length" in got.raw:
            place = "input_tokens"
        if place is None or got.status != 400:
            return got
        return got.with_body({"error": {**got.body["error"], "param": place}})

    return errors(change)


@fault(
    "error-code-number",
    breaks="errors.code-is-string",
    also_breaks="auth.wrong-key-code model.unknown-is-404",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def error_code_number() -> Behaviour:
    """``code`` is the number of the status.

    Reported for SGLang: https://github.com/sgl-project/sglang/pull/32808
    and for LMDeploy: https://github.com/InternLM/lmdeploy/pull/2333
    """

    def change(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got.with_body({"error": {**got.body["error"], "code": got.status}})

    return errors(change)


def _is_upstreams(request: ClientRequest, got: ServerResponse) -> bool:
    """Whether a stream was rejected for a value that a server in front leaves to the model's."""
    is_range = got.status == 400 and got.body["error"].get("code") != "invalid_type"
    return is_range and request.body.get("stream") is True


@fault(
    "upstream-error-as-events",
    breaks="errors.stream-refused-as-json",
    # The body is no JSON.
    also_breaks="errors.envelope errors.content-type",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def upstream_error_as_events() -> Behaviour:
    """A stream that the upstream rejects for a value out of range is a 400 in events.

    A value of a wrong type is rejected in front of it, in JSON.
    Reported for LiteLLM: https://github.com/BerriAI/litellm/pull/18757
    """

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if not _is_upstreams(request, got):
            return got
        events = got.with_data([got.raw.decode(), "[DONE]"])
        return events.with_header("content-type", EVENT_STREAM)

    return errors(change)


@fault(
    "upstream-error-in-stream",
    breaks="errors.stream-refused-as-json errors.never-as-success",
    also_breaks="*.out-of-range-refused *.negative-refused *.context-overflow-refused "
    "best-of.stream-refused",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def upstream_error_in_stream() -> Behaviour:
    """A stream that the upstream rejects for a value out of range has status 200, and the error.

    A value of a wrong type is rejected in front of it, in JSON.
    Reported for vLLM behind a proxy: https://github.com/saberjack/SHTUCodeProxy/pull/4
    and for litellm-rs: https://github.com/majiayu000/litellm-rs/issues/170
    """

    def change(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        if not _is_upstreams(request, got):
            return got
        events = got.with_data([got.raw.decode(), "[DONE]"]).with_status(200)
        return events.with_header("content-type", EVENT_STREAM)

    return errors(change)
