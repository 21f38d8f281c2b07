"""Values of ``include_stop_str_in_output`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, wrong_type

LIMITS = (
    wrong_type(
        "include-stop.word-refused",
        {"include_stop_str_in_output": "always"},
        "An `include_stop_str_in_output` that is a word is rejected.",
        "`include_stop_str_in_output` 为单词时会被拒绝。",
    ),
)

register(LIMITS, __name__)
