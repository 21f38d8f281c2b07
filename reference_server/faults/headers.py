"""Faults of response headers."""

import gzip
from dataclasses import replace

from reference_server.behaviour.messages import (
    Behaviour,
    ClientRequest,
    ServerResponse,
    encode,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger

OF_ALL_CHOICES = ALL_TRIGGERS - {Trigger.SECOND_CHOICE}
OF_NON_STREAMING = ALL_TRIGGERS - {Trigger.SECOND_CHOICE, Trigger.STREAM, Trigger.NON_STREAMING}


@fault("plain-as-text", breaks="headers.content-type", triggers=OF_NON_STREAMING)
def plain_as_text() -> Behaviour:
    """A non-streaming response has the content type ``text/plain``."""
    return _plain_header("content-type", "text/plain; charset=utf-8")


@fault("plain-as-html", breaks="headers.content-type", triggers=OF_NON_STREAMING)
def plain_as_html() -> Behaviour:
    """A non-streaming response has the content type ``text/html``."""
    return _plain_header("content-type", "text/html; charset=utf-8")


@fault(
    "wrong-content-type",
    breaks="headers.content-type stream.plain-unless-asked",
    evidence=Evidence.SIBLING,
    triggers=OF_NON_STREAMING,
)
def wrong_content_type() -> Behaviour:
    """A non-streaming response has the content type ``text/event-stream``."""
    return _plain_header("content-type", "text/event-stream")


@fault("content-type-missing", breaks="headers.content-type", triggers=OF_NON_STREAMING)
def content_type_missing() -> Behaviour:
    """A non-streaming response has no content type."""
    return _plain_header("content-type", None)


@fault("charset-latin", breaks="headers.content-type", triggers=OF_NON_STREAMING)
def charset_latin() -> Behaviour:
    """A non-streaming response in UTF-8 declares Latin-1."""
    return _plain_header("content-type", "application/json; charset=iso-8859-1")


@fault("gzip-unasked", breaks="headers.content-encoding", triggers=OF_NON_STREAMING)
def gzip_unasked() -> Behaviour:
    """Non-streaming responses and errors are compressed, although the client does not accept it."""

    def raw(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        if got.is_stream:
            return got
        # The compressed header has no time, so that equal responses have equal bytes.
        packed = got.with_raw(gzip.compress(got.raw, mtime=0))
        return packed.with_header("content-encoding", "gzip")

    return Rewrite(raw=raw)


@fault("request-id-constant", breaks="headers.openai", triggers={Trigger.NON_STREAMING})
def request_id_constant() -> Behaviour:
    """Every response has the same ``x-request-id``."""
    return _header("x-request-id", "req-1")


@fault("processing-time-in-words", breaks="headers.openai", triggers={Trigger.NON_STREAMING})
def processing_time_in_words() -> Behaviour:
    """``openai-processing-ms`` has a unit after its number."""
    return _header("openai-processing-ms", "12 ms")


@fault("rate-limits-crossed", breaks="headers.openai", triggers={Trigger.NON_STREAMING})
def rate_limits_crossed() -> Behaviour:
    """The remaining requests exceed the limit."""

    def raw(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        limited = got.with_header("x-ratelimit-limit-requests", "10")
        return limited.with_header("x-ratelimit-remaining-requests", "999")

    return Rewrite(raw=raw)


@fault("second-response", breaks="headers.framing", triggers=OF_ALL_CHOICES)
def second_response() -> Behaviour:
    """A second response, which nobody has asked for, follows each on the same connection."""
    body = encode({"error": {"message": "Bad gateway.", "type": "server_error"}})
    second = b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: application/json\r\n"
    second += b"content-length: %d\r\n\r\n%s" % (len(body), body)
    return Rewrite(raw=lambda _, got: replace(got, behind=second))


@fault("bytes-behind-response", breaks="headers.framing", triggers=OF_ALL_CHOICES)
def bytes_behind_response() -> Behaviour:
    """The body goes on by some bytes after the end that its framing declares."""
    return Rewrite(raw=lambda _, got: replace(got, behind=b'{"choices":[]}'))


def _header(name: str, value: str | None) -> Behaviour:
    return Rewrite(raw=lambda _, got: got.with_header(name, value))


def _plain_header(name: str, value: str | None) -> Behaviour:
    """Change a header of non-streaming responses with status 200."""

    def raw(_: ClientRequest, got: ServerResponse) -> ServerResponse:
        return got if got.status != 200 or got.is_stream else got.with_header(name, value)

    return Rewrite(raw=raw)
