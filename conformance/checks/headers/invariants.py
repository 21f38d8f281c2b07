"""``Content-Type`` of every non-streaming response of a run."""

from __future__ import annotations

from conformance.checks import invariant
from conformance.checks.headers.directed import assert_charset_utf_8
from conformance.judgement import expect
from conformance.protocol.trace import RecordedExchange


@invariant("headers.content-type-everywhere", requirement="headers.content-type")
def every_response_has_a_json_content_type(exchange: RecordedExchange) -> None:
    """Every non-streaming response is `application/json`, with no charset other than UTF-8.

    每个非流式响应的内容类型都是 `application/json`，且不声明 UTF-8 以外的编码。
    """
    _ = exchange.non_streaming
    expect(exchange.response.content_type, "content-type").equals("application/json")
    assert_charset_utf_8(exchange.response)
