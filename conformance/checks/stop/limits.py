"""Values of ``stop`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, wrong_type
from conformance.checks._shared.stop_candidates import UNMATCHED_SEQUENCES

LIMITS = (
    wrong_type(
        "stop.number-refused",
        {"stop": 7},
        "A stop sequence that is a number is rejected.",
        "停止序列为数字时会被拒绝。",
    ),
    wrong_type(
        "stop.object-in-array-refused",
        {"stop": [UNMATCHED_SEQUENCES[0], {"text": UNMATCHED_SEQUENCES[1]}]},
        "An array of stop sequences that contains an object is rejected.",
        "停止序列数组中含有对象时会被拒绝。",
    ),
)

register(LIMITS, __name__)
