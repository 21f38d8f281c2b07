"""Values of ``stream_options`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, rejected, wrong_type

LIMITS = (
    rejected(
        "stream-options.needs-stream",
        "stream-options.without-stream-refused",
        {"stream_options": {"include_usage": True}},
        "`stream_options` without `stream: true` is rejected.",
        "没有 `stream: true` 而设置 `stream_options` 会被拒绝。",
    ),
    wrong_type(
        "stream-options.wrong-type-refused",
        {"stream_options": "usage"},
        "A `stream_options` that is a word instead of an object is rejected.",
        "`stream_options` 为单词而不是对象时会被拒绝。",
        stream=True,
    ),
    wrong_type(
        "stream-options.usage-wrong-type",
        {"stream_options": {"include_usage": "perhaps"}},
        "An `include_usage` that is a word, other than one for yes or no, is rejected.",
        "`include_usage` 为既不表示是也不表示否的单词时会被拒绝。",
        stream=True,
    ),
)

register(LIMITS, __name__)
