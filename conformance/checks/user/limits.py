"""Values of ``user`` that have to be rejected."""

from __future__ import annotations

from conformance.checks._shared.limits import register, same_as_omitted, wrong_type

LIMITS = (
    wrong_type(
        "user.object-refused",
        {"user": {"id": 1}},
        "A `user` that is an object is rejected.",
        "`user` 为对象时会被拒绝。",
    ),
    same_as_omitted(
        "user.null",
        "user.null-is-none",
        {"user": None},
        "`user: null` has no effect.",
        "`user: null` 不影响响应。",
        instead="user-1234",
    ),
)

register(LIMITS, __name__)
