"""Responses that are not what a client can read at all, in words.

The actual value of such a finding is the head of a body, which says nothing in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.language import Text


def unreadable(expected: str, seen: str) -> Text | None:
    """Say what is wrong with a whole response; None if it is readable.

    Args:
        expected: the expected value, such as ``a stream with chunks``.
        seen: the actual value.
    """
    for wanted, came, told in _WHOLE:
        if expected.startswith(wanted) and seen.startswith(came):
            return told
    return None


_NO_JSON = Text("the body of the error is not JSON", "错误响应的正文不是 JSON")
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
_WHOLE: Sequence[tuple[str, str, Text]] = (
    ("an error envelope in JSON", "", _NO_JSON),
    ("an error envelope", "", _NO_ENVELOPE),
    ("an event with {", "", _NO_ENVELOPE),
    ("a stream with chunks", "", _NO_CHUNKS),
    ("a JSON object in each event", "", _EVENT),
    ("one JSON object per event", "", _EVENT),
    ("a stream event in JSON", "", _BAD_EVENT),
    ("a stream", "one body", _NO_STREAM),
    ("one JSON document", "", _STREAMED),
    ("a JSON document", "events", _STREAMED),
    ("the body in JSON", "", _BAD_JSON),
)
"""Beginnings of the expected and the actual value, and what they mean."""
