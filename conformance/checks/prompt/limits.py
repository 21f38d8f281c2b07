"""Values of ``prompt`` that have to be rejected, and values that may be."""

from __future__ import annotations

from conformance.checks._shared.limits import harmless, register, wrong_type
from conformance.checks._shared.prompts import COUNTING

LIMITS = (
    harmless(
        "prompt.empty-is-harmless",
        "prompt.empty",
        {"prompt": ""},
        "An empty prompt is accepted or rejected, without a server error.",
        "空的 prompt 要么被接受，要么被拒绝，不会引起服务器错误。",
    ),
    harmless(
        "prompt.null-is-harmless",
        "prompt.absent-or-null",
        {"prompt": None},
        "A prompt of null is accepted or rejected, without a server error.",
        "为 null 的 prompt 要么被接受，要么被拒绝，不会引起服务器错误。",
    ),
    wrong_type(
        "prompt.object-refused",
        {"prompt": {"text": COUNTING}},
        "A prompt that is an object is rejected.",
        "prompt 为对象时会被拒绝。",
        tier="standard",
        needs=(),
    ),
    wrong_type(
        "prompt.nested-strings-refused",
        {"prompt": [[COUNTING]]},
        "An array of arrays of strings is rejected.",
        "字符串数组的数组会被拒绝。",
        needs=(),
    ),
)

register(LIMITS, __name__)
