"""Faults of error responses: the envelope and its fields."""

from collections.abc import Mapping
from typing import Any

from reference_server.behaviour.builders import error, errors
from reference_server.behaviour.messages import Behaviour, ClientRequest, ServerResponse
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
