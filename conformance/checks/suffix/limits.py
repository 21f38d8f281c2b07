"""Values of ``suffix`` that have to be rejected, and values that change nothing."""

from __future__ import annotations

from conformance.checks._shared.limits import harmless, register, same_as_omitted, wrong_type
from conformance.checks.suffix.directed import LONG_SUFFIX

LIMITS = (
    same_as_omitted(
        "suffix.null",
        "suffix.null-is-none",
        {"suffix": None},
        "`suffix: null` gives the same response as omitting it.",
        "`suffix: null` 的响应与不带 suffix 时相同。",
        instead=LONG_SUFFIX,
    ),
    harmless(
        "suffix.with-echo",
        "suffix.with-echo-or-batch",
        {"suffix": LONG_SUFFIX, "echo": True},
        "`suffix` with `echo` is accepted or rejected, without a server error.",
        "`suffix` 与 `echo` 同时使用时，要么被接受，要么被拒绝，不会引起服务器错误。",
        tier="deep",
        needs=("echo",),
    ),
    wrong_type(
        "suffix.object-refused",
        {"suffix": {"text": LONG_SUFFIX}},
        "A suffix that is an object is rejected.",
        "suffix 为对象时会被拒绝。",
    ),
)

register(LIMITS, __name__)
