"""Responses that are not what a client can read at all, in words.

The actual value of such a finding is the head of a body, which says nothing in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.language import Text
from conformance.report import templates
from conformance.report.templates import made_from


def unreadable(expected: str, seen: str) -> Text | None:
    """Say what is wrong with a whole response; None if it is readable.

    Args:
        expected: the expected value, such as ``a stream with chunks``.
        seen: the actual value.
    """
    in_json = made_from(expected, templates.IN_JSON)
    if in_json is not None:
        return _NOT_JSON.get(str(in_json["what"]))
    for wanted, came, said in _WHOLE:
        is_that = made_from(expected, wanted) is not None
        if is_that and (came is None or made_from(seen, came) is not None):
            return said
    return None


_NO_ENVELOPE = Text(
    "the error has no `error` object with message, type, param and code",
    "错误响应中没有含 message、type、param、code 的 `error` 对象",
)
_NO_CHUNKS = Text("the stream has no chunks", "流中没有数据块")
_EVENT = Text("an event of the stream is not a JSON object", "流中有事件不是 JSON 对象")
_NO_STREAM = Text("one body came instead of a stream", "返回的是单个正文而不是流")
_STREAMED = Text("a stream came instead of one JSON document", "返回的是流而不是一个 JSON 文档")
_BAD_JSON = Text("the body is not valid JSON", "正文不是有效的 JSON")
_BAD_EVENT = Text("an event of the stream is not valid JSON", "流中有事件不是有效的 JSON")
_WHOLE: Sequence[tuple[str, str | None, Text]] = (
    (templates.ENVELOPE, None, _NO_ENVELOPE),
    (templates.ENVELOPE_IN_EVENT, None, _NO_ENVELOPE),
    (templates.STREAM_WITH_CHUNKS, None, _NO_CHUNKS),
    (templates.OBJECT_IN_EVENT, None, _EVENT),
    (templates.OBJECT_PER_EVENT, None, _EVENT),
    (templates.STREAM, templates.ONE_BODY, _NO_STREAM),
    (templates.ONE_DOCUMENT, None, _STREAMED),
    (templates.DOCUMENT, templates.EVENTS, _STREAMED),
)
"""What the expected and the actual value are made from, and what they mean."""

_NOT_JSON = {templates.THE_BODY: _BAD_JSON, templates.STREAM_EVENT: _BAD_EVENT}
"""What has to be JSON and is not; these messages have no values."""
