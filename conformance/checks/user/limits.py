"""Values of ``user`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, wrong_type

LIMITS = (
    wrong_type(
        "user.object-refused",
        {"user": {"id": 1}},
        "A `user` that is an object is rejected.",
        "`user` 为对象时会被拒绝。",
    ),
)

register(LIMITS, __name__)
