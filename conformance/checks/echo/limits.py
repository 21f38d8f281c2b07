"""Values of ``echo`` that have to be rejected, and values that change nothing."""

from __future__ import annotations

from conformance.checks._shared.limits import register, same_as_omitted, wrong_type

LIMITS = (
    same_as_omitted(
        "echo.false",
        "echo.off-by-default",
        {"echo": False},
        "`echo: false` gives the answer that no `echo` gives.",
        "`echo: false` 的响应与未设置 `echo` 时相同。",
    ),
    wrong_type(
        "echo.word-refused",
        {"echo": "loud"},
        "`echo` given as a word is declined.",
        "`echo` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
