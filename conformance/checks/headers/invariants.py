"""``Content-Type``, ``Content-Encoding`` and framing of every response of a run."""

from __future__ import annotations

from conformance.checks import invariant
from conformance.checks.headers.directed import assert_charset_utf_8
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say
from conformance.protocol.content_codings import codings_of
from conformance.protocol.trace import RecordedExchange


@invariant("headers.content-type-everywhere", requirement="headers.content-type")
def every_response_has_a_json_content_type(exchange: RecordedExchange) -> None:
    """Every non-streaming response is `application/json`, with no charset other than UTF-8.

    每个非流式响应的内容类型都是 `application/json`，且不声明 UTF-8 以外的编码。
    """
    _ = exchange.non_streaming
    expect(exchange.response.content_type, "content-type").equals("application/json")
    assert_charset_utf_8(exchange.response)


@invariant("headers.content-encoding-everywhere", requirement="headers.content-encoding")
def no_response_is_compressed(exchange: RecordedExchange) -> None:
    """No response is compressed, because every request accepts the encoding `identity` alone.

    任何响应都未经压缩，因为每个请求都只接受 `identity` 编码。
    """
    asked = {name.lower() for name, _ in exchange.exchange.request.headers}
    if exchange.exchange.status is None or "accept-encoding" in asked:
        raise NotApplicable(say("no response, or a request for another encoding"))
    # Errors and incomplete responses as well: the header precedes whatever was cut.
    codings = codings_of(exchange.exchange.headers)
    if codings:
        raise Failure(
            say("no content-encoding"),
            say("content-encoding {codings}", codings=repr(", ".join(codings))),
        )


@invariant("headers.framing-everywhere", requirement="headers.framing")
def every_request_gets_one_response(exchange: RecordedExchange) -> None:
    """Every response ends where its headers say, and nothing follows it on its connection.

    每个响应都在其响应头所示之处结束，同一连接上其后没有多余的内容。
    """
    received = exchange.exchange
    if received.status is None:
        raise NotApplicable(say("no response"))
    if received.surplus:
        seen = shown(received.surplus[:80].decode("utf-8", "replace"))
        failure = Failure(
            say("one response to each request"), say("more behind the response: {text}", text=seen)
        )
        # Other clients drop it without a word.
        raise failure.only_by_suite()
    # RFC 9112, 6.2: "A sender MUST NOT send a Content-Length header field in any message that
    # contains a Transfer-Encoding header field."
    if received.header("content-length") and received.header("transfer-encoding"):
        raise Failure(say("Content-Length or Transfer-Encoding"), say("both in one response"))
