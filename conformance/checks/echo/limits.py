"""Values of ``echo`` that have to be rejected, and values without effect."""

from __future__ import annotations

from conformance.checks._shared.limits import register, same_as_omitted, wrong_type

LIMITS = (
    same_as_omitted(
        "echo.false",
        "echo.off-by-default",
        {"echo": False},
        "`echo: false` has the same response as a request without `echo`.",
        "`echo: false` 的响应与未设置 `echo` 时相同。",
    ),
    wrong_type(
        "echo.word-refused",
        {"echo": "loud"},
        "`echo` that is a word is rejected.",
        "`echo` 为单词时会被拒绝。",
    ),
    same_as_omitted(
        "echo.null",
        "echo.null-is-default",
        {"echo": None},
        "`echo: null` has no effect.",
        "`echo: null` 不影响响应。",
        instead=False,
    ),
)

register(LIMITS, __name__)
