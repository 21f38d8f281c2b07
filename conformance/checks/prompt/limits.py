"""Values of ``prompt`` that have to be rejected, and values that may be."""

from __future__ import annotations

from conformance.checks._shared.limits import harmless, register, wrong_type
from conformance.checks._shared.prompts import COUNTING

LIMITS = (
    harmless(
        "prompt.empty-is-harmless",
        "prompt.empty",
        {"prompt": ""},
        "An empty prompt is served or declined; it does not break the endpoint.",
        "空的 prompt 要么得到处理，要么被拒绝，不会使接口出错。",
    ),
    harmless(
        "prompt.null-is-harmless",
        "prompt.absent-or-null",
        {"prompt": None},
        "A prompt of null is served or declined; it does not break the endpoint.",
        "为 null 的 prompt 要么得到处理，要么被拒绝，不会使接口出错。",
        tier="deep",
    ),
    wrong_type(
        "prompt.object-refused",
        {"prompt": {"text": COUNTING}},
        "A prompt given as an object is declined.",
        "prompt 为对象时会被拒绝。",
        tier="standard",
        needs=(),
    ),
    wrong_type(
        "prompt.nested-strings-refused",
        {"prompt": [[COUNTING]]},
        "An array of arrays of strings is declined.",
        "字符串数组的数组会被拒绝。",
        needs=(),
    ),
)

register(LIMITS, __name__)
